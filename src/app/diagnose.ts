import { checks } from '../checks/index.ts';
import { type Collector, createCollector } from '../collect/collector.ts';
import { connect } from '../collect/connect.ts';
import { ClusterError } from '../collect/errors.ts';
import { createKubectl, type KubectlFlags, type KubectlListener } from '../collect/kubectl.ts';
import { createNodePods } from '../collect/node-pod.ts';
import type { CollectOptions } from '../collect/options.ts';
import { createFacts, type Facts } from '../facts/facts.ts';
import type { Report } from '../schema/report.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { judgeFacts, needsCloserLook } from '../tree/judge.ts';
import { buildReport } from '../tree/report.ts';

export interface DiagnoseOptions extends CollectOptions {
  kubectl: string;
  flags: KubectlFlags;
  version: string;
}

/** What the command line gives to a run: how to stop it, and who listens to what it does. */
export interface World {
  /** Aborted by a signal from outside, or by the run's own time limit. */
  signal: AbortSignal;
  environment: NodeJS.ProcessEnv;
  progress: (text: string) => void;
  onKubectl: KubectlListener;
  warn: (sentence: string) => void;
}

export interface DiagnosisResult {
  report: Report;
  snapshot: Snapshot;
}

/** Seconds after which a node pod ends by itself when nobody deleted it. */
const nodePodLifetime = 600;
const nodePodStart = 25_000;

/** A live diagnosis: record into memory, then judge; look closer only where that leaves a question. */
export async function diagnose(options: DiagnoseOptions, world: World): Promise<DiagnosisResult> {
  const collect = async (collector: Collector) => {
    const snapshot = await collector.first();
    const facts = createFacts(snapshot);
    const wanted = options.everything || (!world.signal.aborted && needsCloserLook(facts));
    return wanted ? { snapshot: await collector.more() } : { snapshot, facts };
  };
  return withCluster(options, world, collect, ({ snapshot, facts }) => judgeSnapshot(snapshot, facts));
}

/** Collects everything and judges nothing. */
export async function record(options: DiagnoseOptions, world: World): Promise<Snapshot> {
  const collect = async (collector: Collector): Promise<Snapshot> => {
    await collector.first();
    return collector.more();
  };
  return withCluster({ ...options, everything: true }, world, collect, (snapshot) => snapshot);
}

/** The verdict on a snapshot, live or recorded: a function of the snapshot alone. */
export function judgeSnapshot(snapshot: Snapshot, facts: Facts = createFacts(snapshot)): DiagnosisResult {
  return { report: buildReport(facts, judgeFacts(facts, checks)), snapshot };
}

/** Opens what a run needs of the cluster, and takes away what it left there, however it ends; while that goes on, what was collected is judged. */
async function withCluster<C, T>(
  options: DiagnoseOptions,
  world: World,
  collect: (collector: Collector) => Promise<C>,
  judge: (collected: C) => T,
): Promise<T> {
  const kubectl = createKubectl(options.kubectl, options.flags, world.signal, world.onKubectl);
  // Deleting must go on after Ctrl-C, under its own time limits.
  const deleter = createKubectl(options.kubectl, options.flags, new AbortController().signal, world.onKubectl);
  const connection = await connect(kubectl, world.signal, world.environment);
  const nodePods = createNodePods({
    kubectl,
    deleter,
    reader: connection.reader,
    lifetimeSeconds: nodePodLifetime,
    startMilliseconds: nodePodStart,
    signal: world.signal,
  });
  const collector = createCollector(
    { ...options, namespace: options.namespace ?? connection.namespace },
    { kubectl, reader: connection.reader, nodePods, signal: world.signal, version: options.version, progress: world.progress },
  );
  const clean = async (): Promise<void> => {
    world.progress(`deleting the node pods (${connection.reader.requests()} API requests were made)`);
    const { left } = await nodePods.removeAll();
    for (const { pod, detail } of left)
      world.warn(
        `node pod ${pod.namespace}/${pod.name} could not be deleted (${detail}); it ends by itself after ${nodePodLifetime} s, or: kubectl delete pod -n ${pod.namespace} ${pod.name}`,
      );
  };
  let cleaning: Promise<void> | undefined;
  try {
    const collected = await collect(collector);
    cleaning = clean();
    return judge(collected);
  } catch (error) {
    if (error instanceof ClusterError) error.contextNamespace = connection.namespace;
    throw error;
  } finally {
    await (cleaning ?? clean());
  }
}

/** The report of a run that could not even read the target: JSON is printed for it too. */
export function reportWithoutCluster(options: DiagnoseOptions, error: ClusterError, startedAt: Date): Report {
  const namespace = options.target.namespace ?? options.namespace ?? error.contextNamespace ?? 'default';
  return {
    apiVersion: 'k8snet.dev/v1',
    kind: 'DiagnosisReport',
    k8snet: options.version,
    target: { kind: 'Service', namespace, name: options.target.name, type: null, clusterIPs: [], ports: [], port: null },
    from: { kind: 'none', name: 'none', node: null, why: 'the cluster was not reached' },
    verdict: { status: 'unknown', layer: null, confidence: 'low', summary: `could not tell: ${error.message}` },
    findings: [],
    probes: [],
    path: [],
    ruledOut: [],
    notChecked: [],
    coverage: { access: 'api', image: null, nodes: [], lost: [error.message] },
    timing: { startedAt: startedAt.toISOString(), seconds: Math.round((Date.now() - startedAt.getTime()) / 10) / 100, phases: [] },
  };
}

export { ClusterError };
