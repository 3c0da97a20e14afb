import { type EvidenceRef, evidence } from '../model/evidence.ts';
import type { DifferenceKind } from './compare.ts';
import type { Origin } from './flows.ts';
import type { Front } from './node-plan.ts';
import { endpointKey } from './service-ports.ts';
import type { StaleFront, Verified } from './verification.ts';
import type { ClusterVerification, NodeResult } from './verify-cluster.ts';

/** A fault has to be mended; what settles is too young to tell; a note is odd, or not kube-proxy's doing. */
export type FindingSeverity = 'fault' | 'settling' | 'note';

/** All that one cause does on one node. */
export interface VerifyFinding {
  kind: DifferenceKind;
  severity: FindingSeverity;
  node: string;
  family: 'IPv4' | 'IPv6';
  title: string;
  why: string;
  /** `namespace/name:port`. */
  services: string[];
  /** `ClusterIP 10.96.0.10:53/udp`. */
  fronts: string[];
  from: Origin[];
  evidence: EvidenceRef[];
  /** Other nodes with the same Services: those that do as the API means, and those that do the same wrong. */
  peersRight: string[];
  peersAlike: string[];
  next: string[];
  fix: string[];
}

/** kube-proxy writes a change within its shortest period (`minSyncPeriod`, 1 s); twice that, and other nodes having done it, is no delay any more. */
const peersDoneSeconds = 2;

/** One finding for each cause on each node; faults first. */
export function findingsOf(cluster: ClusterVerification): VerifyFinding[] {
  const findings = cluster.nodes.flatMap((result) => {
    if (result.verification === null) return [];
    const groups = new Map<string, Verified[]>();
    for (const item of result.verification.differences) {
      const key = `${item.explained.kind} ${item.explained.cause}`;
      groups.set(key, [...(groups.get(key) ?? []), item]);
    }
    return [...[...groups.values()].map((group) => toFinding(cluster, result, group)), ...staleFinding(cluster, result)];
  });
  const order: readonly FindingSeverity[] = ['fault', 'settling', 'note'];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || b.fronts.length - a.fronts.length);
}

function toFinding(cluster: ClusterVerification, result: NodeResult, group: readonly Verified[]): VerifyFinding {
  const [first] = group as [Verified, ...Verified[]];
  const { kind } = first.explained;
  const fronts = [...new Set(group.map(({ front }) => front))];
  const peers = peersOf(cluster, result, fronts, kind);
  const [settling, severity] = severityOf(result, kind, fronts, peers.right);
  const why = [...new Set(group.map(({ explained }) => explained.why))].slice(0, 2).join('; ');
  const from = [...new Set(group.flatMap(({ flow }) => flow?.from ?? []))];
  return {
    kind,
    severity,
    node: result.node,
    family: result.family === 'ip' ? 'IPv4' : 'IPv6',
    title: `${titleOf(result.node, first, fronts, why, from)}${settling}`,
    why,
    services: [...new Set(fronts.map(serviceName))].sort(),
    fronts: fronts.map(describeFront),
    from,
    evidence: evidenceOf(group, fronts),
    peersRight: peers.right,
    peersAlike: peers.alike,
    next: nextOf(result.node, fronts[0] as Front),
    fix: fixes[kind].map((step) => step.replaceAll('NODE', result.node)),
  };
}

/** One sentence: what the node does, to which Services, and the proof in short. */
function titleOf(
  node: string,
  { flow, difference, explained }: Verified,
  fronts: readonly Front[],
  why: string,
  from: readonly Origin[],
): string {
  const [front, ...others] = fronts.map(describeFront);
  const subject = others.length === 0 ? `${front}` : `${fronts.length} Service addresses (${front}, …)`;
  const it = `node ${node}: ${subject}`;
  switch (explained.kind) {
    case 'missing':
      return `node ${node}: nothing ${difference.should.startsWith('to be translated') || flow === null ? 'translates' : 'refuses'} ${subject}: ${why}`;
    case 'unhooked':
      return `node ${node}: no packet comes to the rules for ${subject}: ${why}`;
    case 'shadowed':
      return `node ${node}: another rule takes packets to ${subject} before kube-proxy's do: ${why}`;
    case 'stopped-after':
      return `${it} ${others.length === 0 ? 'is' : 'are'} translated as meant, and then stopped: ${why}`;
    case 'doubled':
    case 'stale-endpoint':
    case 'missing-endpoint':
      return `${it} ${difference.is}`;
    default:
      return `${it} ${difference.is}; it ought ${difference.should}${from.length === 0 ? '' : ` (from ${from.map((origin) => originWords[origin]).join(', ')})`}`;
  }
}

const originWords: Record<Origin, string> = {
  pod: 'a pod of the node',
  endpoint: 'an endpoint to itself',
  node: 'the node itself',
  outside: 'outside',
  barred: 'outside of the source ranges',
};

const serviceName = ({ planned: { port } }: Front): string =>
  `${port.namespace}/${port.name}${port.portName === '' ? '' : `:${port.portName}`}`;

/** `ClusterIP 10.96.0.10:53/udp of kube-system/kube-dns:dns`. */
export const describeFront = (front: Front): string =>
  `${front.kind} ${front.address === null ? front.port : endpointKey(front.address, front.port)}/${front.protocol} of ${serviceName(front)}`;

/** Other nodes of the same family that have the same fronts. */
function peersOf(
  cluster: ClusterVerification,
  result: NodeResult,
  fronts: readonly Front[],
  kind: DifferenceKind,
): { right: string[]; alike: string[] } {
  const wanted = new Set(fronts.map(describeFront));
  const others = cluster.nodes.filter(
    (other) => other.node !== result.node && other.family === result.family && other.verification !== null,
  );
  const [right, alike]: [string[], string[]] = [[], []];
  for (const { node, verification } of others) {
    if (verification === null) continue;
    const same = verification.differences.filter(({ front }) => wanted.has(describeFront(front)));
    const doubtful = [...verification.unknown.values()].some((list) => [...list].some((front) => wanted.has(describeFront(front))));
    if (same.some((item) => item.explained.kind === kind)) alike.push(node);
    else if (same.length === 0 && !doubtful && verification.fronts.some((front) => wanted.has(describeFront(front)))) right.push(node);
  }
  return { right, alike };
}

/** Kinds that a change of the API, not written yet, may cause. */
const mayFollowLate: ReadonlySet<DifferenceKind> = new Set([
  'missing',
  'stale-endpoint',
  'missing-endpoint',
  'wrong-verdict',
  'wrong-affinity',
  'wrong-masquerade',
]);

/**
 * A change younger than kube-proxy's sync period may still be on its way, unless kube-proxy of this node does not answer, or other nodes
 * have written it already and this one has had time for that.
 */
function severityOf(
  result: NodeResult,
  kind: DifferenceKind,
  fronts: readonly Front[],
  peersRight: readonly string[],
): [string, FindingSeverity] {
  if (kind === 'stopped-after') return ['', 'note'];
  if (!mayFollowLate.has(kind) || result.silent) return ['', 'fault'];
  const ages = fronts.map((front) => result.ages.of(front.planned.port));
  const oldest = Math.max(...ages.map((age) => age ?? Number.POSITIVE_INFINITY));
  if (oldest >= result.syncPeriod || (peersRight.length > 0 && oldest >= peersDoneSeconds)) return ['', 'fault'];
  return [`; still settling: the API changed ${Math.round(oldest)} s before, and kube-proxy may take ${result.syncPeriod} s`, 'settling'];
}

const mostLines = 8;

/** The lines of each output, at most eight: those of every different reason first, then those of further fronts with the same one. */
function evidenceOf(group: readonly Verified[], fronts: readonly Front[]): EvidenceRef[] {
  const lines = new Map<string, Set<number>>();
  const told = new Set<string>();
  const first = group.filter(({ explained }) => !told.has(explained.why) && told.add(explained.why));
  for (const { explained } of [...first, ...group]) {
    for (const ref of explained.evidence) {
      if (!('entry' in ref)) continue;
      const known = lines.get(ref.entry) ?? new Set<number>();
      for (const line of ref.lines) if (known.size < mostLines) known.add(line);
      lines.set(ref.entry, known);
    }
  }
  const quoted = [...lines].map(([entry, numbers]) => evidence(entry, ...[...numbers].sort((a, b) => a - b)));
  const [front] = fronts;
  return front === undefined ? quoted : [...quoted, ofApi(front)];
}

/** What the API says: the endpoints of the first front, by the command that shows them. */
function ofApi({ planned: { port, endpoints } }: Front): EvidenceRef {
  const words = endpoints.map(
    ({ address, port: number, ready, serving, terminating, nodeName }) =>
      `${endpointKey(address, number)} ${ready ? 'ready' : serving && terminating ? 'serving, terminating' : 'not ready'}${nodeName === null ? '' : ` on ${nodeName}`}`,
  );
  return {
    command: `kubectl get endpointslices -n ${port.namespace} -l kubernetes.io/service-name=${port.name} -o yaml`,
    on: 'API server',
    lines: (words.length > 0 ? words : ['no endpoints'])
      .slice(0, 8)
      .map((text, index) => ({ number: index + 1, text: `endpoint ${text}` })),
  };
}

/** Nothing tells when a Service went: that it is gone for long shows in that other nodes have followed. */
function staleFinding(cluster: ClusterVerification, result: NodeResult): VerifyFinding[] {
  const stale = result.verification?.stale ?? [];
  const [first] = stale;
  if (first === undefined) return [];
  const others = cluster.nodes.filter(
    (other) => other.node !== result.node && other.family === result.family && other.verification !== null,
  );
  const has = (other: NodeResult): boolean => (other.verification?.stale ?? []).some((item) => placeOf(item) === placeOf(first));
  const right = others.filter((other) => !has(other)).map(({ node }) => node);
  return [
    {
      kind: 'stale-front',
      severity: result.silent || right.length > 0 ? 'fault' : 'note',
      node: result.node,
      family: result.family === 'ip' ? 'IPv4' : 'IPv6',
      title: `${result.node}: ${stale.length === 1 ? placeOf(first) : `${stale.length} addresses (${placeOf(first)}, …)`} ${stale.length === 1 ? 'is' : 'are'} still translated, and no Service has ${stale.length === 1 ? 'it' : 'them'}`,
      why: `"${first.text}"`,
      services: [],
      fronts: stale.map(placeOf),
      from: [],
      evidence: [evidence(first.entry, ...stale.slice(0, 8).map(({ line }) => line))],
      peersRight: right,
      peersAlike: others.filter(has).map(({ node }) => node),
      next: [`kubectl get services -A | grep -w ${first.address ?? first.port}`],
      fix: fixes['stale-front'].map((step) => step.replaceAll('NODE', result.node)),
    },
  ];
}

const placeOf = ({ address, port, protocol }: StaleFront): string =>
  `${address === null ? `NodePort ${port}` : endpointKey(address, port)}/${protocol}`;

const nextOf = (node: string, { planned: { port } }: Front): string[] => [
  `k8snet diagnose svc/${port.name} -n ${port.namespace} --from node/${node}`,
  `kubectl get pods -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=${node} -o wide`,
];

const restart =
  'Restart kube-proxy on NODE, which writes all of its rules anew: `kubectl delete pod -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=NODE`';
const fixes: Record<DifferenceKind, readonly string[]> = {
  missing: [restart, 'If it stays: read its log for a failing restore or a lost connection to the API server'],
  unhooked: [
    restart,
    'Find what flushes the built-in chains (firewalld, ufw, an iptables-restore without --noflush), and make it leave them alone',
  ],
  shadowed: ['Take the quoted rule away, or let it leave the Service range alone; kube-proxy never removes rules of others'],
  'stale-endpoint': [restart, 'If it stays: kube-proxy does not see the API server; read its log'],
  'missing-endpoint': [restart],
  'wrong-verdict': [restart],
  'wrong-masquerade': [restart, 'Compare clusterCIDR and detectLocalMode of the ConfigMap kube-system/kube-proxy with the pod network'],
  'wrong-affinity': [restart],
  doubled: ['Remove what the other mode or backend has left: kube-proxy --cleanup with its image and mode, or a reboot of NODE'],
  'stale-front': [restart],
  'stopped-after': ['Not a matter of kube-proxy: ask k8snet diagnose'],
};
