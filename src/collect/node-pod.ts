import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Kubectl, KubectlResult } from './kubectl.ts';
import type { ClusterReader, ReadFailure } from './reader.ts';

/** The label that `k8snet cleanup` looks for. */
export const managedByLabel = 'app.kubernetes.io/managed-by=k8snet';
export const containerName = 'node';

export interface NodePod {
  name: string;
  namespace: string;
  node: string;
  image: string;
}

/**
 * The manifest of a node pod: in the node's network and process namespaces, so that it works when the CNI is what is broken and can enter the
 * namespace of any pod of that node. It sleeps, and is spoken to by exec, unless another command is given. `activeDeadlineSeconds` ends it when nobody is left to delete it; it has no service-account token.
 */
export function nodePodManifest(pod: NodePod, lifetimeSeconds: number, command = `exec sleep ${lifetimeSeconds}`): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'k8snet', 'app.kubernetes.io/name': 'k8snet-node' },
    },
    spec: {
      nodeName: pod.node,
      restartPolicy: 'Never',
      activeDeadlineSeconds: lifetimeSeconds,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostNetwork: true,
      hostPID: true,
      dnsPolicy: 'Default',
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: containerName,
          image: pod.image,
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', command],
          securityContext: { privileged: true },
        },
      ],
    },
  };
}

export function newNodePod(node: string, namespace: string, image: string): NodePod {
  const suffix = randomBytes(4).toString('hex');
  // A Pod name is a DNS subdomain of at most 253 characters; node names may be that long themselves.
  return { name: `k8snet-${node.slice(0, 200).replace(/[^a-z0-9.-]/g, '-')}-${suffix}`, namespace, node, image };
}

export type NodePodResult = { ok: true; pod: NodePod; seconds: number } | { ok: false; failure: ReadFailure };

interface PodBody {
  spec?: { nodeName?: string };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    containerStatuses?: {
      state?: { waiting?: { reason?: string; message?: string }; terminated?: { reason?: string; message?: string } };
    }[];
  };
}

/**
 * Creates node pods, waits until they run, and deletes every one that it ever asked for. One instance serves one run.
 * `deleter` must not be bound to the run's abort signal: deleting has to work after Ctrl-C.
 */
export function createNodePods(options: {
  kubectl: Kubectl;
  deleter: Kubectl;
  reader: ClusterReader;
  lifetimeSeconds: number;
  startMilliseconds: number;
  signal: AbortSignal;
}) {
  const asked = new Map<string, NodePod>();
  /** Requests for pods that are under way. */
  const pending = new Set<Promise<unknown>>();
  const submit = async (pod: NodePod, command?: string): Promise<ReadFailure | undefined> => {
    if (options.signal.aborted) return { reason: 'interrupted', detail: 'interrupted' };
    asked.set(pod.name, pod);
    // Not ended by Ctrl-C: a request that is on its way has to be answered before the pod can be deleted.
    const request = options.deleter.run(['create', '--raw', `/api/v1/namespaces/${pod.namespace}/pods`, '-f', '-'], {
      limitMilliseconds: 15_000,
      input: JSON.stringify(nodePodManifest(pod, options.lifetimeSeconds, command)),
    });
    pending.add(request);
    const created = await request.finally(() => pending.delete(request));
    if (created.failure && created.failure.reason !== 'timeout') asked.delete(pod.name);
    return created.failure;
  };
  const create = async (pod: NodePod): Promise<NodePodResult> => {
    const started = performance.now();
    const failure =
      (await submit(pod)) ?? (await waitUntilRunning(options.reader, pod, started + options.startMilliseconds, options.signal));
    return failure ? { ok: false, failure } : { ok: true, pod, seconds: (performance.now() - started) / 1000 };
  };
  /**
   * Runs a script as the command of a pod of its own and returns its last words: at most 4096 bytes, which the kubelet itself reads and reports in
   * the pod's status (kubernetes.io, "Determine the Reason for Pod Failure"). Needs no connection to the node, where exec and logs need a new one.
   */
  const askByMessage = async (pod: NodePod, script: string, limitMilliseconds: number): Promise<string | undefined> => {
    const deadline = performance.now() + limitMilliseconds;
    const command = `{ ${script}\n} </dev/null 2>&1 | head -c ${messageBytes} >/dev/termination-log`;
    // The kubelet makes one dollar sign of two, and looks for variables behind one (k8s.io/kubernetes third_party/forked/golang/expansion).
    const failure = await submit(pod, command.replaceAll('$', '$$$$'));
    return failure ? undefined : waitForMessage(options.reader, pod, deadline, options.signal);
  };
  const remove = async (pods: readonly NodePod[]): Promise<{ left: { pod: NodePod; detail: string }[] }> => {
    const results = await Promise.all(
      groupByNamespace(pods).map(async ([namespace, group]) => {
        const result = await options.deleter.run(
          ['delete', 'pod', '-n', namespace, '--wait=false', '--ignore-not-found', ...group.map((pod) => pod.name)],
          { limitMilliseconds: 10_000 },
        );
        return { result, group };
      }),
    );
    for (const { result, group } of results) if (!result.failure && result.exit === 0) for (const pod of group) asked.delete(pod.name);
    return {
      left: results.flatMap(({ result, group }) =>
        result.failure ? group.map((pod) => ({ pod, detail: result.failure?.detail ?? '' })) : [],
      ),
    };
  };
  /** Also of pods that somebody else than the one who ends the run asked for: what is not there yet can't be deleted. */
  const removeAll = async () => {
    await Promise.allSettled(pending);
    return remove([...asked.values()]);
  };
  return { create, askByMessage, remove, removeAll };
}
export type NodePods = ReturnType<typeof createNodePods>;

function groupByNamespace(pods: readonly NodePod[]): [string, NodePod[]][] {
  const groups = new Map<string, NodePod[]>();
  for (const pod of pods) groups.set(pod.namespace, [...(groups.get(pod.namespace) ?? []), pod]);
  return [...groups];
}

/** What a kubelet keeps of a container's termination message (k8s.io/kubernetes pkg/kubelet/container, MaxContainerTerminationMessageLength). */
const messageBytes = 4096;

const hopeless = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerError',
  'RunContainerError',
  'CreateContainerConfigError',
]);

async function waitUntilRunning(
  reader: ClusterReader,
  pod: NodePod,
  deadline: number,
  signal: AbortSignal,
): Promise<ReadFailure | undefined> {
  let last = 'not started';
  for (;;) {
    if (signal.aborted) return { reason: 'interrupted', detail: 'interrupted' };
    const read = await reader.get(`/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`);
    if (!read.ok && read.failure.reason !== 'tool-failed') return read.failure;
    if (read.ok) {
      const state = stateOf(read.body as PodBody);
      if (state.running) return undefined;
      if (state.hopeless) return { reason: 'unreachable', detail: state.detail };
      last = state.detail;
    }
    if (performance.now() > deadline) return { reason: 'timeout', detail: `the node pod did not start: ${last}` };
    await new Promise((resolve) => setTimeout(resolve, reader.name === 'client' ? 60 : 250));
  }
}

async function waitForMessage(reader: ClusterReader, pod: NodePod, deadline: number, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted && performance.now() < deadline) {
    const read = await reader.get(`/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`);
    const state = read.ok ? (read.body as PodBody).status?.containerStatuses?.[0]?.state : undefined;
    if (state?.terminated) return state.terminated.message;
    if (hopeless.has(state?.waiting?.reason ?? '')) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return undefined;
}

function stateOf(body: PodBody): { running: boolean; hopeless: boolean; detail: string } {
  const { phase, containerStatuses, reason, message } = body.status ?? {};
  const state = containerStatuses?.[0]?.state;
  const stuck = state?.waiting ?? state?.terminated;
  const detail = [stuck?.reason ?? reason ?? phase, stuck?.message ?? message].filter(Boolean).join(': ').slice(0, 300);
  if (phase === 'Running' && !stuck) return { running: true, hopeless: false, detail };
  const over = phase === 'Failed' || phase === 'Succeeded' || hopeless.has(state?.waiting?.reason ?? '') || state?.terminated !== undefined;
  return { running: false, hopeless: over, detail };
}

/** An exec takes 0.1 s on a healthy cluster; by then a script of ours has said hello. */
const helloMilliseconds = 10_000;

/**
 * Runs a script by `sh` on standard input, so that its length is bounded by no URL. A script that is a stream goes on when its owner writes or ends it;
 * what it prints is handed to `onOutput` as it comes, and is in the result as well where it `isKept`.
 */
export async function execScript(
  kubectl: Kubectl,
  where: { namespace: string; pod: string; container?: string | undefined },
  script: string | Readable,
  limitMilliseconds: number,
  onOutput?: (chunk: Uint8Array) => void,
  isKept = true,
): Promise<KubectlResult> {
  const container = where.container === undefined ? [] : ['-c', where.container];
  return kubectl.run(['exec', '-i', '-n', where.namespace, where.pod, ...container, '--', 'sh'], {
    limitMilliseconds,
    firstOutputMilliseconds: Math.min(limitMilliseconds, helloMilliseconds),
    ...(typeof script === 'string' ? { input: script } : { stream: script }),
    ...(onOutput ? { onOutput } : {}),
    isKept,
  });
}
