import type { Layer, Place, Report } from '../schema/report.ts';
import type { VerifyReport } from '../schema/verify.ts';
import { groupBy } from './group.ts';

export const LAYER_NAMES: Record<Layer, string> = { dns: 'DNS', service: 'Service', cni: 'CNI', app: 'application' };

const ACCESS_NAMES: Record<Report['coverage']['access'], string> = {
  'node-pod': 'pods of its own on the nodes',
  'host-network-pod': 'hostNetwork pods that were there already',
  'client-pod': 'the client pod',
  api: 'the API only',
  recording: 'a recording',
};

/** "fdb-entry 02:00:00:00:00:02 on node n1", "Service default/my-service". */
export function describePlace({ kind, namespace, name, node }: Place): string {
  const on = node === undefined || (kind === 'Node' && name === node) ? '' : ` on node ${node}`;
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}${on}`;
}

/** "svc/my-service -n default, port 80 (ClusterIP 10.96.251.77)"; without the addresses where all is well. */
export function describeTarget({ target, verdict }: Report): string {
  const port = target.port === null ? '' : `, port ${target.port}`;
  const addresses = target.clusterIPs.length === 0 || verdict.status === 'healthy' ? '' : ` (ClusterIP ${target.clusterIPs.join(', ')})`;
  return `${shortKind(target.kind)}/${target.name} -n ${target.namespace}${port}${addresses}`;
}

/** "pod default/client on node n1", or that there was no client. */
export function describeClient({ from }: Report): string {
  if (from.kind === 'none') {
    return 'no client';
  }

  if (from.kind === 'Node') {
    return `node ${from.name}`;
  }

  const namespace = from.namespace === undefined ? '' : `${from.namespace}/`;
  return `pod ${namespace}${from.name}${from.node === null ? '' : ` on node ${from.node}`}`;
}

/** The first words of a report: status and layer. Upper case, because colour may be off. */
export function verdictLabel({ verdict }: Report): string {
  const layer = verdict.layer === null ? '' : ` in ${LAYER_NAMES[verdict.layer]}`;
  return `${verdict.status.toUpperCase()}${layer}:`;
}

/** How far k8snet could look: "node-pod on n1, n3; none on n2 (image …)", or without nodes how it looked at all. */
export function describeAccess({ coverage }: Report): string {
  const groups = groupBy(coverage.nodes, ({ access }) => access);
  const parts = [...groups].map(([access, nodes]) => `${access} on ${someOf(nodes.map(({ name }) => name))}`);
  const image = coverage.image === null ? '' : ` (image ${coverage.image})`;
  return `${parts.length === 0 ? ACCESS_NAMES[coverage.access] : parts.join('; ')}${image}`;
}

/** What could not be looked at, and why: what was not checked, what the access hid, and what went wrong on single nodes. */
export function describeGaps({ notChecked, coverage }: Report): string[] {
  const nodes = coverage.nodes.filter(({ detail }) => detail !== null);
  return [
    ...notChecked.map(({ what, why }) => `${what}: ${why}`),
    ...coverage.lost,
    ...[...groupBy(nodes, ({ detail }) => detail)].map(([detail, same]) => `${someOf(same.map(({ name }) => `node ${name}`))}: ${detail}`),
  ];
}

/** "6.2 s: collect 3.9 s, probes 2.0 s". */
export function describeTiming({ timing }: Report, { phases: each = true } = {}): string {
  const phases = (each ? timing.phases : []).map(({ name, seconds }) => `${name} ${inSeconds(seconds)}`);
  return `${inSeconds(timing.seconds)}${phases.length === 0 ? '' : ` (${phases.join(', ')})`}`;
}

/** The first few of a list, and how many more there are. */
export function someOf(items: readonly string[], most = 3): string {
  const rest = items.length - most;
  return rest > 1 ? `${items.slice(0, most).join(', ')} and ${rest} more` : items.join(', ');
}

/** "1 line", "3 lines". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function shortKind(kind: string): string {
  return kind === 'Service' ? 'svc' : kind.toLowerCase();
}

function inSeconds(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}

/** The word before a verdict of `verify`: where other rules stop what kube-proxy's translate, the rules are as meant, and "healthy" is too much. */
export const verifyWord = ({ verdict, findings }: VerifyReport): string =>
  verdict.status === 'healthy' && findings.some(({ kind }) => kind === 'stopped-after')
    ? 'RULES AS INTENDED'
    : verdict.status.toUpperCase();
