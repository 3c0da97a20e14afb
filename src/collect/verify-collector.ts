import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import { readList } from '../parse/objects.ts';
import { nodeSchema, serviceSchema } from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { readObjects } from './api-round.ts';
import { silentNodes } from './client.ts';
import { ClusterError, UsageError } from './errors.ts';
import { createNodeAccess } from './node-access.ts';
import { failedEntries, runOnNode } from './node-rounds.ts';
import { notThere } from './not-there.ts';
import type { CollectOptions } from './options.ts';
import type { ClusterReader } from './reader.ts';
import { type CollectDeps, startRecording } from './recording.ts';
import type { Section } from './script.ts';
import { nodeDetailSections, nodeSections } from './sections.ts';

export interface VerifyCollectOptions extends Pick<CollectOptions, 'nodeAccess' | 'image' | 'nodePodNamespace' | 'limitMilliseconds'> {
  /** Services by name; empty: all of the namespace, or of the cluster. */
  targets: { namespace: string | null; name: string }[];
  allNamespaces: boolean;
  namespace: string | null;
  /** Empty: all nodes. */
  nodes: string[];
}

/** Most nodes of one run: each gets a pod. More are named as left out. */
const mostNodes = 50;

/** What is read of a node: its rules by all backends, and what they depend on. */
const wanted = [
  'iptables-save',
  'iptables-legacy-save',
  'nft',
  'ip-addr',
  'ip-route',
  'ip-rule',
  'kube-proxy-mode',
  'kube-proxy-health',
  'ipvs',
  'ipset',
];

/**
 * Reads the Services and EndpointSlices, then the rules of every node at once, then the Services and EndpointSlices again: what changed between
 * is too young to be judged.
 * @throws UsageError for a Service or node that is not there, ClusterError where the Services could not be read
 */
export async function collectForVerify(options: VerifyCollectOptions, deps: CollectDeps): Promise<Snapshot> {
  const { seconds, snapshot } = startRecording(deps.version);
  const namespace = options.namespace ?? 'default';
  const lists = listsOf(options, namespace);
  deps.progress('reading the API');
  const reader = dated(deps.reader);
  const objects = await readObjects(reader, [...new Set([...lists, ...clusterPaths(options, namespace)])]);
  const entries = new Map(objects.map((entry) => [entry.key, entry]));
  checkTargets(options, namespace, entries);
  const readSeconds = seconds();
  const { names, silent, left } = nodesToAsk(options, entries.get(apiKey(apiPaths.nodes)));
  const access = createNodeAccess(options, deps);
  deps.progress(`reaching ${names.length} ${names.length === 1 ? 'node' : 'nodes'}`);
  const sessions = await access.open(names, silent);
  deps.progress('reading the rules');
  const read = await Promise.all(
    names.map(async (name) => {
      const session = sessions.get(name);
      return session
        ? runOnNode(deps.kubectl, session, name, verifySections(name), [])
        : failedEntries(verifySections(name), access.failure(name), { kind: 'node', name });
    }),
  );
  const rulesSeconds = seconds();
  const again = await readObjects(reader, lists);
  for (const entry of [...read.flat(), ...again.map((item) => ({ ...item, key: `after/${item.key}` }))]) entries.set(entry.key, entry);
  return snapshot({
    entries,
    phases: [
      { name: 'reading the API', seconds: readSeconds },
      { name: 'reading the rules', seconds: Math.round((rulesSeconds - readSeconds) * 100) / 100 },
    ],
    request: {
      target: { kind: 'Service', namespace: options.targets[0]?.namespace ?? namespace, name: options.targets[0]?.name ?? '*' },
      port: null,
      from: { kind: 'none', name: 'none', node: null, why: 'verify reads rules and sends no probe' },
    },
    access,
    tier: 'none',
    lost: left,
  });
}

/** Notes on every object when it last changed: that stands in its managed fields alone, which are left out of a snapshot. */
const dated = (reader: ClusterReader): ClusterReader => ({
  ...reader,
  get: async (path) => {
    const result = await reader.get(path);
    return result.ok ? { ok: true, body: withChangeTimes(result.body) } : result;
  },
});

function withChangeTimes(body: unknown): unknown {
  const items = (body as { items?: unknown }).items;
  if (!Array.isArray(items)) return body;
  return {
    ...(body as object),
    items: items.map((item: { metadata?: { managedFields?: { time?: string }[] } }) => {
      const times = (item.metadata?.managedFields ?? []).flatMap(({ time }) => time ?? []).sort();
      const changedAt = times.at(-1);
      return changedAt === undefined ? item : { ...item, metadata: { ...item.metadata, changedAt } };
    }),
  };
}

/** The lists of Services and EndpointSlices that a choice needs. */
function listsOf(options: VerifyCollectOptions, namespace: string): string[] {
  if (options.allNamespaces) return [apiPaths.allServices, apiPaths.allEndpointSlices];
  const namespaces = options.targets.length > 0 ? options.targets.map((target) => target.namespace ?? namespace) : [namespace];
  return [...new Set(namespaces)].flatMap((name) => [apiPaths.services(name), apiPaths.endpointSlices(name)]);
}

const clusterPaths = (options: VerifyCollectOptions, namespace: string): string[] => [
  apiPaths.nodes,
  apiPaths.configMap(systemNamespace, 'kube-proxy'),
  apiPaths.daemonSets(systemNamespace),
  apiPaths.pods(systemNamespace),
  apiPaths.pods(options.targets[0]?.namespace ?? namespace),
];

function checkTargets(options: VerifyCollectOptions, namespace: string, entries: ReadonlyMap<string, Entry>): void {
  const listed = (name: string) =>
    readList(entries.get(apiKey(options.allNamespaces ? apiPaths.allServices : apiPaths.services(name))), serviceSchema);
  const [first] = options.targets;
  const any = listed(first?.namespace ?? namespace);
  if (any.state === 'unknown') throw new ClusterError(`the Services could not be read: ${any.detail}`);
  for (const target of options.targets) {
    const home = target.namespace ?? namespace;
    const services = listed(home);
    if (services.state !== 'seen') continue;
    const names = services.value.filter((service) => service.metadata.namespace === home).map((service) => service.metadata.name);
    if (!names.includes(target.name)) throw notThere('Service', home, target.name, names);
  }
}

function nodesToAsk(
  options: VerifyCollectOptions,
  entry: Entry | undefined,
): { names: string[]; silent: Map<string, string>; left: string[] } {
  const nodes = readList(entry, nodeSchema);
  if (nodes.state !== 'seen')
    throw new ClusterError(`the nodes could not be read: ${nodes.state === 'unknown' ? nodes.detail : 'not there'}`);
  const all = nodes.value.map((node) => node.metadata.name);
  const missing = options.nodes.find((name) => !all.includes(name));
  if (missing !== undefined) throw new UsageError(`there is no node "${missing}"; the nodes are ${all.slice(0, 10).join(', ')}`);
  const windows = nodes.value.filter((node) => node.metadata.labels?.['kubernetes.io/os'] === 'windows').map((node) => node.metadata.name);
  const chosen = (options.nodes.length > 0 ? options.nodes : all).filter((name) => !windows.includes(name));
  const names = chosen.slice(0, mostNodes);
  return {
    names,
    silent: silentNodes(nodes.value),
    left: [
      ...windows.map((name) => `node ${name}: runs Windows, whose rules k8snet does not read`),
      ...(chosen.length > names.length ? [`${chosen.length - names.length} more nodes were not looked at (--node names them)`] : []),
    ],
  };
}

function verifySections(node: string): Section[] {
  const byName = (sections: readonly Section[], names: readonly string[]) =>
    sections.filter(({ key }) => names.includes(key.replace(`node/${node}/`, '')));
  return [...byName(nodeSections(node), wanted), ...byName(nodeDetailSections(node), ['ip6tables-save']), legacyV6(node)];
}

const legacyV6 = (node: string): Section => ({
  key: `node/${node}/ip6tables-legacy-save`,
  command: 'ip6tables-legacy-save -c',
  shell:
    'NS=host; names=; if [ -e /proc/net/ip6_tables_names ]; then names=$(cat /proc/net/ip6_tables_names) || exit 1; fi; if [ -n "$names" ]; then t ip6tables-legacy-save -c; else echo "# no legacy tables: /proc/net/ip6_tables_names is empty or missing"; fi',
  limit: 20,
  lane: `node/${node}`,
});
