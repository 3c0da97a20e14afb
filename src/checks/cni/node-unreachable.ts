import type { Facts } from '../../facts/facts.ts';
import { objectEvidence } from '../../facts/facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { legsOf, nothingPasses } from './legs.ts';
import { type NodeReach, nodeReaches } from './node-reach.ts';

export const nodeUnreachable = defineCheck({
  meta: {
    id: 'CNI009',
    slug: 'node-unreachable',
    layer: 'cni',
    title: "A node can't be reached from the client's node",
    since: '0.1.0',
    explain: {
      what: "The client's node gets no answer from another node of the flow: neither to echo requests nor from the port of its kubelet (or not even to ARP). It is not a matter of pods: the node is down, cut off, or the network between the two passes nothing.",
      why: 'The node crashed or hangs, its network card or switch port is down, a firewall or a cloud security group separates the two nodes, or the node has another address than its Node object says.',
      confirm: ['kubectl get nodes -o wide', 'ping NODE_IP   (from the other node)', 'ip neigh   (on the other node)'],
      fix: [
        'Bring the node or the network between the two back; where it stays away, delete its pods by force so that others take their place',
      ],
      notThis: [
        'ICMP is filtered between the nodes and TCP passes: then the node counts as reachable',
        'The API server still calls the node Ready for 40 s after it went, and for ever when only the way between two nodes is cut',
      ],
      refs: ['https://kubernetes.io/docs/concepts/architecture/nodes/#condition'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const reaches = nodeReaches(facts);
    // Where pod traffic passes, only echo requests and the kubelet's port are filtered between the two.
    const silent = reaches.filter((reach) => reach.state === 'silent' && nothingPasses(facts, reach.from, reach.to));
    if (silent.length > 0) return fail(...faultsOf(facts, reaches, silent));
    const unknown = reaches.find((reach) => reach.state === 'unknown');
    if (unknown)
      return cannotTell(
        unknown.probe.unknown?.reason ?? 'not-collected',
        `whether node ${unknown.from} reaches node ${unknown.to}: ${unknown.probe.unknown?.detail ?? 'echo requests stay unanswered, and nothing else was tried'}`,
      );
    if (reaches.length > 0)
      return pass('the nodes of the flow reach each other', reaches.map((reach) => `${reach.from} -> ${reach.to}`).join(', '));
    return skip('no other node in this flow');
  },
});

function faultsOf(facts: Facts, reaches: readonly NodeReach[], silent: readonly NodeReach[]): Fault[] {
  const isAlone = silent.length > 1 && silent.length === reaches.length && new Set(silent.map((reach) => reach.from)).size === 1;
  if (isAlone)
    return [
      describe(
        facts,
        silent,
        `node ${silent[0]?.from} reaches none of the nodes ${silent.map((reach) => reach.to).join(', ')}`,
        silent[0]?.from ?? '',
      ),
    ];
  return silent.map((reach) => {
    const ready = readiness(facts, reach.to);
    const because = reach.unresolved ? 'not even ARP is answered' : "neither ping nor the kubelet's port answers";
    return describe(
      facts,
      [reach],
      `node ${reach.to} (${reach.probe.target}) can't be reached from node ${reach.from}: ${because}${ready.text}`,
      reach.to,
      ready.evidence,
    );
  });
}

function describe(facts: Facts, silent: readonly NodeReach[], title: string, node: string, more: EvidenceRef[] = []): Fault {
  const pairs = new Set(silent.flatMap((reach) => [`${reach.from} ${reach.to}`, `${reach.to} ${reach.from}`]));
  const [first] = silent;
  return fault({
    title,
    where: { kind: 'Node', name: node, node },
    evidence: [...silent.flatMap((reach) => reach.evidence), ...more],
    next: [
      'kubectl get nodes -o wide',
      `kubectl describe node ${node}`,
      `kubectl debug node/${first?.from} -it --image=nicolaka/netshoot --profile=sysadmin -- ping -c 3 ${first?.probe.target}`,
    ],
    fix: [
      `see whether ${node} runs and is joined to the network; look at firewalls and security groups between ${silent.map((reach) => `${reach.from} and ${reach.to}`).join(', ')}`,
    ],
    breaks: (probe) => probe.stage !== 'node' && legsOf(facts, probe).some((leg) => pairs.has(`${leg.from.node} ${leg.to.node}`)),
  });
}

function readiness(facts: Facts, name: string): { text: string; evidence: EvidenceRef[] } {
  const node = facts.node(name);
  const ready = node?.status.conditions?.find((condition) => condition.type === 'Ready');
  if (!node || !ready || ready.status === 'True') return { text: '', evidence: [] };
  return {
    text: `, and it is NotReady ("${ready.message ?? ready.reason ?? ready.status}")`,
    evidence: [objectEvidence('node', node, '.status.conditions[?(@.type=="Ready")].message', ready.message ?? '')],
  };
}
