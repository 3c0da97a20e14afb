import { type AddressValue, addressMask, addressText, addressValue } from '../model/netfilter-address.ts';
import type { EndpointSlice, Service } from '../schema/kubernetes.ts';
import type { PolicyUse, TopologyEndpoint } from './topology.ts';

export type Family = 'ip' | 'ip6';
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** One port of a Service in one address family, as kube-proxy understands the API (pkg/proxy/serviceport.go, Kubernetes 1.36). */
export interface ServicePort extends PolicyUse {
  namespace: string;
  name: string;
  portName: string;
  family: Family;
  protocol: Protocol;
  clusterIP: string;
  port: number;
  nodePort: number | null;
  externalIPs: string[];
  /** Of load balancers that keep the address (`ipMode: VIP`, the default); one that proxies is no address of the node's rules. */
  loadBalancerIPs: string[];
  /** Empty: everybody may. */
  sourceRanges: string[];
  healthCheckNodePort: number | null;
  internalLocal: boolean;
  externalLocal: boolean;
  /** Seconds of session affinity by client address; null without. */
  affinitySeconds: number | null;
}

/** An endpoint of a Service port, with what decides whether and where it is used. */
export interface ServiceEndpoint extends TopologyEndpoint {
  address: string;
  port: number;
  nodeName: string | null;
  slice: string;
}

const defaultAffinitySeconds = 10_800;
const protocols: Readonly<Record<string, Protocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

/** Services with this label are left to another proxy, and slices with that one are for DNS alone (cmd/kube-proxy/app/server.go). */
const otherProxyLabel = 'service.kubernetes.io/service-proxy-name';
const headlessLabel = 'service.kubernetes.io/headless';

/** The ports of a Service in a family; none for a headless, an ExternalName or another proxy's Service, or one without an address of the family. */
export function servicePortsOf(service: Service, family: Family): ServicePort[] {
  const { spec } = service;
  if (service.metadata.labels?.[otherProxyLabel] !== undefined) return [];
  const clusterIP = clusterAddress(service, family);
  if (clusterIP === undefined || spec.type === 'ExternalName') return [];
  const externalIPs = ofFamily(spec.externalIPs ?? [], family);
  const loadBalancerIPs = ofFamily(
    (service.status?.loadBalancer?.ingress ?? []).flatMap((item) => (item.ip && (item.ipMode ?? 'VIP') === 'VIP' ? [item.ip] : [])),
    family,
  );
  const internalLocal = spec.internalTrafficPolicy === 'Local';
  const externalLocal = spec.externalTrafficPolicy === 'Local' && canHaveExternalPolicy(service);
  return (spec.ports ?? []).flatMap((port): ServicePort[] => {
    const protocol = protocols[port.protocol];
    if (protocol === undefined) return [];
    const nodePort = port.nodePort === undefined || port.nodePort === 0 ? null : port.nodePort;
    const external = nodePort !== null || externalIPs.length > 0 || loadBalancerIPs.length > 0;
    return [
      {
        namespace: service.metadata.namespace ?? '',
        name: service.metadata.name,
        portName: port.name ?? '',
        family,
        protocol,
        clusterIP,
        port: port.port,
        nodePort,
        externalIPs,
        loadBalancerIPs,
        sourceRanges: sourceRangesOf(service, family),
        healthCheckNodePort: spec.type === 'LoadBalancer' && externalLocal ? spec.healthCheckNodePort || null : null,
        internalLocal,
        externalLocal,
        affinitySeconds:
          spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) : null,
        // Where traffic may come from outside, policy Cluster serves the node's own pods even under externalTrafficPolicy Local.
        usesCluster: !internalLocal || external,
        usesLocal: internalLocal || (externalLocal && external),
      },
    ];
  });
}

/**
 * Endpoints of a Service port: the slice ports of the same name and protocol, the first address of each, in the address family.
 * An address that stands in two slices counts once, and one that does not terminate wins (pkg/proxy/endpointslicecache.go). Unset conditions:
 * ready and serving, not terminating.
 */
export function serviceEndpointsOf(port: ServicePort, slices: readonly EndpointSlice[], nodeName: string): ServiceEndpoint[] {
  const found = new Map<string, ServiceEndpoint>();
  const addressType = port.family === 'ip' ? 'IPv4' : 'IPv6';
  for (const slice of slices) {
    if (slice.addressType !== addressType || slice.metadata.labels?.[headlessLabel] !== undefined) continue;
    const numbers = (slice.ports ?? []).flatMap((item) =>
      (item.name ?? '') === port.portName && protocols[item.protocol ?? 'TCP'] === port.protocol && item.port ? [item.port] : [],
    );
    for (const number of numbers) {
      for (const endpoint of slice.endpoints ?? []) {
        const address = endpoint.addresses[0] === undefined ? undefined : canonical(endpoint.addresses[0]);
        if (address === undefined) continue;
        const key = endpointKey(address, number);
        if (found.has(key) && endpoint.conditions?.terminating === true) continue;
        found.set(key, {
          address,
          port: number,
          ready: endpoint.conditions?.ready ?? true,
          serving: endpoint.conditions?.serving ?? true,
          terminating: endpoint.conditions?.terminating ?? false,
          isLocal: endpoint.nodeName === nodeName,
          zoneHints: (endpoint.hints?.forZones ?? []).map((hint) => hint.name),
          nodeHints: (endpoint.hints?.forNodes ?? []).map((hint) => hint.name),
          nodeName: endpoint.nodeName ?? null,
          slice: slice.metadata.name,
        });
      }
    }
  }
  return [...found.values()];
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export const endpointKey = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** An address in its usual text; undefined when it is none. Leading zeros are dropped as kube-proxy's ParseIPSloppy does. */
export function canonical(text: string): string | undefined {
  const value = addressValue(text);
  return value === undefined ? undefined : addressText(value);
}

/** The slices of each Service, by `namespace/name` of the Service that their label names. */
export function slicesByService(slices: readonly EndpointSlice[]): Map<string, EndpointSlice[]> {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (name === undefined || name === '') continue;
    const key = `${slice.metadata.namespace ?? ''}/${name}`;
    const known = byService.get(key);
    if (known) known.push(slice);
    else byService.set(key, [slice]);
  }
  return byService;
}

function clusterAddress(service: Service, family: Family): string | undefined {
  const { clusterIP = '', clusterIPs = [] } = service.spec;
  if (clusterIP === '' || clusterIP === 'None') return undefined;
  return ofFamily(clusterIPs.length > 0 ? clusterIPs : [clusterIP], family)[0];
}

/** `externalTrafficPolicy` counts only for Services that can be reached from outside (pkg/api/v1/service/util.go). */
const canHaveExternalPolicy = ({ spec }: Service): boolean =>
  spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.externalIPs ?? []).length > 0;

/** A range of everything is none; ranges of the other family alone restrict nothing in this one. */
function sourceRangesOf(service: Service, family: Family): string[] {
  const ranges = (service.spec.loadBalancerSourceRanges ?? []).map((text) => text.trim());
  const masks = ranges.flatMap((text) => addressMask(text) ?? []).filter((mask) => mask.family === family);
  return masks.some((mask) => mask.mask === 0n) ? [] : masks.map((mask) => mask.text);
}

const ofFamily = (addresses: readonly string[], family: Family): string[] =>
  addresses.flatMap((text) => {
    const value: AddressValue | undefined = addressValue(text);
    return value?.family === family ? [addressText(value)] : [];
  });
