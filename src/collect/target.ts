/** A TARGET argument as kubectl users write it. */
export interface TargetArgument {
  name: string;
  namespace: string | null;
  port: string | null;
}
/** The command that a target is given to; what it says names it. */
export type TargetCommand = 'diagnose' | 'record' | 'verify' | 'trace' | 'capture';
export type TargetResult = { ok: true; target: TargetArgument } | { ok: false; sentence: string };

const serviceKinds = new Set(['svc', 'service', 'services', 'service.v1', 'services.v1', 'service.v1.', 'services.v1.']);
const otherKinds = new Set(
  'po pod pods deploy deployment deployments ds daemonset daemonsets sts statefulset statefulsets rs replicaset ep endpoints ing ingress ingresses no node nodes ns namespace namespaces job jobs cm configmap'.split(
    ' ',
  ),
);

/** DNS label and subdomain (RFC 1123), as the API server validates names. */
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const isNamespaceName = (name: string): boolean => label.test(name);
export const isObjectName = (name: string): boolean => name.length <= 253 && name.split('.').every((part) => label.test(part));

/**
 * `svc/x`, `service x`, `services/x`, `x`, `x.ns`, `x.ns.svc`, `x.ns.svc.cluster.local`, each with `:port` (number or name).
 * Several words are joined as kubectl does: `service x`.
 */
export function parseTarget(words: readonly string[], command: TargetCommand = 'diagnose'): TargetResult {
  if (words.length === 0) return fail(`no target: say which Service, for example \`k8snet ${command} svc/my-service\``);
  if (words.length > 2) return fail(`too many arguments: ${words.join(' ')}`);
  const joined = words.length === 2 ? `${words[0]}/${words[1]}` : (words[0] as string);
  const slash = joined.indexOf('/');
  if (slash >= 0) {
    const kind = joined.slice(0, slash).toLowerCase();
    if (!serviceKinds.has(kind)) return fail(wrongKind(kind, command));
    if (joined.indexOf('/', slash + 1) >= 0) return fail(`${joined}: a name has no "/"; the namespace is given by -n`);
  }
  return parseName(slash >= 0 ? joined.slice(slash + 1) : joined);
}

function parseName(text: string): TargetResult {
  const [full = '', port, ...more] = text.split(':');
  if (more.length > 0 || port === '') return fail(`${text}: write the port once, as a number or a name, for example my-service:80`);
  const parts = full.replace(/\.$/, '').split('.');
  if (parts.some((part) => !label.test(part))) return fail(`"${full}" is not a Service name: lower-case letters, digits and "-" only`);
  if (parts.length >= 3 && parts[2] !== 'svc')
    return fail(`"${full}" is not a Service name: write NAME, NAME.NAMESPACE or NAME.NAMESPACE.svc.CLUSTER-DOMAIN`);
  if (port !== undefined && !isPort(port)) return fail(`"${port}" is neither a port number (1 to 65535) nor a port name`);
  return { ok: true, target: { name: parts[0] as string, namespace: parts[1] ?? null, port: port ?? null } };
}

export const isPort = (text: string): boolean => (/^\d+$/.test(text) ? Number(text) >= 1 && Number(text) <= 65_535 : label.test(text));

const fail = (sentence: string): TargetResult => ({ ok: false, sentence });

function wrongKind(kind: string, command: TargetCommand): string {
  const takes = command === 'trace' ? 'Services, pods and addresses' : 'Services';
  const known = otherKinds.has(kind) ? `k8snet ${command} is for ${takes}, not ${kind}` : `"${kind}" is no kind that k8snet knows`;
  if (command === 'trace') return `${known}: write svc/NAME, pod/NAME or ADDRESS, each with :PORT where one is meant`;
  return `${known}: write svc/NAME (or service NAME, NAME, NAME.NAMESPACE). A pod is named as the client: --from pod/NAME`;
}

export interface FromArgument {
  kind: 'pod' | 'deploy' | 'node';
  namespace: string | null;
  name: string;
}
export type FromResult = { ok: true; from: FromArgument } | { ok: false; sentence: string };

const fromKinds: Record<string, FromArgument['kind']> = {
  po: 'pod',
  pod: 'pod',
  pods: 'pod',
  deploy: 'deploy',
  deployment: 'deploy',
  deployments: 'deploy',
  'deployment.apps': 'deploy',
  'deployments.apps': 'deploy',
  no: 'node',
  node: 'node',
  nodes: 'node',
};

/** `pod/x`, `pod/namespace/x`, `deploy/x`, `node/x`, each also as kubectl's `-o name` prints it (`deployment.apps/x`); a bare name is a pod. */
export function parseFrom(text: string): FromResult {
  const parts = text.split('/');
  if (parts.length === 1) parts.unshift('pod');
  const kind = fromKinds[(parts[0] as string).toLowerCase()];
  if (!kind) return { ok: false, sentence: `--from ${text}: the client is pod/NAME, deploy/NAME or node/NAME` };
  const namespace = parts.length === 3 ? (parts[1] as string) : null;
  const name = parts.at(-1) as string;
  if (parts.length > 3 || (kind === 'node' && namespace !== null) || !isObjectName(name) || (namespace !== null && !label.test(namespace)))
    return { ok: false, sentence: `--from ${text}: "${parts.slice(1).join('/')}" is not a name` };
  return { ok: true, from: { kind, namespace, name } };
}

/** Names near to what was typed, nearest first: by edit distance (Levenshtein) up to a third of the length, or one containing the other. */
export function nearNames(wanted: string, names: readonly string[], most = 3): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name), within: name.includes(wanted) || wanted.includes(name) }))
    .filter(({ distance, within }) => within || distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] as number;
}
