import type { Facts } from '../../facts/facts.ts';
import { failureEvidence } from '../../facts/probe-results.ts';
import type { ConntrackFlow } from '../../model/conntrack.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { captured, lossesBetween, lossesOnNodes } from '../../walk/capture/captured.ts';
import { hopOf, isTunnel, type Leg } from '../../walk/leg.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { breaksLegs, flowLegs, isBetween, nothingPasses } from './legs.ts';
import { byNodePair, type Lost, lostTraffic } from './lost-traffic.ts';
import { nodeReaches } from './node-reach.ts';

export const tunnelTrafficLostBetweenNodes = defineCheck({
  meta: {
    id: 'CNI008',
    slug: 'tunnel-traffic-lost-between-nodes',
    layer: 'cni',
    title: 'Pod traffic is lost between two nodes whose own tables are in order',
    since: '0.1.0',
    explain: {
      what: "Two nodes reach each other, and traffic between their pods is lost. Devices, routes, neighbours, FDB, settings and rules of both nodes were read and are in order, so that what is left is the network between them: it passes the nodes' own packets and drops the tunnel's (or, without a tunnel, packets with pod addresses).",
      why: "A cloud security group, a firewall between racks or a hypervisor (NSX on 4789 and 8472) doesn't let the tunnel's UDP port pass, in one direction or both; without a tunnel: the source/destination check of a cloud network card, or its anti-spoofing.",
      confirm: [
        'tcpdump -ni eth0 udp port 8472   (on both nodes at once: leaves one, never arrives at the other)',
        'ip -s link show flannel.1   (TX rises on one, RX does not on the other)',
      ],
      fix: [
        "Allow the tunnel's UDP port between all node addresses in both directions, in the security groups and firewalls between the nodes",
        'Without a tunnel: turn off the source/destination check of the network cards, or give the cloud a route for each pod range',
      ],
      notThis: [
        'A rule on one of the nodes: CNI007',
        'The nodes do not reach each other at all: CNI009',
        'Small packets arrive and large ones do not: CNI016',
      ],
      refs: [
        'https://github.com/flannel-io/flannel/blob/master/Documentation/troubleshooting.md',
        'https://github.com/flannel-io/flannel/issues/2388',
        'https://github.com/projectcalico/calico/issues/8166',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    if (!flowLegs(facts).some((leg) => leg.from.node !== leg.to.node && !leg.to.isNode))
      return skip('no traffic between nodes in this flow');
    const { lost, notSeen } = lostTraffic(facts);
    const pairs = byNodePair(lost).filter(
      ({ near, far }) =>
        isSeenBetween(facts, near, far) || (nothingPasses(facts, near, far, hasPodAddresses(facts)) && !isSeenToArrive(facts, near, far)),
    );
    if (pairs.length === 0)
      return pass(
        'no traffic between nodes is lost without a reason found',
        'the probes to the pods of other nodes, and every other CNI check',
      );
    const [unseen] = notSeen;
    if (unseen !== undefined)
      return cannotTell('not-collected', `traffic between nodes is lost, and not everything that can be the reason was seen: ${unseen}`);
    const faults = pairs.flatMap(({ near, far, items }) => describe(facts, near, far, items));
    return faults.length > 0 ? fail(...faults) : cannotTell('not-collected', 'whether the nodes reach each other at all was not tried');
  },
});

function describe(facts: Facts, near: string, far: string, items: readonly Lost[]): Fault[] {
  const reach = nodeReaches(facts).find((item) => (item.from === near && item.to === far) || (item.from === far && item.to === near));
  const first = items.find(({ leg }) => leg.from.pod) ?? items[0];
  if (reach?.state !== 'answers' || !first) return [];
  const hop = hopOf(facts, first.leg);
  const link = hop.state === 'seen' ? hop.value?.link : undefined;
  const tunnel = link && isTunnel(link) ? link : undefined;
  const port = tunnel?.vxlan?.dstport;
  const what = tunnel ? `tunnel packets (${tunnel.name}${port === undefined ? '' : `, UDP ${port}`})` : 'packets with pod addresses';
  const direction = capturedDirection(facts, near, far) ?? directionOf(facts, items, near, far);
  const way = direction ? `from ${direction.from} to ${direction.to}` : `between ${near} and ${far}, in one direction or both`;
  return [
    fault({
      title: `${what} are lost on the network ${way}: both nodes' devices, routes and rules are in order, and the nodes reach each other`,
      where: {
        kind: 'network',
        name: direction
          ? `${direction.from} -> ${direction.to}${port === undefined ? '' : ` udp ${port}`}`
          : `${near} <-> ${far}${port === undefined ? '' : ` udp ${port}`}`,
      },
      evidence: [failureEvidence(first.probe, 1), ...reach.evidence, ...(direction?.evidence ?? [])],
      next: [
        `kubectl debug node/${far} -it --image=nicolaka/netshoot --profile=sysadmin -- tcpdump -ni any ${port === undefined ? `net ${facts.node(near)?.spec.podCIDR ?? first.leg.from.address}` : `udp port ${port}`}`,
        `kubectl debug node/${near} -it --image=nicolaka/netshoot --profile=sysadmin -- tcpdump -ni any ${port === undefined ? `net ${facts.node(far)?.spec.podCIDR ?? first.leg.to.address}` : `udp port ${port}`}`,
      ],
      fix: [
        tunnel
          ? `allow UDP ${port ?? '(the tunnel port)'} ${way.replace(', in one direction or both', ', both ways')} in the security groups and firewalls between the nodes`
          : "turn off the source/destination check (anti-spoofing) of the nodes' network cards, or make the network route the pod ranges",
      ],
      breaks: breaksLegs(facts, pairLegs(facts, near, far)),
    }),
  ];
}

/** What a node sends with its own address is no pod traffic: a network that drops pod addresses lets it pass. Through a tunnel it has the tunnel's address. */
const hasPodAddresses =
  (facts: Facts) =>
  (leg: Leg): boolean =>
    !leg.from.isNode || leg.from.node === null || leg.from.address !== facts.nodeAddress(leg.from.node);

/** Captures saw them leave one node and not come to the other: all of them, or a part. */
function isSeenBetween(facts: Facts, near: string, far: string): boolean {
  const report = captured(facts.snapshot);
  return report !== undefined && typeof report !== 'string' && lossesBetween(report, near, far).length > 0;
}

/** Captures saw them come in, and end on a node. */
function isSeenToArrive(facts: Facts, near: string, far: string): boolean {
  const report = captured(facts.snapshot);
  if (report === undefined || typeof report === 'string') return false;
  return lossesOnNodes(report).some(({ where }) => where?.names.some((name) => name === near || name === far));
}

const pairLegs = (facts: Facts, near: string, far: string): Leg[] =>
  flowLegs(facts).filter((leg) => !leg.to.isNode && isBetween(leg, near, far) && hasPodAddresses(facts)(leg));

interface Direction {
  from: string;
  to: string;
  evidence: EvidenceRef[];
}

/** Which way is lost, by captures on both nodes; the counters of none moved with it, or one does and is quoted. */
function capturedDirection(facts: Facts, near: string, far: string): Direction | null {
  const report = captured(facts.snapshot);
  const [loss, ...more] = report === undefined || typeof report === 'string' ? [] : lossesBetween(report, near, far);
  const [from, to] = loss?.where?.names ?? [];
  if (!loss || from === undefined || to === undefined || more.some(({ where }) => where?.names[0] !== from)) return null;
  const lines = [loss.says, ...(loss.counter ? [`${loss.counter.place}: ${loss.counter.name} +${loss.counter.by}`] : [])];
  const quote = { command: `k8snet capture ${loss.to.join(' ')}`, on: `nodes ${from} and ${to}` };
  return { from, to, evidence: [{ ...quote, lines: lines.map((text, index) => ({ number: index + 1, text })) }] };
}

/**
 * Which way is lost, by one connection in the tracking of both nodes: where the far node knows the near one's unanswered SYN, it arrived, and
 * the answer is lost. That it did not arrive is only said while an entry there would still be alive: SYN_RECV lasts 60 s of the near entry's
 * 120 (nf_conntrack_tcp_timeout_syn_recv and _syn_sent).
 */
function directionOf(facts: Facts, items: readonly Lost[], near: string, far: string): Direction | null {
  for (const { leg } of items) {
    if (leg.from.node !== near || leg.protocol !== 'tcp') continue;
    const there = flowsOf(facts, far, leg);
    const open = flowsOf(facts, near, leg)?.flows.filter((flow) => flow.state === 'SYN_SENT' && flow.unreplied) ?? [];
    for (const sent of open) {
      const arrived = there?.flows.find((flow) => flow.original.sport === sent.original.sport);
      if (arrived)
        return {
          from: far,
          to: near,
          evidence: [evidence(`node/${near}/conntrack`, sent.line), evidence(`node/${far}/conntrack`, arrived.line)],
        };
    }
    const young = open.find((flow) => (flow.timeout ?? 0) > 65);
    if (young && there?.complete)
      return { from: near, to: far, evidence: [evidence(`node/${near}/conntrack`, young.line), evidence(`node/${far}/conntrack`)] };
  }
  return null;
}

function flowsOf(facts: Facts, node: string, leg: Leg): { flows: ConntrackFlow[]; complete: boolean } | null {
  const table = facts.nodeNet(node).conntrack();
  if (table.state !== 'seen') return null;
  return {
    flows: table.value.flows.filter(
      (flow) => flow.original.src === leg.from.address && flow.original.dst === leg.to.address && flow.original.dport === leg.port,
    ),
    complete: table.complete,
  };
}
