import type { ZodType } from 'zod';
import { notThere, refusePort } from '../collect/not-there.ts';
import { collectPath, type PathOptions } from '../collect/path-collector.ts';
import { createFacts } from '../facts/facts.ts';
import { apiKey, apiPaths } from '../model/object-paths.ts';
import type { Flow, FlowSource } from '../model/trace.ts';
import { readList } from '../parse/objects.ts';
import { type Pod, podSchema, type Service, serviceSchema } from '../schema/kubernetes.ts';
import type { TraceReport } from '../schema/trace.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { serviceOf } from '../walk/path/world.ts';
import { traceFlow } from '../walk/trace.ts';
import { type ReachOptions, type World, withCluster } from './cluster.ts';
import { buildTraceReport } from './trace-report.ts';

/** What is asked of a packet, besides where it starts and goes. */
export type TraceQuestion = Pick<Flow, 'protocol' | 'packet' | 'sourcePort' | 'length'>;
export type TraceOptions = Omit<PathOptions, 'protocol'> & ReachOptions & { question: TraceQuestion };

/** A live trace: reads the nodes and pods on the way, sends nothing, and follows the packet through what was read. */
export async function trace(options: TraceOptions, world: World): Promise<{ report: TraceReport; snapshot: Snapshot }> {
  return withCluster(
    options,
    world,
    (reached) =>
      collectPath({ ...options, protocol: options.question.protocol, namespace: options.namespace ?? reached.namespace }, reached),
    (snapshot) => ({
      snapshot,
      report: traceSnapshot(snapshot, { ...options, namespace: snapshot.manifest.request.target.namespace }, options.question),
    }),
  );
}

/** The trace in a snapshot, live or recorded: a function of the snapshot and the question. */
export function traceSnapshot(
  snapshot: Snapshot,
  asked: Pick<PathOptions, 'from' | 'to' | 'namespace'>,
  question: TraceQuestion,
): TraceReport {
  const facts = createFacts(snapshot);
  const namespace = asked.namespace ?? snapshot.manifest.request.target.namespace;
  const flow: Flow = { ...question, from: sourceOf(snapshot, asked, namespace), to: targetOf(asked.to, namespace) };
  return buildTraceReport(facts, flow, traceFlow(facts, flow));
}

/** Throws UsageError for a name or port that a snapshot shows not to be there; what was not read is left to the trace. */
export function refuseAbsent(
  snapshot: Snapshot,
  { from, to, namespace, protocol }: Pick<PathOptions, 'from' | 'namespace' | 'protocol'> & { to: PathOptions['to'] | null },
): void {
  const home = namespace ?? snapshot.manifest.request.target.namespace;
  if (from?.kind === 'pod') refusePod(snapshot, from.namespace ?? home, from.name);
  if (to?.kind === 'pod') refusePod(snapshot, to.namespace ?? home, to.name);
  if (to?.kind !== 'service') return;
  const own = to.namespace ?? home;
  const service = serviceOf(createFacts(snapshot), own, to.name);
  if (service.state === 'seen') {
    refusePort(service.value, { port: to.port, protocol });
    return;
  }
  const names =
    namesIn(snapshot, apiPaths.services(own), own, serviceSchema) ?? namesIn(snapshot, apiPaths.allServices, own, serviceSchema);
  if (names !== undefined) throw notThere('Service', own, to.name, names);
  if (service.state === 'absent') throw notThere('Service', own, to.name, []);
}

function refusePod(snapshot: Snapshot, namespace: string, name: string): void {
  const names = namesIn(snapshot, apiPaths.pods(namespace), namespace, podSchema);
  if (names === undefined || names.includes(name) || createFacts(snapshot).pod(namespace, name)) return;
  throw notThere('pod', namespace, name, names);
}

/** Names of a namespace in a list that was read whole. */
function namesIn(snapshot: Snapshot, path: string, namespace: string, schema: ZodType<Pod | Service>): string[] | undefined {
  const list = readList(snapshot.entries.get(apiKey(path)), schema);
  if (list.state !== 'seen' || !list.complete) return undefined;
  return list.value.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata.name);
}

/** The client that was named, else the one that the snapshot was taken for. */
function sourceOf(snapshot: Snapshot, { from }: Pick<PathOptions, 'from'>, namespace: string): FlowSource {
  const recorded = snapshot.manifest.request.from;
  if (from?.kind === 'outside') return from;
  if (from?.kind === 'node') return { kind: 'node', name: from.name };
  if (from?.kind === 'pod') return { kind: 'pod', namespace: from.namespace ?? namespace, name: from.name };
  return recorded.kind === 'Node'
    ? { kind: 'node', name: recorded.name }
    : { kind: 'pod', namespace: recorded.namespace ?? namespace, name: recorded.name };
}

function targetOf(to: PathOptions['to'], namespace: string): Flow['to'] {
  if (to.kind === 'address') return to;
  const own = to.namespace ?? namespace;
  return to.kind === 'pod' ? { ...to, namespace: own, port: to.port } : { ...to, namespace: own };
}
