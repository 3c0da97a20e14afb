/** What decides which endpoints of a Service port a node uses. */
export interface TopologyEndpoint {
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  /** On the node in question. */
  isLocal: boolean;
  /** `hints.forZones` and `hints.forNodes`; empty where there is none. */
  zoneHints: readonly string[];
  nodeHints: readonly string[];
}

/** Which traffic policies a Service port ever uses; from its policies and whether it can be reached from outside. */
export interface PolicyUse {
  usesCluster: boolean;
  usesLocal: boolean;
}

export interface TopologyNode {
  name: string;
  /** Label `topology.kubernetes.io/zone`; empty where the node has none. */
  zone: string;
  /** Feature gate PreferSameTrafficDistribution of kube-proxy (on by default since Kubernetes 1.34): hints for nodes count. */
  nodeHintsCount: boolean;
}

export type TopologyMode = '' | 'PreferSameZone' | 'PreferSameNode';

/** The endpoints of a Service port as one node uses them. */
export interface Reach<E> {
  mode: TopologyMode;
  /** For traffic under policy Cluster; null when the Service port never uses it, or has no endpoint object at all. */
  cluster: E[] | null;
  /** For traffic under policy Local; null as above, and where the node has none. */
  local: E[] | null;
  /** Both together, each once. */
  all: E[];
  /** Some endpoint can be used on some node: without one the port is rejected; with one, but none here, it is dropped. */
  hasAny: boolean;
}

/**
 * Sorts the endpoints of a Service port for one node as kube-proxy does: ready ones, else (for each policy by itself) those that still serve
 * while they terminate; topology hints narrow policy Cluster only, and only where all ready endpoints carry them and one of them is for this
 * node or its zone (CategorizeEndpoints in pkg/proxy/topology.go, Kubernetes 1.36).
 */
export function categorizeEndpoints<E extends TopologyEndpoint>(endpoints: readonly E[], use: PolicyUse, node: TopologyNode): Reach<E> {
  if (endpoints.length === 0) return { mode: '', cluster: null, local: null, all: [], hasAny: false };
  const mode = use.usesCluster ? topologyMode(endpoints, node) : '';
  const cluster = use.usesCluster ? clusterEndpoints(endpoints, mode, node) : null;
  const local = use.usesLocal ? localEndpoints(endpoints) : null;
  const usable = endpoints.some((endpoint) => endpoint.ready || leaving(endpoint));
  return {
    mode,
    cluster,
    local,
    all: [...new Set([...(cluster ?? []), ...(local ?? [])])],
    hasAny: (cluster !== null && cluster.length > 0) || (use.usesLocal && usable),
  };
}

const leaving = (endpoint: TopologyEndpoint): boolean => endpoint.serving && endpoint.terminating;

function clusterEndpoints<E extends TopologyEndpoint>(endpoints: readonly E[], mode: TopologyMode, node: TopologyNode): E[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready && isFor(endpoint, mode, node));
  return ready.length > 0 ? ready : endpoints.filter(leaving);
}

function localEndpoints<E extends TopologyEndpoint>(endpoints: readonly E[]): E[] | null {
  const here = endpoints.filter((endpoint) => endpoint.isLocal);
  const ready = here.filter((endpoint) => endpoint.ready);
  if (ready.length > 0) return ready;
  const terminating = here.filter(leaving);
  return terminating.length > 0 ? terminating : null;
}

function isFor(endpoint: TopologyEndpoint, mode: TopologyMode, node: TopologyNode): boolean {
  if (mode === 'PreferSameNode') return endpoint.nodeHints.includes(node.name);
  return mode === '' || endpoint.zoneHints.includes(node.zone);
}

/** Hints are all or nothing: one ready endpoint without them, or none for this place, and they are left aside. */
function topologyMode(endpoints: readonly TopologyEndpoint[], node: TopologyNode): TopologyMode {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (ready.length === 0) return '';
  const hintsFor = (hints: (endpoint: TopologyEndpoint) => readonly string[], place: string): boolean =>
    ready.every((endpoint) => hints(endpoint).length > 0) && ready.some((endpoint) => hints(endpoint).includes(place));
  if (node.nodeHintsCount && hintsFor((endpoint) => endpoint.nodeHints, node.name)) return 'PreferSameNode';
  return hintsFor((endpoint) => endpoint.zoneHints, node.zone) ? 'PreferSameZone' : '';
}
