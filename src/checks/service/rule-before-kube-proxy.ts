import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import type { Decision } from '../../walk/netfilter.ts';
import { entryOfDecision, rulesetsOf, stopOf, walkForwarded } from '../../walk/node-rules.ts';
import { cannotTell, defineCheck, fail, fault, pass, skip } from '../check.ts';
import { addressOf, breaksVirtual, nameOf, type VirtualService, walkedServices } from './virtual-services.ts';

export const ruleBeforeKubeProxy = defineCheck({
  meta: {
    id: 'SVC012',
    slug: 'rule-before-kube-proxy',
    layer: 'service',
    title: "A rule of the client's node keeps what is sent to the ClusterIP from being translated",
    since: '0.1.0',
    explain: {
      what: "A rule that is not kube-proxy's stops packets to the Service's ClusterIP on the client's node, before they are translated (raw, mangle, a firewall's own nftables table) or because of the address that they were sent to (--ctorigdst), or takes them out of connection tracking (NOTRACK), without which nothing is translated. The same pods answer by their own addresses.",
      why: 'A host firewall, a security agent or a rule put in by hand that covers the Service range.',
      confirm: ['iptables-save -c | grep -iE "DROP|REJECT|NOTRACK"', 'nft list ruleset', 'iptables-legacy-save -c'],
      fix: ['Remove the rule, or let the Service range (--service-cluster-ip-range) through in the tool that wrote it'],
      notThis: ["kube-proxy's own REJECT for a Service without endpoints: SVC003 or SVC002", 'A rule that stops pod addresses too: CNI011'],
      refs: ['https://www.netfilter.org/documentation/', 'https://kubernetes.io/docs/reference/networking/virtual-ips/'],
    },
  },
  needs: (facts) => (facts.client.node === null ? [] : [rulesetsOf(facts.nodeNet(facts.client.node))]),
  judge: (facts) => {
    const node = facts.client.node;
    if (node === null || facts.client.address === undefined) return skip('there is no client');
    const onNode = facts.client.request.kind !== 'Pod' || facts.client.pod?.spec.hostNetwork === true;
    const found = walkedServices(facts).flatMap(({ virtual, walk }): Taken[] => {
      if (!('unknown' in walk) && walk.untrackedBy) return [{ virtual, decision: walk.untrackedBy, does: 'untracks' }];
      const decision = onNode ? null : stopOfVirtual(facts, node, virtual);
      return decision ? [{ virtual, decision, does: 'stops' }] : [];
    });
    if (onNode && found.length === 0) return skip('the client is the node itself');
    const byRule = new Map<string, Taken[]>();
    for (const taken of found) {
      const { decision, does } = taken;
      const key = `${does} ${decision.source} ${decision.table} ${decision.line}`;
      byRule.set(key, [...(byRule.get(key) ?? []), taken]);
    }
    if (found.length > 0) return fail(...[...byRule.values()].map((taken) => describe(facts, node, taken as [Taken, ...Taken[]])));
    const rules = rulesetsOf(facts.nodeNet(node));
    return rules.state === 'seen' && rules.complete
      ? pass(
          `no rule of node ${node} stops packets to a ClusterIP before kube-proxy's`,
          'walk through iptables-nft, iptables-legacy and nftables',
        )
      : cannotTell('not-collected', `not all rules of node ${node} were read`);
  },
});

interface Taken {
  virtual: VirtualService;
  decision: Decision;
  /** A packet that is not tracked goes on, and nothing translates it. */
  does: 'stops' | 'untracks';
}

/** The foreign rule that surely stops the packet to the virtual address, while the endpoints' own addresses pass. */
function stopOfVirtual(facts: Facts, node: string, virtual: VirtualService): Decision | null {
  const net = facts.nodeNet(node);
  const rulesets = rulesetsOf(net);
  const source = facts.client.address;
  if (rulesets.state !== 'seen' || source === undefined) return null;
  const to = (destination: string, port: number) =>
    stopOf(walkForwarded(net, rulesets.value, { source, destination, protocol: virtual.protocol, destinationPort: port }));
  const stop = to(virtual.address, virtual.port);
  if (!stop || isKubeProxys(stop.decision)) return null;
  const direct = virtual.endpoints.filter((endpoint) => endpoint.ready).map((endpoint) => to(endpoint.address, endpoint.port));
  return direct.length > 0 && direct.every((item) => item !== null) ? null : stop.decision;
}

const isKubeProxys = (decision: Decision): boolean => decision.table === 'kube-proxy' || decision.chain.startsWith('KUBE-');

function describe(facts: Facts, node: string, taken: readonly [Taken, ...Taken[]]) {
  const [{ decision, does }] = taken;
  const virtuals = taken.map(({ virtual }) => virtual);
  const names = virtuals.map((virtual) => `Service ${nameOf(virtual)} (${addressOf(virtual)})`).join(' and ');
  const breaks = virtuals.map((virtual) => breaksVirtual(facts, virtual.address));
  return fault({
    title:
      does === 'stops'
        ? `a rule in ${decision.table} ${decision.chain} of node ${node} stops what is sent to ${names}: ${decision.text}`
        : `a rule in ${decision.table} ${decision.chain} of node ${node} takes what is sent to ${names} out of connection tracking, so that it is not translated: ${decision.text}`,
    where: { kind: 'rule', name: `${decision.source} ${decision.table} ${decision.chain}: ${decision.text}`, node },
    evidence: [evidence(entryOfDecision(facts.nodeNet(node), decision), decision.line)],
    next: [
      `kubectl debug node/${node} -it --profile=sysadmin --image=nicolaka/netshoot -- ${decision.source === 'nft' ? `nft list table ${decision.family} ${decision.table}` : `iptables-save -c -t ${decision.table}`}`,
    ],
    fix: ['remove the rule, or let the Service range through in the tool that wrote it'],
    breaks: (probe) => breaks.some((broken) => broken(probe)),
  });
}
