import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import type { Link } from '../../model/link.ts';
import { bothWays, deviceTo, hopOf, isCrossNode, type Leg, type Passage } from '../../walk/leg.ts';
import { packetOf } from '../../walk/node-rules.ts';
import { addressesOfNode, publishedVtep, vxlanHop } from '../../walk/overlay.ts';
import { describeDecision, type Stop, walk } from '../../walk/passage-rules.ts';
import { defineCheck } from '../check.ts';
import { farNodes, fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';

export const tunnelPortFiltered = defineCheck({
  meta: {
    id: 'CNI007',
    slug: 'tunnel-port-filtered',
    layer: 'cni',
    title: "A node's own firewall drops the tunnel's UDP port",
    since: '0.1.0',
    explain: {
      what: "The outer packets of the overlay (UDP 8472 for flannel and Cilium, 4789 for Calico, 6081 for Geneve) are dropped by a rule of the sending node (OUTPUT, POSTROUTING) or of the receiving one (PREROUTING, INPUT). Nodes reach each other, pods of one node reach each other, pods of different nodes don't.",
      why: "A host firewall (firewalld, ufw, a hardening script, a cloud agent) allows only the ports that it knows. A REJECT looks the same from the pods: its ICMP goes to the sending node, which doesn't pass it on.",
      confirm: [
        'iptables-save -c | grep -E "8472|4789|6081|INPUT"',
        'nft list ruleset',
        'tcpdump -ni eth0 udp port 8472   (on both nodes)',
      ],
      fix: ['Allow the UDP port between all node addresses, in both directions, on every node'],
      notThis: [
        'No rule of either node counts and the packets leave one NIC and never arrive at the other: CNI008',
        'VNI or port differ between the nodes: CNI006',
      ],
      refs: [
        'https://github.com/flannel-io/flannel/blob/master/Documentation/troubleshooting.md',
        'https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements',
      ],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => (isCrossNode(leg) && !leg.to.isNode ? bothWays(leg).map((way) => examine(facts, way)) : []),
      passed: "no rule of the nodes drops the tunnel's packets",
      by: 'iptables-save, iptables-legacy-save and nft list ruleset of the nodes of the flow, walked for the outer packet both ways',
      skipped: 'no tunnel over UDP on the way',
    }),
});

function examine(facts: Facts, way: Leg): LegFinding {
  const hop = hopOf(facts, way);
  if (hop.state !== 'seen') return unseen(hop, `routes of node ${way.from.node}`);
  const link = hop.value?.link;
  const port = link ? portOf(link) : undefined;
  if (!hop.value || !link || port === undefined) return none;
  const { node, far } = hop.value;
  const vxlan = vxlanHop(facts, hop.value, way.to.address);
  const [dst] = vxlan.state === 'seen' && vxlan.value ? vxlan.value.entries.map((entry) => entry.dst) : [];
  // Where the FDB says nothing (or something wrong), ask about the address that it should say.
  const known = addressesOfNode(facts, far);
  const to = dst !== undefined && known.includes(dst) ? dst : (publishedVtep(facts, far).publicIp ?? facts.nodeAddress(far));
  const from = link.vxlan?.local ?? facts.nodeAddress(node);
  if (to === undefined || from === undefined)
    return { state: 'unknown', reason: 'not-collected', detail: `the addresses of nodes ${node} and ${far} are not known` };
  const packet = packetOf({ source: from, destination: to, protocol: 'udp', sourcePort: outerSourcePort, destinationPort: port }, {});
  const near: Passage = {
    net: facts.nodeNet(node),
    node,
    pod: undefined,
    kind: 'out',
    in: undefined,
    out: deviceTo(facts.nodeNet(node), to),
  };
  const end: Passage = { net: facts.nodeNet(far), node: far, pod: undefined, kind: 'in', in: deviceWith(facts, far, to), out: undefined };
  const verdicts = [near, end].map((passage) => walk(passage, packet));
  const stopped = verdicts.find((verdict) => verdict.state === 'stopped');
  if (stopped?.state === 'stopped') return broken(stopped.stop, link, port);
  const doubt = verdicts.find((verdict) => verdict.state === 'unknown');
  return doubt?.state === 'unknown' ? { state: 'unknown', reason: 'unparsed', detail: doubt.detail } : fine;
}

/** The kernel picks it by the inner packet, from the local port range. */
const outerSourcePort = 45_678;

function portOf(link: Link): number | undefined {
  if (link.kind === 'vxlan') return link.vxlan?.dstport ?? 8472;
  return link.kind === 'geneve' ? Number(link.details.dstport ?? 6081) : undefined;
}

const deviceWith = (facts: Facts, node: string, address: string): string | undefined => {
  const links = facts.nodeNet(node).addresses();
  return links.state === 'seen' ? links.value.find((link) => link.addresses.some((item) => item.address === address))?.name : undefined;
};

function broken(stop: Stop, link: Link, port: number): LegFinding {
  const { passage, decision } = stop;
  const node = passage.node ?? '';
  const direction = passage.kind === 'out' ? 'sends to other nodes' : 'gets from other nodes';
  return {
    state: 'broken',
    key: `${node} ${decision.source} ${decision.line} ${passage.kind}`,
    parts: (legs) => ({
      title: `node ${node} ${stop.rejectWith ? 'rejects' : 'drops'} the tunnel packets (UDP ${port}) that it ${direction}, in ${describeDecision(decision)}: its pods and those of ${farNodes(legs, node)} can't reach each other`,
      where: { kind: 'rule', name: describeDecision(decision), node },
      evidence: [evidence(stop.entry, decision.line), evidence(`node/${node}/ip-link`, link.line)].slice(0, passage.kind === 'out' ? 2 : 1),
      next: [
        `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ${decision.source === 'nft' ? 'nft list ruleset' : `${decision.source === 'iptables-legacy' ? 'iptables-legacy-save' : 'iptables-save'} -c`}`,
      ],
      fix: [
        `allow UDP ${port} between the addresses of the nodes on ${node}, before this rule, and in the firewall's own configuration so that it stays`,
      ],
    }),
  };
}
