import { addressMask, addressValue } from '../model/netfilter-address.ts';
import type { EndpointSlice, Service } from '../schema/kubernetes.ts';
import {
  canonical,
  type Family,
  type Protocol,
  type ServiceEndpoint,
  type ServicePort,
  serviceEndpointsOf,
  servicePortsOf,
  slicesByService,
} from './service-ports.ts';
import type { ProxySettings } from './settings.ts';
import { categorizeEndpoints, type Reach } from './topology.ts';

/** A node, as far as kube-proxy's rules depend on it. */
export interface IntentNode {
  name: string;
  /** Label `topology.kubernetes.io/zone`. */
  zone: string;
  /** All addresses of its devices but loopback. */
  addresses: readonly string[];
  /** The address of each family by which the Node object names it. */
  primary: Partial<Record<Family, string>>;
  nodeHintsCount: boolean;
}

/** A Service port with the endpoints that this node is to use for it. */
export interface PlannedPort {
  port: ServicePort;
  endpoints: ServiceEndpoint[];
  reach: Reach<ServiceEndpoint>;
}

export type FrontKind = 'ClusterIP' | 'ExternalIP' | 'LoadBalancer' | 'NodePort' | 'HealthCheckNodePort';

/** One way in: what a client connects to. */
export interface Front {
  kind: FrontKind;
  planned: PlannedPort;
  /** Null for ports of the node, which have every address that takes NodePorts. */
  address: string | null;
  port: number;
  protocol: Protocol;
}

/** All that kube-proxy of one node should do, in one address family. */
export interface NodePlan {
  node: IntentNode;
  settings: ProxySettings;
  family: Family;
  fronts: Front[];
  clusterIPs: ReadonlySet<string>;
  /** Whether an address is one of the node's own, loopback among them. */
  isLocal(address: string): boolean;
  /** Whether the node takes NodePorts at an address of its own. */
  takesNodePorts(address: string): boolean;
  /** The front that a packet is for, or none. */
  frontOf(address: string, protocol: string, port: number): Front | undefined;
}

/**
 * What the API says that one node's kube-proxy should do: the fronts of all Services, each with the endpoints that this node uses for them.
 * Pure arithmetic over Services, EndpointSlices and the node; chains and names of rules play no part in it.
 */
export function planNode(
  objects: { services: readonly Service[]; slices: readonly EndpointSlice[] },
  node: IntentNode,
  settings: ProxySettings,
  family: Family,
): NodePlan {
  const slices = slicesByService(objects.slices);
  const fronts = objects.services.flatMap((service) => {
    const own = slices.get(`${service.metadata.namespace ?? ''}/${service.metadata.name}`) ?? [];
    return servicePortsOf(service, family).flatMap((port) => frontsOf(planPort(port, own, node)));
  });
  const byAddress = new Map<string, Front>();
  for (const front of fronts) {
    const key = keyOf(front.address, front.protocol, front.port);
    if (!byAddress.has(key)) byAddress.set(key, front);
  }
  const local = new Set(node.addresses.flatMap((address) => canonical(address) ?? []));
  const isLocal = (address: string): boolean => local.has(address) || isLoopback(address);
  return {
    node,
    settings,
    family,
    fronts,
    clusterIPs: new Set(fronts.flatMap((front) => (front.kind === 'ClusterIP' && front.address !== null ? [front.address] : []))),
    isLocal,
    takesNodePorts: (address) => isLocal(address) && takesNodePorts(address, node, settings, family),
    frontOf: (address, protocol, port) =>
      byAddress.get(keyOf(address, protocol, port)) ?? (isLocal(address) ? byAddress.get(keyOf(null, protocol, port)) : undefined),
  };
}

const keyOf = (address: string | null, protocol: string, port: number): string => `${address ?? 'node'} ${protocol} ${port}`;

function planPort(port: ServicePort, slices: readonly EndpointSlice[], node: IntentNode): PlannedPort {
  const endpoints = serviceEndpointsOf(port, slices, node.name);
  return { port, endpoints, reach: categorizeEndpoints(endpoints, port, node) };
}

function frontsOf(planned: PlannedPort): Front[] {
  const { port } = planned;
  const at = (kind: FrontKind, address: string | null, number: number, protocol: Protocol = port.protocol): Front => ({
    kind,
    planned,
    address,
    port: number,
    protocol,
  });
  return [
    at('ClusterIP', port.clusterIP, port.port),
    ...port.externalIPs.map((address) => at('ExternalIP', address, port.port)),
    ...port.loadBalancerIPs.map((address) => at('LoadBalancer', address, port.port)),
    ...(port.nodePort === null ? [] : [at('NodePort', null, port.nodePort)]),
    ...(port.healthCheckNodePort === null ? [] : [at('HealthCheckNodePort', null, port.healthCheckNodePort, 'tcp')]),
  ];
}

/** `--nodeport-addresses`, and what each mode makes of loopback (NodePortAddresses in pkg/proxy/util). */
function takesNodePorts(address: string, node: IntentNode, settings: ProxySettings, family: Family): boolean {
  if (isLoopback(address) && !(settings.mode === 'iptables' && family === 'ip' && settings.localhostNodePorts)) return false;
  const { nodePortAddresses } = settings;
  if (nodePortAddresses === 'all') return true;
  if (nodePortAddresses === 'primary') return node.primary[family] !== undefined && canonical(node.primary[family]) === address;
  const ranges = nodePortAddresses.filter((range) => addressMask(range)?.family === family);
  return ranges.length === 0 || ranges.some((range) => isInRange(address, range));
}

const isLoopback = (address: string): boolean => isInRange(address, '127.0.0.0/8') || address === '::1';

/** Whether an address is in a prefix; false for what is no address or of the other family. */
export function isInRange(address: string, range: string): boolean {
  const value = addressValue(address);
  const mask = addressMask(range);
  return value !== undefined && mask?.family === value.family && (value.value & mask.mask) === mask.value;
}
