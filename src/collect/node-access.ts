import pLimit from 'p-limit';
import { apiPaths, systemNamespace } from '../model/object-paths.ts';
import { isRunning } from '../parse/objects.ts';
import { nodeSchema, podSchema } from '../schema/kubernetes.ts';
import type { NodeAccess, Request } from '../snapshot/snapshot.ts';
import type { Kubectl } from './kubectl.ts';
import type { NodePods } from './node-pod.ts';
import { containerName, newNodePod } from './node-pod.ts';
import type { CollectOptions } from './options.ts';
import type { ClusterReader, ReadFailure } from './reader.ts';
import { execFailure, type Session } from './session.ts';

interface Deps {
  kubectl: Kubectl;
  reader: ClusterReader;
  nodePods: NodePods;
}

type NodeAccessOptions = Pick<CollectOptions, 'nodeAccess' | 'image' | 'nodePodNamespace'> & Partial<CollectOptions>;

interface Opened {
  session: Session | undefined;
  report: NodeAccess;
  failure: ReadFailure | null;
}

const atOnce = 4;

/**
 * The best allowed way to look at a node: a node pod of ours, else a hostNetwork pod that is already there (kube-proxy, a CNI agent), else none.
 * Each node is opened once; which way, and why it is less than the best, stands in the report.
 */
export function createNodeAccess(options: NodeAccessOptions, deps: Deps) {
  const opened = new Map<string, Promise<Opened>>();
  const done = new Map<string, Opened>();
  const limit = pLimit(atOnce);
  let shut: ReadFailure | null = null;
  const open = (node: string, silent: string | null): Promise<Opened> => {
    const known = opened.get(node);
    if (known) return known;
    const work = limit(async () => (shut ? none(node, `not tried: ${shut.detail}`, shut) : openNode(options, deps, node, silent)));
    opened.set(node, work);
    void work.then((result) => done.set(node, result));
    return work;
  };
  const results = (): Opened[] => [...done.values()].sort((a, b) => (a.report.name < b.report.name ? -1 : 1));
  return {
    /** `silent`: nodes whose kubelet no longer reports, with the words of their Ready condition. */
    open: async (nodes: readonly string[], silent: ReadonlyMap<string, string>): Promise<Map<string, Session>> => {
      const all = await Promise.all(nodes.map((node) => open(node, silent.get(node) ?? null)));
      return new Map(all.flatMap((item, index) => (item.session ? [[nodes[index] as string, item.session] as const] : [])));
    },
    /** The image of the node's pod, which may be another than the one asked for. */
    image: (node: string): string | null => done.get(node)?.report.image ?? null,
    failure: (node: string): ReadFailure | null => done.get(node)?.failure ?? null,
    /** Says that a node can't be looked at after all: its session brought nothing. It is not tried again. */
    giveUp: (node: string, failure: ReadFailure): void => {
      // A role that may not exec there may not on the next node either: no more pods are made in vain.
      if (failure.reason === 'forbidden') shut ??= failure;
      const lost = none(node, failure.detail, failure);
      opened.set(node, Promise.resolve(lost));
      done.set(node, lost);
    },
    report: (): NodeAccess[] => results().map((item) => item.report),
    best: (execInClient: boolean): 'node-pod' | 'host-network-pod' | 'client-pod' | 'api' => {
      const kinds = results().map((item) => item.report.access);
      if (kinds.includes('node-pod')) return 'node-pod';
      if (kinds.includes('host-network-pod')) return 'host-network-pod';
      return execInClient ? 'client-pod' : 'api';
    },
    lost: (client: Request['from'] | undefined, clientAccess: 'exec' | 'node' | 'none'): string[] =>
      lossOfCoverage(results(), client, clientAccess),
  };
}

function lossOfCoverage(results: readonly Opened[], client: Request['from'] | undefined, clientAccess: 'exec' | 'node' | 'none'): string[] {
  const losses = results.flatMap(({ report }) => {
    if (report.access === 'none')
      return [
        `node ${report.name}: its rules, routes and devices could not be read, nor the pods on it entered (${report.detail ?? 'no access'})`,
      ];
    if (report.access === 'host-network-pod')
      return [
        `node ${report.name}: read from a pod that was already there, so the pods on it could not be entered and its files not read (${report.detail ?? ''})`,
      ];
    return [];
  });
  if (client?.kind === 'none') return [...losses, `no probe was sent: ${client.why}`];
  if (client?.kind === 'Pod' && clientAccess === 'none')
    losses.push(`pod ${client.namespace}/${client.name}: it could not be entered, so no probe was sent from it`);
  if (client?.kind === 'Pod' && clientAccess === 'exec')
    losses.push(`pod ${client.namespace}/${client.name}: probed with the tools of its own image`);
  return losses;
}

const none = (node: string, detail: string, failure: ReadFailure): Opened => ({
  session: undefined,
  report: { name: node, access: 'none', image: null, detail },
  failure,
});

async function openNode(options: NodeAccessOptions, deps: Deps, node: string, silent: string | null): Promise<Opened> {
  if (options.nodeAccess === 'none')
    return none(node, '--node-access none', { reason: 'not-collected', detail: 'node access was switched off by --node-access none' });
  // A pod that no kubelet takes up would be waited for in vain.
  const made =
    silent === null
      ? await makeNodePod(options, deps, node)
      : { ok: false as const, failure: { reason: 'unreachable' as const, detail: `node ${node} is not ready: ${silent}` } };
  if (made.ok) return made.opened;
  const { failure } = made;
  if (failure.reason === 'interrupted') return none(node, 'interrupted', failure);
  const agent = options.nodeAccess === 'auto' ? await hostNetworkPod(deps.reader, node) : null;
  // A kubelet that does not start a pod may not exec either: asked with a short limit, before a long script is sent.
  const deaf = agent && (silent !== null || failure.reason === 'timeout') ? await answersNot(deps.kubectl, agent) : null;
  if (agent && !deaf)
    return {
      session: agent,
      report: {
        name: node,
        access: 'host-network-pod',
        image: null,
        detail: `no node pod: ${failure.detail}; read through ${agent.namespace}/${agent.pod}`,
      },
      failure: null,
    };
  return none(node, deaf ? `${failure.detail}; ${deaf.detail}` : failure.detail, failure);
}

async function makeNodePod(
  options: NodeAccessOptions,
  deps: Deps,
  node: string,
): Promise<{ ok: true; opened: Opened } | { ok: false; failure: ReadFailure }> {
  const images = [options.image];
  let failure: ReadFailure = { reason: 'not-collected', detail: 'not tried' };
  const notes: string[] = [];
  for (let index = 0; index < images.length && index < 4; index += 1) {
    const image = images[index] as string;
    const result = await deps.nodePods.create(newNodePod(node, options.nodePodNamespace, image));
    if (result.ok) {
      const session: Session = { tier: 'node-pod', namespace: result.pod.namespace, pod: result.pod.name, container: containerName };
      const detail = notes.length > 0 ? notes.join('; ') : null;
      return { ok: true, opened: { session, report: { name: node, access: 'node-pod', image, detail }, failure: null } };
    }
    failure = result.failure;
    notes.push(`${image}: ${failure.detail}`);
    if (!isImageTrouble(failure) || (index > 0 && failure.reason === 'timeout')) break;
    if (index === 0) images.push(...(await imagesOnNode(deps.reader, node)).filter((name) => name !== options.image));
  }
  return { ok: false, failure: { ...failure, detail: notes.length > 1 ? notes.join('; ') : failure.detail } };
}

const execLimitMilliseconds = 8000;

/** Null when an exec comes back; else why not. */
export async function answersNot(kubectl: Kubectl, session: Session): Promise<ReadFailure | null> {
  const container = session.container === undefined ? [] : ['-c', session.container];
  const result = await kubectl.run(['exec', '-n', session.namespace, session.pod, ...container, '--', 'sh', '-c', ':'], {
    limitMilliseconds: execLimitMilliseconds,
  });
  const failure = execFailure(result);
  return failure ? { reason: failure.reason, detail: `exec into ${session.namespace}/${session.pod}: ${failure.detail}` } : null;
}

/** `ContainerCreating` at the end of the waiting time: a registry that swallows packets (a hostNetwork pod waits for no CNI). */
const isImageTrouble = (failure: ReadFailure): boolean =>
  /image|pull|ErrImage|StartError|RunContainerError|CreateContainer|ContainerCreating|executable file/i.test(failure.detail);

/** Images that the node has already and that have a shell: kube-proxy's and the CNI agents'. */
async function imagesOnNode(reader: ClusterReader, node: string): Promise<string[]> {
  const read = await reader.get(`${apiPaths.nodes}/${node}`);
  const parsed = read.ok ? nodeSchema.safeParse(read.body) : null;
  const names = (parsed?.success ? (parsed.data.status.images ?? []) : [])
    .flatMap((image) => image.names ?? [])
    .filter((name) => !name.includes('@'));
  const order = [
    /netshoot/,
    /\/flannel(-cni-plugin)?:/,
    /calico\/node|calico-node/,
    /kindnet/,
    /kube-proxy/,
    /cilium(:|\/cilium)/,
    /busybox|alpine/,
  ];
  return order.flatMap((pattern) => names.filter((name) => pattern.test(name)).slice(0, 1));
}

async function hostNetworkPod(reader: ClusterReader, node: string): Promise<Session | null> {
  const read = await reader.get(apiPaths.pods(systemNamespace));
  if (!read.ok) return null;
  const items = ((read.body as { items?: unknown[] }).items ?? []).flatMap((item) => {
    const pod = podSchema.safeParse(item);
    return pod.success ? [pod.data] : [];
  });
  const agents = items
    .filter(
      (pod) =>
        pod.spec.nodeName === node &&
        pod.spec.hostNetwork &&
        isRunning(pod) &&
        !/^(etcd|kube-(apiserver|controller-manager|scheduler))/.test(pod.metadata.name),
    )
    .sort((a, b) => Number(/kube-proxy/.test(b.metadata.name)) - Number(/kube-proxy/.test(a.metadata.name)));
  const agent = agents[0];
  return agent
    ? { tier: 'host-network-pod', namespace: agent.metadata.namespace ?? systemNamespace, pod: agent.metadata.name, container: undefined }
    : null;
}
