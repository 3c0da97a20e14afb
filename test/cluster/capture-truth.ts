import type { CaptureReport } from '../../src/schema/capture-report.ts';

/**
 * Where capture alone has to find the packets of a fault lost, from the client pod on n1; by the fault's id. `reasons` are what the kernel may call it
 * (6.18, skb:kfree_skb); left out where it gives no reason of its own. In both modes of kube-proxy, but for those below.
 */
export interface CaptureTruth {
  /** `any`: lost at first, and refused with an ICMP error when the kernel has given up. `unseen`: no place may be named, see there. */
  kind: 'lost' | 'refused' | 'any' | 'unseen';
  direction: 'request' | 'reply';
  where: { kind: 'pod' | 'node' | 'pod-link' | 'between'; names: string[] }[];
  reasons?: string[];
  /** Counters that may agree (the kernel's, 6.18, or those of the fault's own rule); one of them has to, unless `mayCount`. Left out where nothing counts it. */
  counters?: RegExp;
  /** The counter is there only sometimes: neighbours that others asked for before, and that are given up already. */
  mayCount?: true;
}

const lost = (
  direction: 'request' | 'reply',
  kind: 'node' | 'between' | 'pod-link' | 'pod',
  names: string[],
  ...reasons: string[]
): CaptureTruth => ({
  kind: 'lost',
  direction,
  where: [{ kind, names }],
  ...(reasons.length > 0 ? { reasons } : {}),
});

/** The node gives up its neighbour after three seconds, and says so to the sender. */
const unreachable = (names: string[], ...reasons: string[]): CaptureTruth => ({
  ...lost('request', 'node', names, ...reasons),
  kind: 'any',
});

const unseen: CaptureTruth = { kind: 'unseen', direction: 'request', where: [] };

export const captureTruths: Record<string, CaptureTruth> = {
  'cni-fw-between': lost('request', 'between', ['n1', 'n2']),
  'cni-fw-between-back': lost('reply', 'between', ['n2', 'n1']),
  'cni-loss-between': lost('request', 'between', ['n1', 'n2']),
  // The checksum of the outer UDP header is over the inner packet too.
  'cni-corrupt-between': { ...lost('request', 'between', ['n1', 'n2'], 'UDP_CSUM'), counters: /^UdpInCsumErrors$/ },
  'cni-reply-asymmetric': lost('reply', 'between', ['n2', 'n1']),
  'cni-node-cut': { ...lost('request', 'between', ['n1', 'n2']), counters: /^neighbour 192.168.1.12 /, mayCount: true },
  'cni-node-unreachable': { ...lost('request', 'between', ['n1', 'n2']), counters: /^neighbour 192.168.1.12 /, mayCount: true },
  'cni-vxlan-vni': lost('request', 'node', ['n2'], 'VXLAN_VNI_NOT_FOUND'),
  'cni-vxlan-port': { ...lost('request', 'node', ['n2'], 'NO_SOCKET'), counters: /^UdpNoPorts$/ },
  'cni-vxlan-down': lost('request', 'node', ['n1']),
  'cni-vxlan-down-backend': { ...lost('request', 'node', ['n2'], 'NO_SOCKET'), counters: /^UdpNoPorts$/ },
  'cni-vtep-mac-changed': { ...lost('request', 'node', ['n2'], 'OTHERHOST'), counters: /^flannel.1 rx otherhost$/ },
  'cni-rp-filter': { ...lost('request', 'node', ['n2'], 'IP_RPFILTER'), counters: /^TcpExtIPReversePathFilter$/ },
  'cni-forward-drop': { ...lost('request', 'node', ['n1'], 'NETFILTER_DROP'), counters: /^filter FORWARD policy DROP$/ },
  'cni-forward-drop-nft': lost('request', 'node', ['n1'], 'NETFILTER_DROP'),
  'cni-forward-drop-legacy': { ...lost('request', 'node', ['n1'], 'NETFILTER_DROP'), counters: /^filter FORWARD: .*DROP/ },
  'cni-fw-vxlan': { ...lost('request', 'node', ['n2'], 'NETFILTER_DROP'), counters: /^filter INPUT: .*8472 -j DROP/ },
  'cni-fw-vxlan-out': { ...lost('request', 'node', ['n1'], 'NETFILTER_DROP'), counters: /^filter OUTPUT: .*8472 -j DROP/ },
  'cni-tc-drop': { ...lost('request', 'node', ['n2'], 'TC_INGRESS'), counters: /^flannel.1 clsact .* dropped$/ },
  'cni-ip-forward-client': { ...lost('request', 'node', ['n1'], 'IP_INADDRERRORS'), counters: /^IpInAddrErrors$/ },
  'cni-ip-forward-backend': { ...lost('request', 'node', ['n2'], 'IP_INADDRERRORS'), counters: /^IpInAddrErrors$/ },
  'cni-route-missing': lost('request', 'node', ['n1']),
  'cni-route-blackhole': lost('request', 'node', ['n1']),
  'cni-return-route-missing': lost('reply', 'node', ['n2']),
  'cni-neighbour-missing': { ...unreachable(['n1'], 'NEIGH_FAILED'), counters: /^neighbour 10.244.2.0 /, mayCount: true },
  'cni-neighbour-wrong': {
    ...lost('request', 'node', ['n1'], 'NO_TX_TARGET', 'VXLAN_NO_REMOTE'),
    counters: /^flannel.1 tx (dropped|errors)$/,
  },
  'cni-fdb-missing': { ...lost('request', 'node', ['n1'], 'NO_TX_TARGET', 'VXLAN_NO_REMOTE'), counters: /^flannel.1 tx (dropped|errors)$/ },
  'cni-fdb-wrong': { ...lost('request', 'node', ['n1'], 'NEIGH_FAILED'), counters: /^neighbour 192.168.1.99 /, mayCount: true },
  'cni-pod-veth-down': { ...unreachable(['n2'], 'NEIGH_FAILED'), counters: /^neighbour 10.244.2.[0-9]+ /, mayCount: true },
  'cni-pod-veth-off-bridge': { ...unreachable(['n2'], 'NEIGH_FAILED'), counters: /^neighbour 10.244.2.[0-9]+ /, mayCount: true },
  'cni-pod-no-route': { ...lost('reply', 'pod', ['n2']), counters: /^IpOutNoRoutes$/ },
  'cni-client-no-route': { ...lost('request', 'pod', ['n1']), counters: /^IpOutNoRoutes$/ },
  'cni-backend-policy-drop': { ...lost('request', 'node', ['n2'], 'NETFILTER_DROP'), counters: /: .*DROP/ },
  'cni-backend-policy-drop-n3': { ...lost('request', 'node', ['n3'], 'NETFILTER_DROP'), counters: /: .*DROP/ },
  'cni-mtu': { ...lost('request', 'node', ['n1'], 'PKT_TOO_BIG'), counters: /^IpFragFails$/ },
  'rule-mangle-drop': { ...lost('request', 'node', ['n1'], 'NETFILTER_DROP'), counters: /^mangle PREROUTING: .*DROP/ },
  'rule-raw-drop': { ...lost('request', 'node', ['n1'], 'NETFILTER_DROP'), counters: /^raw PREROUTING: .*DROP/ },
  'rule-nft-drop': { ...lost('request', 'node', ['n1'], 'NETFILTER_DROP'), counters: /^nft inet hostfw prerouting: .*drop/ },
  'rule-forward-reject': {
    kind: 'refused',
    direction: 'request',
    where: [{ kind: 'node', names: ['n1'] }],
    reasons: ['NETFILTER_DROP'],
    counters: /^filter FORWARD: .*REJECT/,
  },
  'proxy-rule-missing': lost('request', 'node', ['n1']),
  'proxy-jump-flushed': lost('request', 'node', ['n1']),
  'bridge-nf-off': lost('reply', 'node', ['n1'], 'NO_SOCKET'),
  'proxy-chain-flushed': lost('request', 'node', ['n1']),
  'proxy-dead-no-rules': lost('request', 'node', ['n1']),
  // The request is as long as a packet, the answer as the application makes it: that the way back is narrower is seen by the size probes.
  'cni-mtu-reply': unseen,
  'cni-mtu-underlay': unseen,
  // No new connection comes to the node, that of a probe's exec neither.
  'conntrack-full': unseen,
  'two-tunnel-and-policy': {
    ...lost('request', 'node', ['n2'], 'NETFILTER_DROP'),
    where: [
      { kind: 'node', names: ['n2'] },
      { kind: 'node', names: ['n3'] },
    ],
    counters: /DROP/,
  },
};

/** In nftables mode kube-proxy rejects what is addressed to the Service range and is translated to nothing; the kernel bounds the rate of such errors. */
const nftablesTruths: Record<string, CaptureTruth> = {
  'proxy-jump-flushed': unreachable(['n1'], 'NETFILTER_DROP'),
  'proxy-rule-missing': unreachable(['n1'], 'NETFILTER_DROP'),
  'proxy-chain-flushed': unreachable(['n1'], 'NETFILTER_DROP'),
  'proxy-dead-no-rules': unreachable(['n1'], 'NETFILTER_DROP'),
};

/** The truth of a fault in a mode of kube-proxy. */
export const captureTruth = (fault: string, mode: string): CaptureTruth | undefined =>
  (mode === 'nftables' ? nftablesTruths[fault] : undefined) ?? captureTruths[fault];

export type Mark = 'right' | 'wrong' | 'n/a';

/**
 * Every loss has to be where the truth says, and one at least has to be found; `unknown` names nothing, and is not right either. A reason or a counter is wrong
 * where it is not one of the truth's, and where the truth has one and none is named.
 */
export function markCapture(truth: CaptureTruth, report: CaptureReport): { capture: Mark; dropReason: Mark; counters: Mark } {
  if (truth.kind === 'unseen')
    return { capture: report.losses.every(({ kind }) => kind === 'unknown') ? 'n/a' : 'wrong', dropReason: 'n/a', counters: 'n/a' };
  const isRight = (loss: CaptureReport['losses'][number]): boolean =>
    (truth.kind === 'any' ? loss.kind !== 'unknown' : loss.kind === truth.kind) &&
    loss.direction === truth.direction &&
    truth.where.some(({ kind, names }) => loss.where?.kind === kind && names.every((name) => loss.where?.names.includes(name)));
  const right = report.losses.length > 0 && report.losses.every(isRight);
  const reasons = report.losses.flatMap(({ dropReason }) => dropReason?.reason ?? []);
  const counters = report.losses.flatMap(({ counter }) => counter?.name ?? []);
  return {
    capture: right ? 'right' : 'wrong',
    dropReason: markNames(reasons, truth.reasons && ((reason) => truth.reasons?.includes(reason) === true)),
    counters:
      truth.mayCount && counters.length === 0
        ? 'n/a'
        : markNames(counters, truth.counters && ((name) => truth.counters?.test(name) === true)),
  };
}

function markNames(named: readonly string[], isTrue: ((name: string) => boolean) | undefined): Mark {
  if (isTrue === undefined && named.length === 0) return 'n/a';
  return isTrue && named.length > 0 && named.every(isTrue) ? 'right' : 'wrong';
}
