import type { Endpoint } from '../model/endpoints.ts';
import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import { choosePort, clusterDomainOf, endpointsOf, findDnsService, matchesSelector, readList, readObject } from '../parse/objects.ts';
import {
  type EndpointSlice,
  endpointSliceSchema,
  nodeSchema,
  type Pod,
  podSchema,
  type Service,
  serviceSchema,
} from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { Request } from '../snapshot/snapshot.ts';
import { pathsFor, readObjects } from './api-round.ts';
import { chooseClient, silentNodes } from './client.ts';
import { ClusterError, UsageError } from './errors.ts';
import { namedClient } from './named-client.ts';
import { portNotFound, serviceNotFound } from './not-there.ts';
import type { CollectOptions } from './options.ts';
import type { ClusterReader } from './reader.ts';

/** What the API round settled, and every later round starts from. */
export interface Plan {
  namespace: string;
  service: Service;
  port: NonNullable<Service['spec']['ports']>[number] | undefined;
  endpoints: Endpoint[];
  dnsService: Service | undefined;
  dnsEndpoints: Endpoint[];
  pods: Map<string, Pod>;
  client: Request['from'];
  domain: string;
  /** Nodes whose kubelet no longer reports (Ready is Unknown), with the condition's message. */
  silent: Map<string, string>;
}

/** Reads the objects that the rounds start from. Throws UsageError for a name or port that is not there, ClusterError where the Service can't be read. */
export async function readPlan(options: CollectOptions, reader: ClusterReader, add: (entries: readonly Entry[]) => void): Promise<Plan> {
  const namespace = options.target.namespace ?? options.namespace ?? 'default';
  const clientNamespace = options.from?.namespace ?? options.namespace ?? namespace;
  const paths = [
    ...new Set([...pathsFor(namespace, options.target.name), ...(clientNamespace === namespace ? [] : [apiPaths.pods(clientNamespace)])]),
  ];
  const read = await readObjects(reader, paths);
  add(read);
  const byKey = new Map(read.map((entry) => [entry.key, entry]));
  const at = (path: string) => byKey.get(apiKey(path));

  const service = readObject(at(apiPaths.service(namespace, options.target.name)), serviceSchema);
  if (service.state === 'absent') throw await serviceNotFound(reader, namespace, options.target.name);
  if (service.state === 'unknown') {
    const failed = read.every((entry) => entry.failure)
      ? 'the API server could not be asked'
      : `Service ${namespace}/${options.target.name} could not be read`;
    if (/^(error: )?(cluster|user|auth info|context) "[^"]*" does not exist/.test(service.detail)) throw new UsageError(service.detail);
    throw new ClusterError(`${failed}: ${service.detail}`);
  }
  const port = choosePort(service.value, options.target.port);
  if (!port && options.target.port !== null) throw portNotFound(service.value, options.target.port);

  const slices = readList(at(apiPaths.endpointSlices(namespace)), endpointSliceSchema);
  const systemSlices = readList(at(apiPaths.endpointSlices(systemNamespace)), endpointSliceSchema);
  const listed = (ns: string) => readList(at(apiPaths.pods(ns)), podSchema);
  const pods = [namespace, clientNamespace, systemNamespace].flatMap((ns) => {
    const list = listed(ns);
    return list.state === 'seen' ? list.value : [];
  });
  const nodes = readList(at(apiPaths.nodes), nodeSchema);
  const systemServices = readList(at(apiPaths.services(systemNamespace)), serviceSchema);
  const dnsService = systemServices.state === 'seen' ? findDnsService(systemServices.value) : undefined;
  const endpoints = slices.state === 'seen' ? endpointsOf(slices.value, options.target.name, port?.name ?? null) : [];
  const dnsPort = dnsService?.spec.ports?.find((item) => item.port === 53 && item.protocol === 'UDP') ?? dnsService?.spec.ports?.[0];
  const dnsEndpoints =
    dnsService && systemSlices.state === 'seen' ? endpointsOf(systemSlices.value, dnsService.metadata.name, dnsPort?.name ?? null) : [];
  const podMap = new Map(pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
  const client = options.from
    ? await namedClient(
        options.from,
        clientNamespace,
        podMap,
        nodes.state === 'seen' ? nodes.value.map((node) => node.metadata.name) : null,
        listed(clientNamespace),
        reader,
        add,
      )
    : chooseClient(
        listed(namespace).state === 'seen' ? pods.filter((pod) => pod.metadata.namespace === namespace) : null,
        backendAddresses(service.value, slices.state === 'seen' ? addressesOf(slices.value, options.target.name) : null, pods),
        nodes.state === 'seen' ? nodes.value : null,
      );
  const corefile = at(apiPaths.configMap(systemNamespace, 'coredns'))?.stdout ?? '';
  return {
    namespace,
    service: service.value,
    port,
    endpoints,
    dnsService,
    dnsEndpoints,
    pods: podMap,
    client,
    domain: clusterDomainOf(corefile),
    silent: silentNodes(nodes.state === 'seen' ? nodes.value : []),
  };
}

/** Every address behind the Service, whatever the port: a headless Service need not have any. */
const addressesOf = (slices: readonly EndpointSlice[], name: string): string[] =>
  slices
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap((slice) => (slice.endpoints ?? []).flatMap(({ addresses }) => addresses));

/** Where requests to the Service end: its endpoints; where those could not be read, the pods that it selects. */
function backendAddresses(service: Service, addresses: readonly string[] | null, pods: readonly Pod[]): Set<string> {
  if (addresses) return new Set(addresses);
  const selector = service.spec.selector ?? {};
  if (Object.keys(selector).length === 0) return new Set();
  return new Set(pods.filter((pod) => matchesSelector(pod.metadata.labels, selector)).flatMap((pod) => pod.status.podIP ?? []));
}
