import type { Facts } from '../facts/facts.ts';
import { addressMask, addressText } from '../model/netfilter-address.ts';
import type { Observed } from '../model/observed.ts';
import type { Node, Service } from '../schema/kubernetes.ts';
import { type ClusterObjects, clusterObjectsOf } from './cluster-objects.ts';
import { type IntentNode, planNode } from './node-plan.ts';
import { type NodeTables, nodeTablesOf } from './node-tables.ts';
import { hasKubeProxy, proxyConfigOf, settingsOf } from './proxy-settings.ts';
import type { Family } from './service-ports.ts';
import type { ProxyMode } from './settings.ts';
import { type Ages, agesOf } from './settling.ts';
import type { NodeVerification } from './verification.ts';
import { verifyNode } from './verify-node.ts';
import { type Writer, writersOf } from './writers.ts';

export interface VerifyChoice {
  /** `namespace/name`; all Services that were read when left out. */
  services?: ReadonlySet<string>;
  /** Only Services of this namespace. */
  namespace?: string;
  /** All nodes that were looked at when left out. */
  nodes?: ReadonlySet<string>;
}

/** One node in one address family: what was found, or why nothing could be. */
export interface NodeResult {
  node: string;
  family: Family;
  mode: ProxyMode | null;
  verification: NodeVerification | null;
  /** Why there is no verification. */
  unknown: string | null;
  ages: Ages;
  syncPeriod: number;
  /** kube-proxy answered no question on its health port: what it has not written yet it will not write. */
  silent: boolean;
}

export interface ClusterVerification {
  objects: ClusterObjects;
  nodes: NodeResult[];
}

/** Verifies every node of the snapshot. A pure function of it, live and recorded alike. */
export function verifyCluster(facts: Facts, choice: VerifyChoice = {}): ClusterVerification {
  const all = clusterObjectsOf(facts);
  const isChosen = ({ metadata }: Service): boolean =>
    (choice.services === undefined || choice.services.has(`${metadata.namespace}/${metadata.name}`)) &&
    (choice.namespace === undefined || metadata.namespace === choice.namespace);
  const services = all.services.filter(isChosen);
  const objects = { ...all, services, allServices: all.allServices && services.length === all.services.length };
  const names = nodesLookedAt(facts).filter((name) => choice.nodes === undefined || choice.nodes.has(name));
  const families = familiesOf(objects);
  const reads = new Map(
    names.flatMap((name) =>
      families.map((family): [string, Observed<NodeTables>] => [`${name} ${family}`, nodeTablesOf(facts.nodeNet(name), family)]),
    ),
  );
  const writers = new Map(
    [...reads].map(([key, read]) => [key, read.state === 'seen' ? writersOf(read.value.rulesets, read.value.family) : []]),
  );
  const used = hasKubeProxy(facts, [...writers.values()].filter((list) => list.length > 0).length);
  return {
    objects,
    nodes: names.flatMap((name) =>
      families.map((family) => {
        const key = `${name} ${family}`;
        return verifyOne(facts, objects, {
          name,
          family,
          tables: reads.get(key),
          writers: writers.get(key) ?? [],
          all: [...writers.values()],
          used,
        });
      }),
    ),
  };
}

/** Nodes of which something was asked, whether it answered or not. */
function nodesLookedAt(facts: Facts): string[] {
  const names = [...facts.snapshot.entries.keys()].flatMap((key) => /^node\/([^/]+)\//.exec(key)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Families in which any Service has an address; IPv4 where there is no Service at all. */
function familiesOf({ services }: ClusterObjects): Family[] {
  const addresses = services.flatMap(({ spec }) => spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]));
  const real = addresses.filter((address) => address !== '' && address !== 'None');
  const families: Family[] = [];
  if (real.length === 0 || real.some((address) => !address.includes(':'))) families.push('ip');
  if (real.some((address) => address.includes(':'))) families.push('ip6');
  return families;
}

interface Job {
  name: string;
  family: Family;
  tables: Observed<NodeTables> | undefined;
  writers: readonly Writer[];
  /** Those of every node. */
  all: readonly (readonly Writer[])[];
  used: boolean;
}

function verifyOne(facts: Facts, objects: ClusterObjects, { name, family, tables, writers, all, used }: Job): NodeResult {
  const node = facts.node(name);
  const { manifest } = facts.snapshot;
  const base = {
    node: name,
    family,
    mode: null,
    verification: null,
    ages: agesOf(objects, node, new Date(manifest.startedAt)),
    syncPeriod: 0,
    silent: isSilent(facts, name),
  };
  if (tables?.state !== 'seen') return { ...base, unknown: tables?.state === 'unknown' ? tables.detail : 'its tables were not read' };
  if (node === undefined) return { ...base, unknown: `the Node object ${name} was not read` };
  if (!used)
    return { ...base, unknown: 'nothing in the cluster shows that kube-proxy belongs to it: something else may serve its ClusterIPs' };
  const result = settingsOf(facts, node, proxyConfigOf(facts), { own: writers, ofPeers: all });
  if ('unknown' in result) return { ...base, unknown: result.unknown };
  const { settings } = result;
  const plan = planNode(objects, intentNode(node, tables.value), settings, family);
  return {
    ...base,
    mode: settings.mode,
    syncPeriod: settings.syncPeriod,
    verification: verifyNode(plan, tables.value, { pods: podAddresses(facts, node, family) }, objects.allServices),
    unknown: null,
  };
}

function intentNode(node: Node, tables: NodeTables): IntentNode {
  const minor = Number(/^v?1\.(\d+)/.exec(node.status.nodeInfo?.kubeletVersion ?? '')?.[1] ?? Number.NaN);
  const address = (family: Family): Partial<Record<Family, string>> => {
    const ofFamily = (node.status.addresses ?? []).filter(
      (item) => /^(Internal|External)IP$/.test(item.type) && item.address.includes(':') === (family === 'ip6'),
    );
    const found = ofFamily.find((item) => item.type === 'InternalIP') ?? ofFamily[0];
    return found === undefined ? {} : { [family]: found.address };
  };
  return {
    name: node.metadata.name,
    zone: node.metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
    addresses: tables.addresses,
    primary: { ...address('ip'), ...address('ip6') },
    // Beta and on since 1.34; a node that does not tell its version is taken for a new one.
    nodeHintsCount: !(minor < 34),
  };
}

/** Pods of the node, and after them an address of its pod range that hardly any pod has. */
function podAddresses(facts: Facts, node: Node, family: Family): string[] {
  const namespaces = new Set(
    [...facts.snapshot.entries.keys()].flatMap((key) => /^api\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(key)?.[1] ?? []),
  );
  const pods = [...namespaces].flatMap((namespace) => {
    const list = facts.pods(namespace);
    return list.state === 'seen' ? list.value : [];
  });
  const real = pods
    .filter((pod) => pod.spec.nodeName === node.metadata.name && pod.spec.hostNetwork !== true && pod.status.phase === 'Running')
    .flatMap((pod) => pod.status.podIPs?.map(({ ip }) => ip) ?? (pod.status.podIP === undefined ? [] : [pod.status.podIP]));
  const ranges = node.spec.podCIDRs ?? (node.spec.podCIDR === undefined ? [] : [node.spec.podCIDR]);
  const made = ranges.flatMap((range) => lateAddress(range) ?? []);
  return [...real, ...made].filter((address) => address.includes(':') === (family === 'ip6') && !address.includes('/'));
}

/** The fifth address from the end of a prefix. */
function lateAddress(range: string): string | undefined {
  const mask = addressMask(range);
  if (mask === undefined) return undefined;
  const all = (1n << (mask.family === 'ip' ? 32n : 128n)) - 1n;
  const size = (all ^ mask.mask) + 1n;
  return size < 8n ? undefined : addressText({ family: mask.family, value: mask.value + size - 5n });
}

function isSilent(facts: Facts, name: string): boolean {
  const entry = facts.nodeNet(name).entry('kube-proxy-health');
  return entry !== undefined && entry.failure === undefined && entry.exit !== 0 && entry.exit !== null && entry.exit !== 127;
}
