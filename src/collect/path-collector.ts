import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import type { Observed } from '../model/observed.ts';
import type { TraceProtocol } from '../model/trace.ts';
import { choosePort, endpointsOf, readList, readObject, type ServicePort } from '../parse/objects.ts';
import { endpointSliceSchema, nodeSchema, type Pod, podSchema, type Service, serviceSchema } from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { Request, Snapshot } from '../snapshot/snapshot.ts';
import { readObjects } from './api-round.ts';
import { chooseClient, nodeClient, silentNodes } from './client.ts';
import { ClusterError, UsageError } from './errors.ts';
import { namespaceName, sample } from './flow.ts';
import type { Kubectl } from './kubectl.ts';
import { namedClient, readPod } from './named-client.ts';
import { createNodeAccess } from './node-access.ts';
import { failedEntries, runOnNode } from './node-rounds.ts';
import { notThere, refusePort, serviceNotFound } from './not-there.ts';
import { type CollectOptions, mostEndpoints, mostNodes } from './options.ts';
import type { ClusterReader } from './reader.ts';
import { type CollectDeps, startRecording } from './recording.ts';
import { conntrackSection, nodeDetailSections, nodeSections, podSections } from './sections.ts';
import type { Session } from './session.ts';
import type { FromArgument } from './target.ts';

/** Where a traced packet starts, and what it is for. */
export interface PathOptions extends Pick<CollectOptions, 'namespace' | 'nodeAccess' | 'image' | 'nodePodNamespace'> {
  /** Null: a client is chosen as for a diagnosis. */
  from: FromArgument | { kind: 'outside'; address: string } | null;
  to:
    | { kind: 'service'; namespace: string | null; name: string; port: string | undefined }
    | { kind: 'pod'; namespace: string | null; name: string; port: number | undefined }
    | { kind: 'address'; address: string; port: number | undefined };
  protocol: TraceProtocol;
}

interface Path {
  client: Request['from'];
  nodes: string[];
  pods: Pod[];
  /** Addresses whose connections are looked for in connection tracking. */
  addresses: string[];
  silent: Map<string, string>;
}

/** Reads the tables of every node and pod on the way of a packet, and sends nothing. */
export async function collectPath(options: PathOptions, deps: Omit<CollectDeps, 'signal'>): Promise<Snapshot> {
  const recording = startRecording(deps.version);
  const entries = new Map<string, Entry>();
  const add = (items: readonly Entry[]): void => {
    for (const item of items) entries.set(item.key, item);
  };
  const { nodeAccess, image, nodePodNamespace } = options;
  const access = createNodeAccess({ nodeAccess, image, nodePodNamespace }, deps);
  deps.progress('reading the API');
  const path = await readPath(options, deps.reader, add);
  deps.progress(`reaching ${path.nodes.length === 1 ? `node ${path.nodes[0]}` : `${path.nodes.length} nodes`}`);
  const sessions = await access.open(path.nodes, path.silent);
  deps.progress('reading the nodes on the way');
  const results = await Promise.all(path.nodes.map((node) => readNode(deps.kubectl, path, node, sessions.get(node), access.failure(node))));
  for (const result of results) add(result);
  return recording.snapshot({ entries, phases: [], request: toRequest(options, path.client), access, tier: 'node' });
}

function toRequest({ to, namespace }: PathOptions, client: Request['from']): Request {
  const own = to.kind === 'address' ? namespace : (to.namespace ?? namespace);
  const name = to.kind === 'address' ? to.address : to.name;
  return {
    target: { kind: 'Service', namespace: own ?? 'default', name },
    port: to.port === undefined ? null : String(to.port),
    from: client,
  };
}

async function readNode(
  kubectl: Kubectl,
  path: Path,
  node: string,
  session: Session | undefined,
  failure: { reason: string; detail: string } | null,
): Promise<Entry[]> {
  const pods = path.pods.filter((pod) => pod.spec.nodeName === node && !pod.spec.hostNetwork);
  const lane = `node/${node}`;
  const own = [
    ...nodeSections(node),
    ...nodeDetailSections(node).filter(({ key }) => key.endsWith('/ip6tables-save')),
    ...(path.addresses.length > 0 ? [conntrackSection(node, path.addresses, `${lane}/conntrack`)] : []),
  ];
  const inside = pods.flatMap((pod) =>
    podSections(pod.metadata.namespace ?? '', pod.metadata.name, namespaceName(pod), `pod/${pod.metadata.name}`),
  );
  const on = { kind: 'node', name: node } as const;
  if (!session) return failedEntries([...own, ...inside], failure, on);
  if (session.tier === 'node-pod') return runOnNode(kubectl, session, node, [...own, ...inside], pods);
  const shut = { reason: 'not-collected', detail: 'a pod can only be entered from a node pod' };
  return [...(await runOnNode(kubectl, session, node, own, [])), ...failedEntries(inside, shut, on)];
}

/** Reads the objects and settles which nodes and pods lie on the way. Throws UsageError for what is not there, ClusterError for what can't be read. */
async function readPath(options: PathOptions, reader: ClusterReader, add: (entries: readonly Entry[]) => void): Promise<Path> {
  const { from, to } = options;
  const home = options.namespace ?? 'default';
  const front = to.kind === 'address' ? await frontAt(reader, to, add) : undefined;
  const toNamespace =
    to.kind === 'address' ? (front?.metadata.namespace ?? (await namespaceOf(reader, to.address))) : (to.namespace ?? home);
  const fromNamespace = (from && from.kind !== 'outside' ? from.namespace : null) ?? home;
  const namespaces = [...new Set([fromNamespace, ...(toNamespace === null ? [] : [toNamespace]), systemNamespace])];
  const ofService = to.kind === 'service' ? [apiPaths.service(toNamespace ?? home, to.name)] : [];
  const read = await readObjects(reader, [
    apiPaths.nodes,
    apiPaths.services(systemNamespace),
    ...namespaces.flatMap((namespace) => [apiPaths.pods(namespace), apiPaths.endpointSlices(namespace)]),
    ...ofService,
  ]);
  add(read);
  const at = (path: string): Entry | undefined => read.find(({ key }) => key === apiKey(path));
  if (read.every((entry) => entry.failure)) throw new ClusterError(`the API server could not be asked: ${read[0]?.failure?.detail ?? ''}`);
  const lists = new Map(namespaces.map((namespace) => [namespace, readList(at(apiPaths.pods(namespace)), podSchema)]));
  const listed = [...lists.values()].flatMap((list) => (list.state === 'seen' ? list.value : []));
  const target = to.kind === 'pod' ? await targetPod(to, toNamespace ?? home, lists.get(toNamespace ?? home), reader, add) : undefined;
  const pods = target === undefined || listed.includes(target) ? listed : [...listed, target];
  const nodes = readList(at(apiPaths.nodes), nodeSchema);
  const nodeList = nodes.state === 'seen' ? nodes.value : [];
  const service = to.kind === 'service' ? await serviceAt(reader, at, to.name, toNamespace ?? home) : front;
  if (service && to.kind === 'service') refusePort(service, { port: to.port, protocol: options.protocol });
  const backends = backendsOf(at, service, options, pods, toNamespace ?? home);
  const byName = new Map(pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
  const client =
    from === null
      ? chooseClient(
          pods.filter((pod) => pod.metadata.namespace === (toNamespace ?? home)),
          new Set(backends.flatMap((pod) => pod.status.podIP ?? [])),
          nodeList,
        )
      : from.kind === 'outside'
        ? nodeClient('', 'the flow starts outside of the cluster')
        : await namedClient(
            from,
            fromNamespace,
            byName,
            nodes.state === 'seen' ? nodeList.map(({ metadata }) => metadata.name) : null,
            readList(at(apiPaths.pods(fromNamespace)), podSchema),
            reader,
            add,
          );
  if (client.kind === 'none') throw new UsageError(client.why);
  const clientPod = byName.get(`${client.namespace}/${client.name}`);
  const owners =
    to.kind === 'address' ? nodeList.filter((node) => node.status.addresses?.some(({ address }) => address === to.address)) : [];
  const entrances = from?.kind === 'outside' && owners.length === 0 ? nodeList : owners;
  return {
    client,
    nodes: [
      ...new Set(
        [client.node, ...entrances.map(({ metadata }) => metadata.name), ...backends.map((pod) => pod.spec.nodeName)].filter(
          (name) => name !== null && name !== undefined && name !== '',
        ),
      ),
    ].slice(0, mostNodes) as string[],
    pods: [...new Set([...(clientPod ? [clientPod] : []), ...backends])],
    addresses: addressesOf(options, service).slice(0, 6),
    silent: silentNodes(nodeList),
  };
}

/** Addresses of the target that may stand in tables of connections. */
const addressesOf = ({ to }: PathOptions, service: Service | undefined): string[] =>
  (to.kind === 'address' ? [to.address] : (service?.spec.clusterIPs ?? [])).filter(
    (address) => address !== 'None' && !address.includes(':'),
  );

/** The Service that has an address and port, or whose port every node has; what no node has can't be a NodePort, but reading one more pod harms nobody. */
async function frontAt(
  reader: ClusterReader,
  to: Extract<PathOptions['to'], { kind: 'address' }>,
  add: (entries: readonly Entry[]) => void,
): Promise<Service | undefined> {
  const read = await readObjects(reader, [apiPaths.allServices]);
  add(read);
  const services = readList(read[0], serviceSchema);
  return (services.state === 'seen' ? services.value : []).find(({ spec, status }) => {
    const own = [
      ...(spec.clusterIPs ?? []),
      ...(spec.externalIPs ?? []),
      ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
    ];
    return own.includes(to.address) || (to.port !== undefined && (spec.ports ?? []).some(({ nodePort }) => nodePort === to.port));
  });
}

/** The namespace of the pod that has an address; null when no pod has it, or that could not be asked. */
async function namespaceOf(reader: ClusterReader, address: string): Promise<string | null> {
  const read = await reader.get(`/api/v1/pods?fieldSelector=status.podIP%3D${encodeURIComponent(address)}`);
  const items = read.ok ? ((read.body as { items?: { metadata?: { namespace?: string } }[] }).items ?? []) : [];
  return items[0]?.metadata?.namespace ?? null;
}

async function serviceAt(
  reader: ClusterReader,
  at: (path: string) => Entry | undefined,
  name: string,
  namespace: string,
): Promise<Service | undefined> {
  const service = readObject(at(apiPaths.service(namespace, name)), serviceSchema);
  if (service.state === 'absent') throw await serviceNotFound(reader, namespace, name);
  return service.state === 'seen' ? service.value : undefined;
}

/** The pods at the other end: endpoints of the Service, the pod that was named or has the address. */
function backendsOf(
  at: (path: string) => Entry | undefined,
  service: Service | undefined,
  { to, protocol }: PathOptions,
  pods: readonly Pod[],
  namespace: string,
): Pod[] {
  if (to.kind === 'address' && service === undefined) return pods.filter((pod) => pod.status.podIP === to.address);
  if (to.kind !== 'pod')
    return service
      ? endpointPods(at, service, choosePort(service, to.port === undefined ? null : portOf(service, to.port), protocol), pods)
      : [];
  return pods.filter(({ metadata }) => metadata.name === to.name && metadata.namespace === namespace);
}

/** The pod that is asked for, also where the role may not list pods. Throws UsageError when it is not there. */
async function targetPod(
  to: Extract<PathOptions['to'], { kind: 'pod' }>,
  namespace: string,
  list: Observed<Pod[]> | undefined,
  reader: ClusterReader,
  add: (entries: readonly Entry[]) => void,
): Promise<Pod> {
  const pods = list?.state === 'seen' ? list.value : [];
  const listed = pods.find(({ metadata }) => metadata.name === to.name);
  const isAll = list?.state === 'seen' && list.complete;
  const pod = listed ?? (isAll ? undefined : await readPod(namespace, to.name, reader, add));
  if (pod) return pod;
  throw notThere(
    'pod',
    namespace,
    to.name,
    pods.map(({ metadata }) => metadata.name),
  );
}

/** The Service's own port behind a NodePort. */
const portOf = (service: Service, port: string | number): string =>
  String((service.spec.ports ?? []).find(({ nodePort }) => nodePort === port)?.port ?? port);

function endpointPods(
  at: (path: string) => Entry | undefined,
  { metadata }: Service,
  port: ServicePort | undefined,
  pods: readonly Pod[],
): Pod[] {
  const slices = readList(at(apiPaths.endpointSlices(metadata.namespace ?? '')), endpointSliceSchema);
  const endpoints = slices.state === 'seen' ? endpointsOf(slices.value, metadata.name, port?.name ?? null) : [];
  return sample(endpoints, mostEndpoints).flatMap(
    ({ pod }) => pods.find(({ metadata }) => metadata.name === pod?.name && metadata.namespace === pod?.namespace) ?? [],
  );
}
