import { connect } from '../collect/connect.ts';
import { ClusterError } from '../collect/errors.ts';
import { createKubectl, type KubectlFlags, type KubectlListener } from '../collect/kubectl.ts';
import { createNodePods } from '../collect/node-pod.ts';
import type { CollectDeps } from '../collect/recording.ts';

/** What the command line gives to a run: how to stop it, and who listens to what it does. */
export interface World {
  /** Aborted by a signal from outside, or by the run's own time limit. */
  signal: AbortSignal;
  /** Seconds until the run aborts itself. */
  limitSeconds: number;
  environment: NodeJS.ProcessEnv;
  progress: (text: string) => void;
  onKubectl: KubectlListener;
  warn: (sentence: string) => void;
}

/** How the cluster is reached. */
export interface ReachOptions {
  kubectl: string;
  flags: KubectlFlags;
  version: string;
}

/** What is open while a run collects. */
export interface Reached extends CollectDeps {
  /** Namespace of the context, or null. */
  namespace: string | null;
}

/** Seconds that a run out of time has left to delete its node pods; then they end by themselves: nobody is there to delete them. */
const nodePodGrace = 30;
/** Seconds after which a node pod of a run with this limit ends, whatever has become of the run. */
export const nodePodLifetime = (limitSeconds: number): number => Math.ceil(limitSeconds) + nodePodGrace;
const nodePodStart = 25_000;

/** Opens what a run needs of the cluster, and takes away what it left there, however it ends; while that goes on, what was collected is judged. */
export async function withCluster<C, T>(
  options: ReachOptions,
  world: World,
  collect: (reached: Reached) => Promise<C>,
  judge: (collected: C) => T,
): Promise<T> {
  const kubectl = createKubectl(options.kubectl, options.flags, world.signal, world.onKubectl);
  // Deleting must go on after Ctrl-C, under its own time limits.
  const deleter = createKubectl(options.kubectl, options.flags, new AbortController().signal, world.onKubectl);
  const connection = await connect(kubectl, world.signal, world.environment);
  const lifetimeSeconds = nodePodLifetime(world.limitSeconds);
  const nodePods = createNodePods({
    kubectl,
    deleter,
    reader: connection.reader,
    lifetimeSeconds,
    startMilliseconds: nodePodStart,
    signal: world.signal,
  });
  const reached: Reached = {
    kubectl,
    reader: connection.reader,
    nodePods,
    signal: world.signal,
    version: options.version,
    progress: world.progress,
    namespace: connection.namespace,
  };
  const clean = async (): Promise<void> => {
    world.progress(`deleting the node pods (${connection.reader.requests()} API requests were made)`);
    const { left } = await nodePods.removeAll();
    for (const { pod, detail } of left)
      world.warn(
        `node pod ${pod.namespace}/${pod.name} could not be deleted (${detail}); it ends by itself after ${lifetimeSeconds} s, or: kubectl delete pod -n ${pod.namespace} ${pod.name}`,
      );
  };
  let cleaning: Promise<void> | undefined;
  try {
    const collected = await collect(reached);
    cleaning = clean();
    return judge(collected);
  } catch (error) {
    if (error instanceof ClusterError) error.contextNamespace = connection.namespace;
    throw error;
  } finally {
    await (cleaning ?? clean());
  }
}
