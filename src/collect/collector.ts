import type { Endpoint } from '../model/endpoints.ts';
import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import type { Observed } from '../model/observed.ts';
import {
  choosePort,
  clusterDomainOf,
  containerIds,
  endpointsOf,
  findDnsService,
  isRunning,
  matchesSelector,
  readList,
  readObject,
} from '../parse/objects.ts';
import { endpointSliceSchema, nodeSchema, type Pod, podSchema, type Service, serviceSchema, workloadSchema } from '../schema/kubernetes.ts';
import type { Entry, RanOn } from '../snapshot/entry.ts';
import type { Request, Snapshot } from '../snapshot/snapshot.ts';
import { asReason, lostOfApi, pathsFor, readObjects } from './api-round.ts';
import { chooseClient, nodeClient, podClient, silentNodes } from './client.ts';
import type { Kubectl } from './kubectl.ts';
import { answersNot, createNodeAccess } from './node-access.ts';
import type { NodePods } from './node-pod.ts';
import { type CollectOptions, mostEndpoints, mostNodes } from './options.ts';
import type { Namespace } from './prelude.ts';
import { connectProbe, dnsServerProbe, nameProbes, nodeReachProbe, serviceTries, sizeProbe } from './probe-sections.ts';
import type { ClusterReader, ReadFailure } from './reader.ts';
import type { Section } from './script.ts';
import { conntrackSection, nodeDetailSections, nodeSections, podSections, routeGetSection } from './sections.ts';
import { runSections, type Session } from './session.ts';
import { nearNames } from './target.ts';

/** A mistake in what was asked for (exit code 2), with a sentence that says what is there instead. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The API server could not be asked at all (exit code 3). */
export class ClusterError extends Error {
  override name = 'ClusterError';
}

export interface Collector {
  /** API objects, then the client's own namespace and node. */
  first(): Promise<Snapshot>;
  /** The nodes and pods that the flow passes beyond the client's node, and what the probes left in the client's node. */
  more(): Promise<Snapshot>;
}

interface Deps {
  kubectl: Kubectl;
  reader: ClusterReader;
  nodePods: NodePods;
  signal: AbortSignal;
  version: string;
  progress: (text: string) => void;
}

/** What the API round settled, and every later round starts from. */
interface Plan {
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

/** Gathers one snapshot in rounds. The only state is the snapshot that grows, and the node pods that have to be deleted at the end. */
export function createCollector(options: CollectOptions, deps: Deps): Collector {
  const started = new Date();
  const clock = performance.now();
  const entries = new Map<string, Entry>();
  const phases: { name: string; seconds: number }[] = [];
  const access = createNodeAccess(options, deps);
  let plan: Plan | undefined;
  let clientAccess: 'exec' | 'node' | 'none' = 'none';

  const add = (items: readonly Entry[]) => {
    for (const item of items) entries.set(item.key, item);
  };
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    deps.progress(name);
    const begin = performance.now();
    try {
      return await work();
    } finally {
      phases.push({ name, seconds: seconds(performance.now() - begin) });
    }
  };
  const snapshot = (): Snapshot => ({
    manifest: {
      apiVersion: 'k8snet.dev/v1',
      kind: 'Snapshot',
      k8snet: deps.version,
      startedAt: started.toISOString(),
      seconds: seconds(performance.now() - clock),
      phases: [...phases],
      request: toRequest(plan, options),
      access: {
        best: access.best(clientAccess === 'exec'),
        nodes: access.report(),
        lost: [...lostOfApi(entries.values()), ...access.lost(plan?.client, clientAccess)],
      },
    },
    entries: new Map(entries),
  });

  /** Reads the client's node and probes from the client, through the node's pod where there is one, else by exec into the client. */
  const probeFirst = async (work: Plan, node: string, session: Session | undefined): Promise<'exec' | 'node' | 'none'> => {
    const isPod = work.client.kind === 'Pod';
    const throughNode = session?.tier === 'node-pod';
    // A pod's node is asked in the second round only: its probes explain what failed, and are no symptom themselves.
    const nodeSide = [...nodeSections(node), ...(isPod ? [] : nodeOriginProbes(work, node))];
    const execs = async (): Promise<Entry[]> => (isPod ? runInClient(deps, work, access.failure(node)) : []);
    const [ofNode, ofClient] = await Promise.all([
      session
        ? runOnNode(deps, work, session, node, [...nodeSide, ...(throughNode ? clientSections(work) : [])], podsOfNode(work, node))
        : failedEntries(nodeSections(node), access.failure(node), { kind: 'node', name: node }),
      throughNode ? [] : execs(),
    ]);
    add(ofNode);
    const broken = session ? wholeFailure(ofNode) : null;
    if (broken)
      access.giveUp(node, {
        ...broken,
        detail: `pod ${session?.namespace}/${session?.pod} was there, and the exec into it brought nothing: ${broken.detail}`,
      });
    if (!throughNode) {
      add(ofClient);
      return ofClient.some((entry) => !entry.failure) ? 'exec' : 'none';
    }
    if (!isPod) return broken ? 'none' : 'node';
    const entered = ofNode.filter((entry) => entry.on.kind === 'pod');
    const shut = entered.find((entry) => entry.failure?.reason === 'unsupported')?.failure ?? wholeFailure(entered);
    if (!shut) return 'node';
    // Not allowed there, or no process of the pod is to be found (a sandboxed runtime): its own exec may still be a way in.
    if (shut.reason !== 'forbidden' && shut.reason !== 'unsupported') return 'none';
    const second = await execs();
    add(second);
    return second.some((entry) => !entry.failure) ? 'exec' : 'none';
  };

  return {
    first: async () => {
      plan = await phase('reading the API', () => readPlan(options, deps.reader, add));
      const { node } = plan.client;
      const work = plan;
      if (node !== null) {
        const sessions = await phase(`reaching node ${node}`, () => access.open([node], work.silent));
        await phase('probing', async () => {
          clientAccess = await probeFirst(work, node, sessions.get(node));
        });
      }
      return snapshot();
    },
    more: async () => {
      if (!plan) throw new Error('more() before first()');
      const work = plan;
      const nodes = nodesOnPath(work);
      const sessions = await phase(`reaching ${nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes`}`, () =>
        access.open(nodes, work.silent),
      );
      await phase('looking closer', async () => {
        const results = await Promise.all([
          ...nodes.map(async (node) => {
            const session = sessions.get(node);
            const result = await secondRound(deps, options, work, node, session, access.failure(node));
            const broken = session ? wholeFailure(result) : null;
            if (broken)
              access.giveUp(node, {
                ...broken,
                detail: `pod ${session?.namespace}/${session?.pod} was there, and the exec into it brought nothing: ${broken.detail}`,
              });
            return result;
          }),
          readLogs(deps, work),
        ]);
        for (const result of results) add(result);
        add(await retryTools(deps, work, entries, nodes));
      });
      return snapshot();
    },
  };
}

/** The one failure that all entries share: what ended the exec, and not one section of it. */
function wholeFailure(entries: readonly Entry[]): ReadFailure | null {
  const failure = entries[0]?.failure;
  return failure && entries.every((entry) => entry.failure?.reason === failure.reason && entry.failure.detail === failure.detail)
    ? failure
    : null;
}

const seconds = (milliseconds: number): number => Math.round(milliseconds / 10) / 100;

function toRequest(plan: Plan | undefined, options: CollectOptions): Request {
  return {
    target: { kind: 'Service', namespace: plan?.namespace ?? options.namespace ?? 'default', name: options.target.name },
    port: options.target.port,
    from: plan?.client ?? { kind: 'none', name: 'none', node: null, why: 'the API could not be read' },
  };
}

async function readPlan(options: CollectOptions, reader: ClusterReader, add: (entries: readonly Entry[]) => void): Promise<Plan> {
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
  if (service.state === 'absent') throw new UsageError(await serviceNotFound(reader, namespace, options.target.name));
  if (service.state === 'unknown') {
    const failed = read.every((entry) => entry.failure)
      ? 'the API server could not be asked'
      : `Service ${namespace}/${options.target.name} could not be read`;
    throw new ClusterError(`${failed}: ${service.detail}`);
  }
  const port = choosePort(service.value, options.target.port);
  if (!port && options.target.port !== null) throw new UsageError(portNotFound(service.value, options.target.port));

  const slices = readList(at(apiPaths.endpointSlices(namespace)), endpointSliceSchema);
  const systemSlices = readList(at(apiPaths.endpointSlices(systemNamespace)), endpointSliceSchema);
  const listed = (ns: string) => readList(at(apiPaths.pods(ns)), podSchema);
  const pods = [namespace, clientNamespace, systemNamespace].flatMap((ns) => {
    const list = listed(ns);
    return list.state === 'seen' ? list.value : [];
  });
  const nodes = readList(at(apiPaths.nodes), nodeSchema);
  const systemServices = readList(at(apiPaths.services(systemNamespace)), listOfServices);
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
        backendAddresses(service.value, slices.state === 'seen' ? endpoints : null, pods),
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

/** Where requests to the Service end: its endpoints; where those could not be read, the pods that it selects. */
function backendAddresses(service: Service, endpoints: readonly Endpoint[] | null, pods: readonly Pod[]): Set<string> {
  if (endpoints) return new Set(endpoints.map((endpoint) => endpoint.address));
  const selector = service.spec.selector ?? {};
  if (Object.keys(selector).length === 0) return new Set();
  return new Set(pods.filter((pod) => matchesSelector(pod.metadata.labels, selector)).flatMap((pod) => pod.status.podIP ?? []));
}

const listOfServices = serviceSchema;

async function serviceNotFound(reader: ClusterReader, namespace: string, name: string): Promise<string> {
  const all = await reader.get(apiPaths.allServices);
  const items = all.ok ? ((all.body as { items?: { metadata?: { name?: string; namespace?: string } }[] }).items ?? []) : null;
  const sentence = `there is no Service "${name}" in namespace "${namespace}"`;
  if (!items) return `${sentence} (SVC001); whether another namespace has it could not be read`;
  const elsewhere = items.filter((item) => item.metadata?.name === name).map((item) => item.metadata?.namespace ?? '');
  const near = nearNames(
    name,
    items.filter((item) => item.metadata?.namespace === namespace).map((item) => item.metadata?.name ?? ''),
  );
  const hints = [
    ...(elsewhere.length > 0 ? [`namespace ${elsewhere.slice(0, 5).join(', ')} has it (-n ${elsewhere[0]})`] : []),
    ...(near.length > 0 ? [`near names here: ${near.join(', ')}`] : []),
  ];
  return `${sentence} (SVC001); ${hints.length > 0 ? hints.join('; ') : 'no other namespace has it, and no name here is near to it'}`;
}

function portNotFound(service: Service, wanted: string): string {
  const ports = (service.spec.ports ?? []).map((port) => `${port.port}${port.name ? ` (${port.name})` : ''}`);
  return `Service ${service.metadata.namespace}/${service.metadata.name} has no port "${wanted}"; it has ${ports.join(', ') || 'no ports at all'}`;
}

async function namedClient(
  from: NonNullable<CollectOptions['from']>,
  namespace: string,
  pods: ReadonlyMap<string, Pod>,
  nodes: readonly string[] | null,
  podsRead: Observed<unknown>,
  reader: ClusterReader,
  add: (entries: readonly Entry[]) => void,
): Promise<Request['from']> {
  const inNamespace = [...pods.values()].filter((pod) => pod.metadata.namespace === namespace);
  if (from.kind === 'node') {
    if (nodes && !nodes.includes(from.name))
      throw new UsageError(`there is no node "${from.name}"; the nodes are ${nodes.slice(0, 10).join(', ')}`);
    return nodeClient(from.name, 'named by --from');
  }
  if (from.kind === 'pod') {
    const pod =
      pods.get(`${namespace}/${from.name}`) ??
      (podsRead.state === 'seen' && podsRead.complete ? undefined : await readPod(namespace, from.name, reader, add));
    if (!pod) {
      const near = nearNames(
        from.name,
        inNamespace.map((item) => item.metadata.name),
      );
      throw new UsageError(
        `there is no pod "${from.name}" in namespace "${namespace}"${near.length > 0 ? `; near names: ${near.join(', ')}` : ''}`,
      );
    }
    if (!isRunning(pod))
      throw new UsageError(
        `pod ${namespace}/${from.name} is not running (${pod.status.phase ?? 'no phase'}): a probe can only start from a running pod`,
      );
    return podClient(pod, 'named by --from');
  }
  const path = apiPaths.deployments(namespace);
  const read = await readObjects(reader, [path]);
  add(read);
  const deployments = readList(read[0], workloadSchema);
  if (deployments.state !== 'seen')
    throw new ClusterError(
      `the deployments of namespace ${namespace} could not be read: ${deployments.state === 'unknown' ? deployments.detail : 'not there'}`,
    );
  const deployment = deployments.value.find((item) => item.metadata.name === from.name);
  if (!deployment) throw new UsageError(`there is no deployment "${from.name}" in namespace "${namespace}"`);
  if (podsRead.state !== 'seen')
    throw new ClusterError(
      `the pods of namespace ${namespace} could not be read, and so none of deployment ${from.name}: ${podsRead.state === 'unknown' ? podsRead.detail : 'not there'}`,
    );
  const selector = deployment.spec.selector?.matchLabels ?? {};
  const pod = inNamespace
    .filter((item) => isRunning(item) && Object.keys(selector).length > 0 && matchesSelector(item.metadata.labels, selector))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0];
  if (!pod) throw new UsageError(`deployment ${namespace}/${from.name} has no running pod to start from`);
  return podClient(pod, `the first running pod of deployment ${from.name}, which --from names`);
}

/** One pod by name, for a role that may read it and not list its namespace. Undefined when it is not there. */
async function readPod(
  namespace: string,
  name: string,
  reader: ClusterReader,
  add: (entries: readonly Entry[]) => void,
): Promise<Pod | undefined> {
  const read = await readObjects(reader, [`${apiPaths.pods(namespace)}/${name}`]);
  add(read);
  const pod = readObject(read[0], podSchema);
  if (pod.state === 'unknown') throw new ClusterError(`whether there is a pod ${namespace}/${name} could not be read: ${pod.detail}`);
  return pod.state === 'seen' ? pod.value : undefined;
}

/** A stable sample, spread over the list, of more endpoints than are probed. */
export function sample<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)] as T);
}

const namespaceName = (pod: Pod): string => `p${(pod.metadata.name + pod.metadata.namespace).replace(/[^a-z0-9]/g, '')}`;

function clientPod(plan: Plan): Pod | undefined {
  return plan.client.kind === 'Pod' ? plan.pods.get(`${plan.client.namespace}/${plan.client.name}`) : undefined;
}

/** Everything that is asked from inside the client's network namespace. */
function clientSections(plan: Plan): Section[] {
  const pod = clientPod(plan);
  if (!pod) return [];
  const origin = `pod/${plan.client.namespace}/${plan.client.name}`;
  const ns = pod.spec.hostNetwork ? 'host' : namespaceName(pod);
  return [...podSections(plan.client.namespace ?? '', plan.client.name, ns, `${origin}/state`), ...flowProbes(plan, origin, ns, true)];
}

function nodeOriginProbes(plan: Plan, node: string): Section[] {
  return [...flowProbes(plan, `node/${node}`, 'host', plan.client.kind === 'Node'), ...reachProbes(plan, node)];
}

/** The other nodes of the flow, each by the address that its pods name as their host's. */
function reachProbes(plan: Plan, node: string): Section[] {
  const pods = [...plan.pods.values()];
  const hosts = nodesOnPath(plan)
    .filter((name) => name !== node)
    .flatMap((name) => pods.find((pod) => pod.spec.nodeName === name && pod.status.hostIP)?.status.hostIP ?? []);
  return hosts.filter((address) => !address.includes(':')).map((address) => nodeReachProbe(node, address));
}

/** Names, DNS servers, the ClusterIP, endpoints and full-size packets; from the client all of it, from its node only what tells the two apart. */
function flowProbes(plan: Plan, origin: string, ns: string, whole: boolean): Section[] {
  const { service, port } = plan;
  const name = service.metadata.name;
  const absolute = `${name}.${plan.namespace}.svc.${plan.domain}`;
  const short = plan.client.kind === 'Pod' && plan.client.namespace === plan.namespace ? name : `${name}.${plan.namespace}`;
  const dnsIPs = serviceAddresses(plan.dnsService);
  const speaks = port ? speaksOf(service, port, plan) : null;
  const ready = plan.endpoints.filter((endpoint) => endpoint.ready);
  const endpoints = sample(ready.length > 0 ? ready : plan.endpoints.filter((endpoint) => endpoint.serving), mostEndpoints);
  const external = service.spec.type === 'ExternalName' ? (service.spec.externalName ?? '').replace(/\.$/, '') : '';
  const sections: (Section | null)[] = [];
  const isPod = plan.client.kind === 'Pod';
  // A node's own resolver is not the cluster's: only a pod is asked for names.
  if (whole && isPod) sections.push(...nameProbes(origin, ns, short, absolute));
  if (whole && isPod && external !== '') sections.push(...nameProbes(origin, ns, external, external).slice(1));
  // A headless or ExternalName Service may have no address of its own: DNS servers are then asked for one that every cluster has.
  const asked = serviceAddresses(service).length > 0 ? absolute : `kubernetes.default.svc.${plan.domain}`;
  if (whole) for (const ip of dnsIPs) sections.push(dnsServerProbe(origin, ns, ip, asked, 6));
  for (const endpoint of sample(plan.dnsEndpoints, 6)) sections.push(dnsServerProbe(origin, ns, endpoint.address, asked, whole ? 2 : 1));
  if (port)
    for (const ip of serviceAddresses(service))
      sections.push(
        connectProbe(
          origin,
          ns,
          'service',
          { address: ip, port: port.port, protocol: port.protocol as 'TCP', speaks },
          whole ? serviceTries : 4,
        ),
      );
  if (port && service.spec.clusterIP === 'None')
    // Without a ClusterIP the client connects to the pod's address with the Service's port.
    for (const endpoint of endpoints.slice(0, 4))
      sections.push(
        connectProbe(origin, ns, 'service', { address: endpoint.address, port: port.port, protocol: port.protocol as 'TCP', speaks }, 2),
      );
  for (const endpoint of endpoints) {
    sections.push(
      connectProbe(
        origin,
        ns,
        'endpoint',
        { address: endpoint.address, port: endpoint.port, protocol: endpoint.protocol as 'TCP', speaks },
        whole ? 2 : 1,
      ),
    );
    if (whole) sections.push(sizeProbe(origin, ns, endpoint.address));
  }
  return sections.filter((section) => section !== null);
}

const serviceAddresses = (service: Service | undefined): string[] =>
  (service?.spec.clusterIPs ?? (service?.spec.clusterIP ? [service.spec.clusterIP] : [])).filter(
    (ip) => ip !== '' && ip !== 'None' && !ip.includes(':'),
  );

/** Whether a request may be sent: only where the Service or a container's own probe says that HTTP is spoken there. */
function speaksOf(service: Service, port: NonNullable<Service['spec']['ports']>[number], plan: Plan): 'http' | 'https' | null {
  const declared = `${port.appProtocol ?? ''} ${port.name ?? ''}`.toLowerCase();
  if (/(^| )https\b|kubernetes\.io\/wss/.test(declared) || port.port === 443) return 'https';
  if (/(^| )(http|web)\b|kubernetes\.io\/ws\b/.test(declared) || port.port === 80 || port.port === 8080) return 'http';
  const pods = plan.endpoints.flatMap((endpoint) =>
    endpoint.pod ? [plan.pods.get(`${endpoint.pod.namespace}/${endpoint.pod.name}`)] : [],
  );
  const probe = pods
    .flatMap((pod) => pod?.spec.containers ?? [])
    .flatMap((container) => [container.readinessProbe?.httpGet, container.livenessProbe?.httpGet])
    .find((get) => get);
  if (!probe || service.spec.type === 'ExternalName') return null;
  return probe.scheme === 'HTTPS' ? 'https' : 'http';
}

/** Pods of the flow that run on a node: the client, backends, DNS servers. */
function podsOfNode(plan: Plan, node: string): Pod[] {
  const wanted = new Set([
    ...(plan.client.kind === 'Pod' ? [`${plan.client.namespace}/${plan.client.name}`] : []),
    ...[...sample(plan.endpoints, mostEndpoints), ...sample(plan.dnsEndpoints, 6)].flatMap((endpoint) =>
      endpoint.pod ? [`${endpoint.pod.namespace}/${endpoint.pod.name}`] : [],
    ),
    ...backendsWithoutEndpoint(plan),
  ]);
  return [...wanted].flatMap((key) => plan.pods.get(key) ?? []).filter((pod) => pod.spec.nodeName === node);
}

/** Running pods that the selector matches and that are no endpoint of this port: a port name that no container has, or not ready. */
function backendsWithoutEndpoint(plan: Plan): string[] {
  const selector = plan.service.spec.selector;
  if (!selector || Object.keys(selector).length === 0 || plan.endpoints.some((endpoint) => endpoint.ready)) return [];
  return [...plan.pods.values()]
    .filter((pod) => pod.metadata.namespace === plan.namespace && isRunning(pod) && matchesSelector(pod.metadata.labels, selector))
    .slice(0, 4)
    .map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`);
}

/** The client's node first, then those of the endpoints and of the DNS servers. */
function nodesOnPath(plan: Plan): string[] {
  const names = [
    plan.client.node,
    ...sample(plan.endpoints, mostEndpoints).map((endpoint) => endpoint.nodeName),
    ...sample(plan.dnsEndpoints, 6).map((endpoint) => endpoint.nodeName),
    ...backendsWithoutEndpoint(plan).map((key) => plan.pods.get(key)?.spec.nodeName ?? null),
  ];
  return [...new Set(names.filter((name) => name !== null))].slice(0, mostNodes);
}

const toNamespaces = (pods: readonly Pod[]): Namespace[] =>
  pods.filter((pod) => !pod.spec.hostNetwork).map((pod) => ({ name: namespaceName(pod), containerIds: containerIds(pod) }));

/** An entry belongs to the pod that its key names, else to the node. */
function ranOn(key: string, node: string): RanOn {
  const match = /^(?:probe\/)?pod\/([^/]+)\/([^/]+)\//.exec(key);
  return match ? { kind: 'pod', namespace: match[1] as string, name: match[2] as string } : { kind: 'node', name: node };
}

function runOnNode(
  deps: Deps,
  _plan: Plan,
  session: Session,
  node: string,
  sections: readonly Section[],
  pods: readonly Pod[],
): Promise<Entry[]> {
  return runSections(deps.kubectl, session, sections, toNamespaces(pods), (section) => ranOn(section.key, node), 45_000);
}

async function runInClient(deps: Deps, plan: Plan, nodeFailure: ReadFailure | null): Promise<Entry[]> {
  const { namespace = '', name, node } = plan.client;
  const session: Session = { tier: 'client-pod', namespace, pod: name, container: undefined };
  // Where the node did not answer, its kubelet may not exec either.
  const deaf =
    nodeFailure && (nodeFailure.reason === 'timeout' || nodeFailure.reason === 'unreachable')
      ? await answersNot(deps.kubectl, session)
      : null;
  if (deaf) return failedEntries(clientSections(plan), deaf, { kind: 'pod', namespace, name });
  return runSections(deps.kubectl, session, clientSections(plan), [], (section) => ranOn(section.key, node ?? ''), 45_000);
}

/** State of the other nodes and of the pods on them, each node's own way to its pods, and the way back to the client. */
async function secondRound(
  deps: Deps,
  options: CollectOptions,
  plan: Plan,
  node: string,
  session: Session | undefined,
  failure: { reason: string; detail: string } | null,
): Promise<Entry[]> {
  const isClientNode = node === plan.client.node;
  const pods = podsOfNode(plan, node);
  const clientIP = clientPod(plan)?.status.podIP;
  const local = [...plan.endpoints, ...plan.dnsEndpoints].filter((endpoint) => endpoint.nodeName === node);
  const remote = [...plan.endpoints, ...plan.dnsEndpoints].filter((endpoint) => endpoint.nodeName !== node);
  const own = isClientNode ? [] : nodeSections(node);
  const details =
    options.everything || !isClientNode
      ? nodeDetailSections(node)
      : nodeDetailSections(node).filter((section) => !section.key.endsWith('ip6tables-save'));
  const flows = isClientNode
    ? remote.map((endpoint) => ({ from: clientIP ?? '', to: endpoint.address }))
    : local.map((endpoint) => ({ from: endpoint.address, to: clientIP ?? '' }));
  const usable = flows.filter((flow) => flow.from !== '' && flow.to !== '').slice(0, 12);
  const sections: Section[] = [
    ...own,
    ...details,
    ...(usable.length > 0 ? [routeGetSection(node, usable, `node/${node}/route`)] : []),
    conntrackSection(
      node,
      [
        ...serviceAddresses(plan.service),
        ...serviceAddresses(plan.dnsService),
        ...plan.endpoints.slice(0, 6).map((endpoint) => endpoint.address),
      ].slice(0, 10),
      `node/${node}/conntrack`,
    ),
    ...pods
      .filter((pod) => !pod.spec.hostNetwork && pod !== clientPod(plan))
      .flatMap((pod) => podSections(pod.metadata.namespace ?? '', pod.metadata.name, namespaceName(pod), `pod/${pod.metadata.name}`)),
    ...(isClientNode ? (plan.client.kind === 'Pod' ? nodeOriginProbes(plan, node) : []) : localProbes(plan, node, local, clientIP)),
  ];
  if (!session) return failedEntries(sections, failure, { kind: 'node', name: node });
  const allowed = session.tier === 'node-pod' ? sections : sections.filter((section) => !section.shell.startsWith('NS=p'));
  return [
    ...(await runOnNode(deps, plan, session, node, allowed, pods)),
    ...failedEntries(
      sections.filter((section) => !allowed.includes(section)),
      { reason: 'not-collected', detail: 'a pod can only be entered from a node pod' },
      { kind: 'node', name: node },
    ),
  ];
}

function localProbes(plan: Plan, node: string, local: readonly Endpoint[], clientIP: string | undefined): Section[] {
  const speaks = plan.port ? speaksOf(plan.service, plan.port, plan) : null;
  const absolute = `${plan.service.metadata.name}.${plan.namespace}.svc.${plan.domain}`;
  return local.slice(0, 6).flatMap((endpoint) => {
    const pod = endpoint.pod ? plan.pods.get(`${endpoint.pod.namespace}/${endpoint.pod.name}`) : undefined;
    const isDns = plan.dnsEndpoints.includes(endpoint);
    const reach = isDns
      ? dnsServerProbe(`node/${node}`, 'host', endpoint.address, absolute, 1)
      : connectProbe(
          `node/${node}`,
          'host',
          'endpoint',
          { address: endpoint.address, port: endpoint.port, protocol: endpoint.protocol as 'TCP', speaks },
          1,
        );
    const back =
      pod && !pod.spec.hostNetwork && clientIP
        ? sizeProbe(`pod/${pod.metadata.namespace}/${pod.metadata.name}`, namespaceName(pod), clientIP)
        : null;
    return [reach, back].filter((section) => section !== null);
  });
}

function failedEntries(sections: readonly Section[], failure: { reason: string; detail: string } | null, on: RanOn): Entry[] {
  const reason = asReason((failure?.reason ?? 'not-collected') as Parameters<typeof asReason>[0]);
  return sections.map((section) => ({
    key: section.key,
    command: section.command,
    on,
    exit: null,
    stdout: '',
    stderr: '',
    failure: { reason, detail: failure?.detail ?? 'the node was not reached' },
  }));
}

/** Logs of DNS servers that are not well, of their last life too. */
async function readLogs(deps: Deps, plan: Plan): Promise<Entry[]> {
  const selector = plan.dnsService?.spec.selector;
  const labels = ['kube-dns', 'coredns'];
  const dnsPods = [...plan.pods.values()].filter(
    (pod) =>
      pod.metadata.namespace === systemNamespace &&
      (labels.includes(pod.metadata.labels?.['k8s-app'] ?? '') ||
        (selector && Object.keys(selector).length > 0 && matchesSelector(pod.metadata.labels, selector))),
  );
  const wanted = dnsPods.slice(0, 4).flatMap((pod) => {
    const restarted = (pod.status.containerStatuses ?? []).some((status) => (status.restartCount ?? 0) > 0 && !status.state?.running);
    return [{ pod, previous: false }, ...(restarted ? [{ pod, previous: true }] : [])];
  });
  return Promise.all(wanted.map(({ pod, previous }) => readLog(deps.kubectl, pod, previous)));
}

async function readLog(kubectl: Kubectl, pod: Pod, previous: boolean): Promise<Entry> {
  const { namespace = '', name } = pod.metadata;
  const args = ['logs', '-n', namespace, name, '--tail=200', ...(previous ? ['--previous'] : [])];
  const result = await kubectl.run(args, { limitMilliseconds: 10_000 });
  return {
    key: `pod/${namespace}/${name}/${previous ? 'log-previous' : 'log'}`,
    command: `kubectl ${args.join(' ')}`,
    on: { kind: 'api', name: 'API server' },
    exit: result.exit,
    stdout: Buffer.from(result.stdout).toString('utf8'),
    stderr: result.stderr,
    ...(result.failure ? { failure: { reason: asReason(result.failure.reason), detail: result.failure.detail } } : {}),
  };
}

/**
 * A reader has to be as new as the writer: where nft crashed or was missing, kube-proxy's own container, which wrote the rules, is asked.
 */
async function retryTools(deps: Deps, plan: Plan, entries: ReadonlyMap<string, Entry>, nodes: readonly string[]): Promise<Entry[]> {
  const jobs = nodes.flatMap((node) => {
    const failed = ['nft', 'iptables-save']
      .map((name) => entries.get(`node/${node}/${name}`))
      .filter(
        (entry) =>
          entry?.failure?.reason === 'tool-failed' ||
          entry?.failure?.reason === 'tool-missing' ||
          (entry && entry.exit !== 0 && entry.exit !== null),
      );
    const agent = [...plan.pods.values()].find(
      (pod) => pod.spec.nodeName === node && isRunning(pod) && pod.spec.hostNetwork && /kube-proxy/.test(pod.metadata.name),
    );
    if (failed.length === 0 || !agent) return [];
    const sections = nodeSections(node).filter((section) => failed.some((entry) => entry?.key === section.key));
    const session: Session = {
      tier: 'host-network-pod',
      namespace: agent.metadata.namespace ?? '',
      pod: agent.metadata.name,
      container: undefined,
    };
    return [runSections(deps.kubectl, session, sections, [], () => ({ kind: 'node', name: node }), 20_000)];
  });
  return (await Promise.all(jobs)).flat().filter((entry) => !entry.failure && entry.exit === 0);
}
