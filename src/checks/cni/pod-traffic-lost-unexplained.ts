import type { Facts } from '../../facts/facts.ts';
import { failureEvidence } from '../../facts/probe-results.ts';
import { defineCheck, type Fault, fail, fault, pass, runCheck, skip } from '../check.ts';
import { breaksLegs, flowLegs, legsOf, pathKey } from './legs.ts';
import { byNodePair, type Lost, lostTraffic } from './lost-traffic.ts';
import { tunnelTrafficLostBetweenNodes } from './tunnel-traffic-lost.ts';

export const podTrafficLostUnexplained = defineCheck({
  meta: {
    id: 'CNI099',
    slug: 'pod-traffic-lost-unexplained',
    layer: 'cni',
    title: 'Pod traffic is lost, and nothing that was read explains it',
    since: '0.1.0',
    explain: {
      what: "Connections to a pod's own address get no answer (no refusal either), and no table that could be read says why. The layer is the pod network; the reason is in what could not be read, in the network between the nodes, or in a part of this CNI that k8snet doesn't know (eBPF programs, Open vSwitch flows, cloud routes).",
      why: "The nodes' tables were not readable (no right to create or enter node pods), the CNI forwards outside of routes and netfilter, or the loss is on the way between the nodes.",
      confirm: [
        'tcpdump -ni any host POD_IP   (on the nodes of both pods: the last place that sees the packet)',
        "The CNI's own tool: cilium-dbg monitor -t drop, calicoctl node status, ovs-appctl ofproto/trace",
      ],
      fix: [
        'Follow one packet with tcpdump at each hop, from the pod to the other pod; the first hop that does not see it is where to look',
      ],
      notThis: [
        'Refused connections: somebody answered, the network is not it',
        'The pod does not answer its own node either: the application, or rules inside the pod',
      ],
      refs: [
        'https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/',
        'https://docs.cilium.io/en/stable/operations/troubleshooting/',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    if (flowLegs(facts).length === 0) return skip('no pod was asked for anything');
    const { lost, notSeen } = lostTraffic(facts);
    const explained = runCheck(tunnelTrafficLostBetweenNodes, facts);
    const open = lost.filter(({ probe }) => explained.state !== 'fail' || !explained.faults.some((item) => item.breaks(probe)));
    const across = byNodePair(open).map(({ near, far, items }) => describeAcross(facts, near, far, items, notSeen));
    const within = open
      .filter((item) => item.leg.from.node === item.leg.to.node && isNetwork(facts, item))
      .map((item) => describeWithin(facts, item, notSeen));
    const faults = [...across, ...within];
    return faults.length > 0
      ? fail(...faults)
      : pass('no pod traffic is lost without a reason found', 'the probes to the pods, and every other CNI check');
  },
});

/** On one node a silent application looks like a silent network: only where pings are lost too, or nobody was found, is it the network. */
const isNetwork = (facts: Facts, { probe, leg }: Lost): boolean =>
  probe.tries.some((item) => item.cause === 'host-unreachable' || item.cause === 'net-unreachable') ||
  facts
    .probesOf('payload')
    .some((ping) => ping.payload?.small === false && legsOf(facts, ping).some((way) => pathKey(way) === pathKey(leg)));

const whatWasNotSeen = (notSeen: readonly string[]): string =>
  notSeen.length === 0
    ? 'the tables that were read are in order'
    : `not seen: ${notSeen.slice(0, 2).join('; ')}${notSeen.length > 2 ? ` and ${notSeen.length - 2} more` : ''}`;

function describeAcross(facts: Facts, near: string, far: string, items: readonly Lost[], notSeen: readonly string[]): Fault {
  const targets = [...new Set(items.map(({ leg }) => leg.to.address))];
  return fault({
    title: `traffic from node ${near} to ${targets.length === 1 ? `pod address ${targets[0]}` : `${targets.length} pods`} on node ${far} gets no answer, for a reason that was not found (${whatWasNotSeen(notSeen)})`,
    where: { kind: 'network', name: `${near} <-> ${far}` },
    evidence: items.slice(0, 2).map(({ probe }) => failureEvidence(probe, 1)),
    next: [near, far].map(
      (node) => `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- tcpdump -ni any host ${targets[0]}`,
    ),
    fix: [`follow one packet with tcpdump from ${near} to ${far}: the first hop that does not see it is where to look`],
    breaks: breaksLegs(
      facts,
      items.map(({ leg }) => leg),
    ),
  });
}

function describeWithin(facts: Facts, { probe, leg }: Lost, notSeen: readonly string[]): Fault {
  return fault({
    title: `pod address ${leg.to.address} gets no packets on its own node ${leg.to.node}, for a reason that was not found (${whatWasNotSeen(notSeen)})`,
    where: { kind: 'network', name: `${leg.from.address} -> ${leg.to.address}`, ...(leg.to.node === null ? {} : { node: leg.to.node }) },
    evidence: [failureEvidence(probe, 2)],
    next: [`kubectl debug node/${leg.to.node} -it --image=nicolaka/netshoot --profile=sysadmin -- tcpdump -ni any host ${leg.to.address}`],
    fix: ['follow one packet with tcpdump from one pod to the other: the first device that does not see it is where to look'],
    breaks: breaksLegs(facts, [leg]),
  });
}
