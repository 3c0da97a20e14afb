import type { z } from 'zod';
import type { Endpoint } from '../model/endpoints.ts';
import { absent, type Observed, seen, unknown } from '../model/observed.ts';
import type { TraceProtocol } from '../model/trace.ts';
import type { EndpointSlice, Pod, Service } from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';

/** Reads one API object from its entry. */
export function readObject<T>(entry: Entry | undefined, schema: z.ZodType<T>): Observed<T> {
  const json = readJson(entry);
  if (json.state !== 'seen') return json;
  const result = schema.safeParse(json.value);
  return result.success
    ? seen(result.data, json.from)
    : unknown('unparsed', `${json.from}: ${result.error.issues[0]?.message ?? 'unexpected form'}`);
}

/** Reads a list. One item of an unexpected form leaves the list incomplete, so that nothing is claimed to be missing from it. */
export function readList<T>(entry: Entry | undefined, schema: z.ZodType<T>): Observed<T[]> {
  const json = readJson(entry);
  if (json.state !== 'seen') return json;
  const items = (json.value as { items?: unknown }).items;
  if (!Array.isArray(items)) return unknown('unparsed', `${json.from} is no list`);
  const results = items.map((item) => schema.safeParse(item));
  const good = results.flatMap((result) => (result.success ? [result.data] : []));
  return seen(good, json.from, good.length === items.length);
}

function readJson(entry: Entry | undefined): Observed<unknown> {
  if (!entry) return unknown('not-collected', 'not asked for');
  if (entry.failure) return unknown(entry.failure.reason, entry.failure.detail);
  if (entry.exit === 404) return absent(entry.key);
  try {
    return seen(JSON.parse(entry.stdout), entry.key);
  } catch {
    return unknown('truncated', `${entry.key} is not whole JSON`);
  }
}

export type ServicePort = NonNullable<Service['spec']['ports']>[number];

/**
 * The Service port that is meant: by number, by name, or the first. Of one number that several protocols have, and where nothing is named, TCP: it can be probed.
 * With a protocol only ports of that one; ICMP has none, and takes any.
 */
export function choosePort(service: Service, wanted: string | null, protocol?: TraceProtocol): ServicePort | undefined {
  const ports = (service.spec.ports ?? []).filter(
    (port) =>
      (wanted === null || String(port.port) === wanted || port.name === wanted) &&
      (protocol === undefined || protocol === 'icmp' || port.protocol.toLowerCase() === protocol),
  );
  return ports.find((port) => port.protocol === 'TCP') ?? ports[0];
}

/**
 * Backends of one Service port: the EndpointSlice port of the same name (an unnamed Service port has an unnamed slice port).
 * `ready: null` counts as ready (EndpointSlice API reference: "nil should be interpreted as true").
 */
export function endpointsOf(slices: readonly EndpointSlice[], serviceName: string, portName: string | null): Endpoint[] {
  return slices
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === serviceName && slice.addressType !== 'FQDN')
    .flatMap((slice) =>
      (slice.ports ?? [])
        .filter((port) => (port.name || null) === (portName || null) && typeof port.port === 'number')
        .flatMap((port) =>
          (slice.endpoints ?? []).flatMap((endpoint) =>
            endpoint.addresses.slice(0, 1).map((address) => ({
              address,
              port: port.port as number,
              portName: port.name || null,
              protocol: port.protocol ?? 'TCP',
              ready: endpoint.conditions?.ready ?? true,
              serving: endpoint.conditions?.serving ?? endpoint.conditions?.ready ?? true,
              terminating: endpoint.conditions?.terminating ?? false,
              nodeName: endpoint.nodeName ?? null,
              pod:
                endpoint.targetRef?.kind === 'Pod' && endpoint.targetRef.name
                  ? { namespace: endpoint.targetRef.namespace ?? slice.metadata.namespace ?? '', name: endpoint.targetRef.name }
                  : null,
              slice: slice.metadata.name,
            })),
          ),
        ),
    )
    .sort((a, b) => a.address.localeCompare(b.address, 'en', { numeric: true }));
}

export const isReady = (pod: Pod): boolean =>
  pod.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
export const isRunning = (pod: Pod): boolean => pod.status.phase === 'Running' && !pod.metadata.deletionTimestamp;
export const matchesSelector = (labels: Record<string, string> | undefined, selector: Record<string, string>): boolean =>
  Object.entries(selector).every(([key, value]) => labels?.[key] === value);

/** Ids of the pod's running containers, without the runtime's prefix (`containerd://…`). */
export const containerIds = (pod: Pod): string[] =>
  (pod.status.containerStatuses ?? []).flatMap((status) => {
    const id = status.state?.running ? status.containerID?.replace(/^[a-z0-9-]+:\/\//, '') : undefined;
    return id && /^[0-9a-f]{12,}$/.test(id) ? [id] : [];
  });

/** The Service of the cluster's DNS: by the label that every installer keeps for compatibility, else by name. */
export function findDnsService(services: readonly Service[]): Service | undefined {
  const dns = (service: Service) => (service.spec.ports ?? []).some((port) => port.port === 53) && service.spec.clusterIP !== 'None';
  const byLabel = services.filter(
    (service) => ['kube-dns', 'coredns'].includes(service.metadata.labels?.['k8s-app'] ?? '') && dns(service),
  );
  return (
    byLabel.find((service) => service.metadata.name === 'kube-dns') ??
    byLabel[0] ??
    services.find((service) => ['kube-dns', 'coredns', 'dns-default'].includes(service.metadata.name) && dns(service))
  );
}

/** The zone that CoreDNS's kubernetes plug-in serves (coredns.io/plugins/kubernetes): the cluster domain. `cluster.local` when it is not known. */
export function clusterDomainOf(corefile: string): string {
  const match = /\bkubernetes\s+([a-z0-9.-]+\.[a-z0-9-]+|[a-z0-9-]+)\.?(?=[\s\\{])/.exec(corefile);
  return match?.[1] && !match[1].endsWith('.arpa') ? match[1] : 'cluster.local';
}
