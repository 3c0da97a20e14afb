import type { Facts } from '../facts/facts.ts';
import type { Flow, Trace } from '../model/trace.ts';
import type { TraceReport } from '../schema/trace.ts';
import { circumstancesOf } from '../tree/report.ts';
import { describeSource, describeTarget, summarize, toWay } from '../tree/ways.ts';

/** Traces in the published form, with the lines that they rest on. Everything in it comes from the snapshot. */
export function buildTraceReport(facts: Facts, flow: Flow, traces: readonly Trace[]): TraceReport {
  const { manifest } = facts.snapshot;
  return {
    apiVersion: 'k8snet.dev/v1',
    kind: 'TraceReport',
    k8snet: manifest.k8snet,
    flow: {
      from: describeSource(flow),
      to: describeTarget(flow),
      protocol: flow.protocol,
      packet: flow.packet,
      sourcePort: flow.sourcePort ?? null,
      length: flow.length ?? null,
    },
    verdict: summarize(traces),
    ways: traces.map((trace) => toWay(facts, trace)),
    ...circumstancesOf(facts),
  };
}
