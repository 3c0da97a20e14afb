import type { Facts } from '../../facts/facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import type { CaptureReport } from '../../schema/capture-report.ts';
import { captured, lossesOnNodes } from '../../walk/capture/captured.ts';
import type { Leg } from '../../walk/leg.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { breaksLegs, flowLegs, isBetween } from './legs.ts';

type Loss = CaptureReport['losses'][number];

export const packetsLostOnNode = defineCheck({
  meta: {
    id: 'CNI021',
    slug: 'packets-lost-on-node',
    layer: 'cni',
    title: 'Captures see packets come into a node or pod and not leave it, and its tables do not say why',
    since: '0.1.0',
    explain: {
      what: 'With --capture a marked connection was followed at every device. Its packets come into a node (or pod) and are not seen to leave it, or the node sends them the wrong way; devices, routes, neighbours, FDB, settings and rules that were read of it would let them pass. What drops them stands somewhere else: in a program at tc or XDP (eBPF data paths, their policies), in an Open vSwitch flow, in a security module, or in the driver.',
      why: "An eBPF data path or a node security agent drops by its own policy, which no table of netfilter or of routes shows. Rarer: a network card's offload that damages packets, or a kernel bug. The kernel's drop reason and the counter that moved with the packets, where they are quoted, say which part of the kernel it was.",
      confirm: [
        'k8snet capture --from pod/CLIENT svc/NAME   (the packets themselves, hop by hop)',
        'tc -s qdisc; tc -s filter show dev DEVICE ingress; bpftool net   (on the node: programs on its devices, and what they dropped)',
        "the CNI's own tool: cilium-dbg monitor -t drop, calicoctl, ovs-appctl ofproto/trace",
      ],
      fix: ['Look at what the drop reason and the counter name first, then at the programs on the devices where the packets are last seen'],
      notThis: [
        'Lost between two nodes: CNI008, or CNI009 where the nodes do not reach each other',
        'A rule, route or setting of the node: the other checks of the pod network, which go first',
      ],
      refs: [
        'https://docs.kernel.org/networking/filter.html',
        'https://docs.cilium.io/en/stable/operations/troubleshooting/',
        'https://man7.org/linux/man-pages/man8/tc-bpf.8.html',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const report = captured(facts.snapshot);
    if (report === undefined) return skip('no packets were captured (--capture)');
    if (typeof report === 'string') return cannotTell('not-collected', `nothing was captured: ${report}`);
    const faults = lossesOnNodes(report).map((loss) => describe(facts, loss, report.arrived !== undefined));
    return faults.length > 0 ? fail(...faults) : pass('no packet is lost inside of a node', 'captures at every device of the way');
  },
});

/** `isDatagram`: of UDP there are no probes for which the tables were walked, so that those may well say why. */
function describe(facts: Facts, { tries, to, direction, where, says, dropReason, counter }: Loss, isDatagram: boolean): Fault {
  const node = where?.names.at(-1) ?? '';
  const what = direction === 'reply' ? 'the answers' : 'the requests';
  const reason = dropReason ? `; the kernel calls it ${dropReason.reason} (${dropReason.location})` : '';
  const isByRule = counter?.kind === 'rule' || counter?.kind === 'policy' || dropReason?.reason === 'NETFILTER_DROP';
  return fault({
    title: `packets are lost on node ${node}${isByRule ? ', by a rule' : ''}: ${what} of ${tries} captured tries end there: ${says}${reason}`,
    where: { kind: 'Node', name: node, node },
    evidence: [
      { command: `k8snet capture ${to.join(' ')}`, on: `node ${node}`, lines: [{ number: 1, text: says }] },
      ...(counter ? [counterEvidence(counter)] : []),
    ],
    next: [
      ...(isDatagram ? [traceCommand(facts)] : []),
      `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ${isByRule ? 'nft list ruleset' : 'tc -s qdisc'}`,
      `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- tcpdump -ni any host ${to.at(-1)?.replace(/:\d+$/, '')}`,
    ],
    fix: [
      ...(isByRule && counter ? [`take away, or correct, what counts them: ${counter.name}; where that drops nothing:`] : []),
      ...(isDatagram ? ['take away the rule, route or setting that the trace through the tables ends at; where it ends at none:'] : []),
      isByRule
        ? `find the rule of node ${node} that drops them: iptables-save -c, nft list ruleset (tables of families bridge, netdev and inet, too), a queue of a user-space program`
        : `find what drops on node ${node}, a rule that could not be judged ("Probes and tables" names it) or what no table shows: programs at tc or XDP, an Open vSwitch flow, a security agent, the driver`,
    ],
    breaks: breaksLegs(facts, legsLike(facts, to)),
  });
}

/** Through the tables, what the captured datagrams went through. */
function traceCommand({ request: { from, target }, target: { port } }: Facts): string {
  const client = from.kind === 'Pod' ? `pod/${from.namespace}/${from.name}` : `node/${from.name}`;
  return `k8snet trace --udp -n ${target.namespace} --from ${client} svc/${target.name}${port ? `:${port.port}` : ''}`;
}

/** Legs between the same nodes as those to the addresses; within one node, those legs alone. */
function legsLike(facts: Facts, to: readonly string[]): Leg[] {
  const legs = flowLegs(facts);
  const lost = legs.filter((leg) => to.includes(`${leg.to.address}:${leg.port}`));
  return legs.filter((leg) =>
    lost.some(
      ({ from, to: { node } }) =>
        lost.includes(leg) ||
        (from.node !== null && node !== null && from.node !== node && !leg.to.isNode && isBetween(leg, from.node, node)),
    ),
  );
}

const counterEvidence = ({ place, name, by, line }: NonNullable<Loss['counter']>): EvidenceRef => ({
  command: `${name} (+${by} with the probes)`,
  on: place,
  lines: [{ number: 1, text: line }],
});
