import type { Endpoint } from '../model/endpoints.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import { absent, mapObserved, type Observed, seen, unknown } from '../model/observed.ts';
import { choosePort, clusterDomainOf, endpointsOf, findDnsService, matchesSelector, readList, readObject } from '../parse/objects.ts';
import {
  type ConfigMap,
  configMapSchema,
  type EndpointSlice,
  type Event,
  endpointSliceSchema,
  eventSchema,
  type NetworkPolicy,
  type Node,
  networkPolicySchema,
  nodeSchema,
  type Pod,
  podSchema,
  type Service,
  serviceSchema,
  type Workload,
  workloadSchema,
} from '../schema/kubernetes.ts';
import type { Request, Snapshot } from '../snapshot/snapshot.ts';
import { type NamespaceFacts, namespaceFacts } from './node-facts.ts';
import { once, oncePerKey } from './once.ts';
import { type ProbeResult, readProbes } from './probe-results.ts';

type ServicePort = NonNullable<Service['spec']['ports']>[number];

/** Everything that is known, joined from the snapshot: lazy, memoised, pure. Checks see nothing else. */
export interface Facts {
  snapshot: Snapshot;
  request: Request;
  target: {
    namespace: string;
    name: string;
    service: Observed<Service>;
    /** The Service port that is diagnosed; undefined when the Service has none or was not read. */
    port: ServicePort | undefined;
    /** IPv4 ClusterIPs; empty for a headless or ExternalName Service. */
    addresses: string[];
    slices: Observed<EndpointSlice[]>;
    endpoints: Observed<Endpoint[]>;
  };
  dns: {
    service: Observed<Service>;
    addresses: string[];
    endpoints: Observed<Endpoint[]>;
    /** Pods that carry the label of cluster DNS, or that the DNS Service selects. */
    pods: Observed<Pod[]>;
    corefile: Observed<string>;
    domain: string;
  };
  client: {
    request: Request['from'];
    pod: Pod | undefined;
    /** The pod's or node's IPv4 address. */
    address: string | undefined;
    node: string | null;
    /** `pod/ns/name` or `node/name`: the origin of its probes; empty when there is no client. */
    origin: string;
    /** Its network namespace: the pod's, or the node's for a node or a hostNetwork pod. */
    net: NamespaceFacts | undefined;
  };
  pods(namespace: string): Observed<Pod[]>;
  pod(namespace: string, name: string): Pod | undefined;
  podByAddress(address: string): Pod | undefined;
  nodes(): Observed<Node[]>;
  node(name: string): Node | undefined;
  nodeAddress(name: string): string | undefined;
  events(): Observed<Event[]>;
  networkPolicies(): Observed<NetworkPolicy[]>;
  deployments(): Observed<Workload[]>;
  /** Deployments of the Service's namespace; read only where its selector matches no pod. */
  targetDeployments(): Observed<Workload[]>;
  daemonSets(): Observed<Workload[]>;
  configMap(name: string): Observed<ConfigMap>;
  /** Network namespace of a node. */
  nodeNet(name: string): NamespaceFacts;
  /** Network namespace of a pod (the node's for hostNetwork). */
  podNet(pod: Pod): NamespaceFacts;
  /** Nodes of which anything was read. */
  nodesSeen(): string[];
  /** The node that an address (of a pod or a node) lives on. */
  nodeOf(address: string): string | null;
  probes: ProbeResult[];
  probesOf(stage: ProbeResult['stage'], origin?: string): ProbeResult[];
}

/** Joins a snapshot into facts. */
export function createFacts(snapshot: Snapshot): Facts {
  const { entries } = snapshot;
  const { request } = snapshot.manifest;
  const at = (path: string) => entries.get(apiKey(path));
  const namespace = request.target.namespace;

  const service = readObject(at(apiPaths.service(namespace, request.target.name)), serviceSchema);
  const slices = readList(at(apiPaths.endpointSlices(namespace)), endpointSliceSchema);
  const port = service.state === 'seen' ? choosePort(service.value, request.port) : undefined;
  const endpoints = mapObserved(slices, (items) =>
    endpointsOf(items, request.target.name, port?.name ?? null).filter((endpoint) => !endpoint.address.includes(':')),
  );

  const pods = oncePerKey((ns: string) => readList(at(apiPaths.pods(ns)), podSchema));
  const podList = (ns: string): Pod[] => {
    const list = pods(ns);
    return list.state === 'seen' ? list.value : [];
  };
  const knownNamespaces = [...entries.keys()].flatMap((key) => /^api\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(key)?.[1] ?? []);
  const allPods = once(() => knownNamespaces.flatMap(podList));
  const pod = (ns: string, name: string) => podList(ns).find((item) => item.metadata.name === name);
  const podByAddress = (address: string) =>
    allPods().find((item) => !item.spec.hostNetwork && item.status.podIP === address && item.status.phase === 'Running');
  const nodes = once(() => readList(at(apiPaths.nodes), nodeSchema));
  const nodeList = () => {
    const list = nodes();
    return list.state === 'seen' ? list.value : [];
  };
  const node = (name: string) => nodeList().find((item) => item.metadata.name === name);
  const nodeAddress = (name: string) =>
    node(name)?.status.addresses?.find((item) => item.type === 'InternalIP' && !item.address.includes(':'))?.address;

  const dns = readDns(at, pods);
  const nodeNet = oncePerKey((name: string) => namespaceFacts(entries, `node/${name}`));
  const podNetByKey = oncePerKey((key: string) => namespaceFacts(entries, `pod/${key}`));
  const podNet = (item: Pod) =>
    item.spec.hostNetwork ? nodeNet(item.spec.nodeName ?? '') : podNetByKey(`${item.metadata.namespace}/${item.metadata.name}`);

  const { from } = request;
  const clientPod = from.kind === 'Pod' ? pod(from.namespace ?? '', from.name) : undefined;
  const clientNet = from.kind === 'Node' ? nodeNet(from.name) : clientPod ? podNet(clientPod) : undefined;
  const mtuOf = (address: string): number | undefined => {
    const holder = podByAddress(address);
    const links = holder ? podNet(holder).addresses() : undefined;
    return links?.state === 'seen' ? links.value.find((link) => link.addresses.some((own) => own.address === address))?.mtu : undefined;
  };
  const probes = readProbes(entries, mtuOf);
  const nodeOf = (address: string): string | null =>
    podByAddress(address)?.spec.nodeName ??
    nodeList().find((item) => item.status.addresses?.some((known) => known.address === address))?.metadata.name ??
    [endpoints, dns.endpoints].flatMap((list) => (list.state === 'seen' ? list.value : [])).find((endpoint) => endpoint.address === address)
      ?.nodeName ??
    null;

  return {
    snapshot,
    request,
    target: {
      namespace,
      name: request.target.name,
      service,
      port,
      addresses: service.state === 'seen' ? addressesOf(service.value) : [],
      slices,
      endpoints,
    },
    dns,
    client: {
      request: from,
      pod: clientPod,
      address: from.kind === 'Pod' ? clientPod?.status.podIP : from.kind === 'Node' ? nodeAddress(from.name) : undefined,
      node: from.node,
      origin: from.kind === 'Pod' ? `pod/${from.namespace}/${from.name}` : from.kind === 'Node' ? `node/${from.name}` : '',
      net: clientNet,
    },
    pods,
    pod,
    podByAddress,
    nodes,
    node,
    nodeAddress,
    events: once(() => readList(at(apiPaths.warnings(namespace)), eventSchema)),
    networkPolicies: once(() => readList(at(apiPaths.networkPolicies(namespace)), networkPolicySchema)),
    deployments: once(() => readList(at(apiPaths.deployments(systemNamespace)), workloadSchema)),
    targetDeployments: once(() => readList(at(apiPaths.deployments(namespace)), workloadSchema)),
    daemonSets: once(() => readList(at(apiPaths.daemonSets(systemNamespace)), workloadSchema)),
    configMap: oncePerKey((name: string) => readObject(at(apiPaths.configMap(systemNamespace, name)), configMapSchema)),
    nodeNet,
    podNet,
    nodesSeen: once(() =>
      [
        ...new Set(
          [...entries.values()].flatMap((entry) =>
            entry.key.startsWith('node/') && !entry.failure ? [entry.key.split('/')[1] as string] : [],
          ),
        ),
      ].sort(),
    ),
    nodeOf,
    probes,
    probesOf: (stage, origin) => probes.filter((probe) => probe.stage === stage && (origin === undefined || originKey(probe) === origin)),
  };
}

export const originKey = (probe: Pick<ProbeResult, 'origin'>): string =>
  probe.origin.kind === 'pod' ? `pod/${probe.origin.namespace}/${probe.origin.name}` : `node/${probe.origin.name}`;

const addressesOf = (service: Service): string[] =>
  (service.spec.clusterIPs ?? (service.spec.clusterIP ? [service.spec.clusterIP] : [])).filter(
    (ip) => ip !== '' && ip !== 'None' && !ip.includes(':'),
  );

function readDns(at: (path: string) => Parameters<typeof readObject>[0], pods: (ns: string) => Observed<Pod[]>): Facts['dns'] {
  const services = readList(at(apiPaths.services(systemNamespace)), serviceSchema);
  const found = services.state === 'seen' ? findDnsService(services.value) : undefined;
  const service: Observed<Service> =
    services.state === 'seen'
      ? found
        ? seen(found, services.from, services.complete)
        : services.complete
          ? absent(services.from)
          : unknown('unparsed', 'not every Service of kube-system was understood')
      : services;
  const slices = readList(at(apiPaths.endpointSlices(systemNamespace)), endpointSliceSchema);
  const port =
    found?.spec.ports?.find((item) => item.port === 53 && item.protocol === 'UDP') ?? found?.spec.ports?.find((item) => item.port === 53);
  const endpoints = found
    ? mapObserved(slices, (items) =>
        endpointsOf(items, found.metadata.name, port?.name ?? null).filter((endpoint) => !endpoint.address.includes(':')),
      )
    : service.state === 'seen'
      ? slices.state === 'seen'
        ? seen([], slices.from)
        : slices
      : service;
  const selector = found?.spec.selector ?? {};
  const isDns = (pod: Pod) =>
    ['kube-dns', 'coredns'].includes(pod.metadata.labels?.['k8s-app'] ?? '') ||
    (Object.keys(selector).length > 0 && matchesSelector(pod.metadata.labels, selector));
  const config = readObject(at(apiPaths.configMap(systemNamespace, 'coredns')), configMapSchema);
  const corefile: Observed<string> =
    config.state === 'seen' ? (config.value.data?.Corefile ? seen(config.value.data.Corefile, config.from) : absent(config.from)) : config;
  return {
    service,
    addresses: found ? addressesOf(found) : [],
    endpoints,
    pods: mapObserved(pods(systemNamespace), (items) => items.filter(isDns)),
    corefile,
    domain: clusterDomainOf(corefile.state === 'seen' ? corefile.value : ''),
  };
}

/**
 * Quotes a field of an API object as the command prints it that anyone can run:
 * `kubectl get service my-service -n default -o jsonpath='{.spec.selector}'`.
 */
export function objectEvidence(
  kind: string,
  object: { metadata: { name: string; namespace?: string | undefined } },
  path: string,
  value: unknown,
): EvidenceRef {
  const namespace = object.metadata.namespace ? ` -n ${object.metadata.namespace}` : '';
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return {
    command: `kubectl get ${kind} ${object.metadata.name}${namespace} -o jsonpath='{${path}}'`,
    on: 'API server',
    lines: text.split('\n').map((line, index) => ({ number: index + 1, text: line })),
  };
}
