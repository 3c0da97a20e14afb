import { type EvidenceRef, evidence } from '../model/evidence.ts';
import type { DifferenceKind } from './compare.ts';
import { fixOf, nextOf, titleOf } from './finding-words.ts';
import type { Origin } from './flows.ts';
import type { Front } from './node-plan.ts';
import { comparePeers, describeFront, type PeersOf, serviceName } from './peers.ts';
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

/** One finding for each cause on each node; faults first. What settles is told apart from what should have settled by now. */
export function findingsOf(cluster: ClusterVerification): VerifyFinding[] {
  const peersOf = comparePeers(cluster);
  const findings = cluster.nodes.flatMap((result) => {
    if (result.verification === null) return [];
    const groups = new Map<string, Verified[]>();
    for (const item of result.verification.differences) {
      const { kind, cause } = item.explained;
      const severity = severityOf(result, kind, item.front, peersOf(result, [item.front], kind).right);
      const key = `${severity} ${kind} ${cause}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
    return [...[...groups.values()].map((group) => toFinding(result, group, peersOf)), ...staleFinding(cluster, result)];
  });
  const order: readonly FindingSeverity[] = ['fault', 'settling', 'note'];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || b.fronts.length - a.fronts.length);
}

function toFinding(result: NodeResult, group: readonly Verified[], peersOf: PeersOf): VerifyFinding {
  const [first] = group as [Verified, ...Verified[]];
  const { kind } = first.explained;
  const fronts = [...new Set(group.map(({ front }) => front))];
  const peers = peersOf(result, fronts, kind);
  const severity = severityOf(result, kind, first.front, peersOf(result, [first.front], kind).right);
  const settling =
    severity === 'settling'
      ? `; still settling: the API changed ${ageOf(result, first.front)} s before, and kube-proxy may take ${result.syncPeriod} s`
      : '';
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
    next: nextOf(result.node, fronts[0] as Front, kind, from),
    fix: fixOf(kind, result.node),
  };
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
function severityOf(result: NodeResult, kind: DifferenceKind, front: Front, peersRight: readonly string[]): FindingSeverity {
  if (kind === 'stopped-after') return 'note';
  if (!mayFollowLate.has(kind) || result.silent) return 'fault';
  const age = ageOf(result, front);
  return age >= result.syncPeriod || (peersRight.length > 0 && age >= peersDoneSeconds) ? 'fault' : 'settling';
}

/** Seconds since the last change of a front's Service; what is not known is old. */
const ageOf = (result: NodeResult, front: Front): number => Math.round(result.ages.of(front.planned.port) ?? Number.POSITIVE_INFINITY);

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
      fix: fixOf('stale-front', result.node),
    },
  ];
}

const placeOf = ({ address, port, protocol }: StaleFront): string =>
  `${address === null ? `NodePort ${port}` : endpointKey(address, port)}/${protocol}`;
