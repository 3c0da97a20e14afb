import { collectPath, type PathOptions } from '../collect/path-collector.ts';
import { createFacts } from '../facts/facts.ts';
import type { Flow, FlowSource } from '../model/trace.ts';
import type { TraceReport } from '../schema/trace.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { traceFlow } from '../walk/trace.ts';
import { type ReachOptions, type World, withCluster } from './cluster.ts';
import { buildTraceReport } from './trace-report.ts';

/** What is asked of a packet, besides where it starts and goes. */
export type TraceQuestion = Pick<Flow, 'protocol' | 'packet' | 'sourcePort' | 'length'>;
export type TraceOptions = PathOptions & ReachOptions & { question: TraceQuestion };

/** A live trace: reads the nodes and pods on the way, sends nothing, and follows the packet through what was read. */
export async function trace(options: TraceOptions, world: World): Promise<{ report: TraceReport; snapshot: Snapshot }> {
  return withCluster(
    options,
    world,
    (reached) => collectPath({ ...options, namespace: options.namespace ?? reached.namespace }, reached),
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
