import { type Front, isInRange, type NodePlan } from './node-plan.ts';
import { endpointKey, type Protocol, type ServiceEndpoint, type ServicePort } from './service-ports.ts';

/** A virtual server that kube-proxy in ipvs mode should have made. */
export interface ExpectedServer {
  front: Front;
  address: string;
  port: number;
  protocol: Protocol;
  scheduler: string;
  /** Seconds; 0 without session affinity. */
  persistentTimeout: number;
  /** `address:port` of the real servers. */
  realServers: string[];
}

/** What kube-proxy in ipvs mode should have made of a plan (pkg/proxy/ipvs/proxier.go, Kubernetes 1.36). */
export interface IpvsPlan {
  servers: ExpectedServer[];
  /** Entries by name of the set, in ipset's notation. */
  sets: Map<string, Set<string>>;
  /** Addresses of the device kube-ipvs0. */
  bound: Set<string>;
}

/** Every set that ipvs mode makes; for IPv6 the names begin with KUBE-6-. */
const setNames = [
  'LOOP-BACK',
  'CLUSTER-IP',
  'EXTERNAL-IP',
  'EXTERNAL-IP-LOCAL',
  'LOAD-BALANCER',
  'LOAD-BALANCER-FW',
  'LOAD-BALANCER-LOCAL',
  'LOAD-BALANCER-SOURCE-IP',
  'LOAD-BALANCER-SOURCE-CIDR',
  'NODE-PORT-TCP',
  'NODE-PORT-LOCAL-TCP',
  'NODE-PORT-UDP',
  'NODE-PORT-LOCAL-UDP',
  'NODE-PORT-SCTP-HASH',
  'NODE-PORT-LOCAL-SCTP-HASH',
  'HEALTH-CHECK-NODE-PORT',
  'IPVS-IPS',
] as const;
type SetName = (typeof setNames)[number];
/** IPSET_MAXNAMELEN without its end: kube-proxy cuts longer names. */
const longestSetName = 31;

/**
 * Virtual servers, ipsets and bound addresses for a plan. A Service without endpoints has its virtual server all the same, without real
 * servers; policy Local without a local endpoint falls back to all endpoints, unlike in the other modes (kubernetes/kubernetes#97081).
 */
export function planIpvs(plan: NodePlan): IpvsPlan {
  const prefix = plan.family === 'ip' ? 'KUBE-' : 'KUBE-6-';
  const nameOf = (name: SetName): string => `${prefix}${name}`.slice(0, longestSetName);
  const sets = new Map(setNames.map((name) => [nameOf(name), new Set<string>()]));
  const result: IpvsPlan = { servers: [], sets, bound: new Set() };
  const add = (name: SetName, entry: string): void => void sets.get(nameOf(name))?.add(entry);
  for (const front of plan.fronts) {
    addServers(plan, front, result);
    addEntries(plan, front, add);
  }
  for (const address of result.bound) add('IPVS-IPS', address);
  return result;
}

/** Addresses of the node that take NodePorts; loopback never does. */
const nodePortAddresses = ({ node, takesNodePorts, family }: NodePlan): string[] =>
  node.addresses.filter((address) => address.includes(':') === (family === 'ip6') && takesNodePorts(address));

function addServers(plan: NodePlan, front: Front, result: IpvsPlan): void {
  if (front.kind === 'HealthCheckNodePort') return;
  const { port } = front.planned;
  const local = front.kind === 'ClusterIP' ? port.internalLocal : port.externalLocal;
  const realServers = serverEndpoints(front, local).map((endpoint) => endpointKey(endpoint.address, endpoint.port));
  const addresses = front.address === null ? nodePortAddresses(plan) : [front.address];
  for (const address of addresses) {
    if (front.address !== null && (front.kind === 'ClusterIP' || !plan.node.addresses.includes(address))) result.bound.add(address);
    result.servers.push({
      front,
      address,
      port: front.port,
      protocol: front.protocol,
      scheduler: plan.settings.scheduler,
      persistentTimeout: port.affinitySeconds ?? 0,
      realServers,
    });
  }
}

function serverEndpoints({ planned: { reach } }: Front, local: boolean): ServiceEndpoint[] {
  if (local && reach.local !== null && reach.local.length > 0) return reach.local;
  return reach.cluster ?? [];
}

function addEntries(plan: NodePlan, front: Front, add: (name: SetName, entry: string) => void): void {
  const { port, endpoints } = front.planned;
  const entry = `${front.address},${front.protocol}:${front.port}`;
  switch (front.kind) {
    case 'ClusterIP':
      for (const { address, port: number, isLocal } of endpoints)
        if (isLocal) add('LOOP-BACK', `${address},${front.protocol}:${number},${address}`);
      add('CLUSTER-IP', entry);
      return;
    case 'ExternalIP':
      add(port.externalLocal ? 'EXTERNAL-IP-LOCAL' : 'EXTERNAL-IP', entry);
      return;
    case 'LoadBalancer':
      add('LOAD-BALANCER', entry);
      if (port.externalLocal) add('LOAD-BALANCER-LOCAL', entry);
      addSourceRanges(plan, port, front, entry, add);
      return;
    case 'NodePort':
      addNodePort(plan, front, port.externalLocal, add);
      return;
    case 'HealthCheckNodePort':
      add('HEALTH-CHECK-NODE-PORT', String(front.port));
  }
}

function addSourceRanges(
  plan: NodePlan,
  port: ServicePort,
  front: Front,
  entry: string,
  add: (name: SetName, entry: string) => void,
): void {
  if (port.sourceRanges.length === 0) return;
  add('LOAD-BALANCER-FW', entry);
  for (const range of port.sourceRanges) add('LOAD-BALANCER-SOURCE-CIDR', `${entry},${range}`);
  const own = plan.node.primary[plan.family];
  if (own !== undefined && port.sourceRanges.some((range) => isInRange(own, range)))
    add('LOAD-BALANCER-SOURCE-IP', `${entry},${front.address}`);
}

/** Ports of TCP and UDP stand in bitmaps, those of SCTP with each address of the node. */
function addNodePort(plan: NodePlan, front: Front, local: boolean, add: (name: SetName, entry: string) => void): void {
  const addresses = nodePortAddresses(plan);
  if (addresses.length === 0) return;
  const suffix = ({ tcp: 'TCP', udp: 'UDP', sctp: 'SCTP-HASH' } as const)[front.protocol];
  const entries = front.protocol === 'sctp' ? addresses.map((address) => `${address},sctp:${front.port}`) : [String(front.port)];
  for (const item of entries) {
    add(`NODE-PORT-${suffix}`, item);
    if (local) add(`NODE-PORT-LOCAL-${suffix}`, item);
  }
}
