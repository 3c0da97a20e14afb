import { checks } from '../checks/index.ts';
import { type Collector, createCollector } from '../collect/collector.ts';
import { ClusterError } from '../collect/errors.ts';
import type { CollectOptions } from '../collect/options.ts';
import { createFacts, type Facts } from '../facts/facts.ts';
import type { Report } from '../schema/report.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { ofCapturesAlone } from '../tree/capture-only.ts';
import { withWitnesses } from '../tree/captures.ts';
import { judgeFacts, needsCloserLook } from '../tree/judge.ts';
import { buildReport } from '../tree/report.ts';
import { rulesAgainstApi } from '../tree/rules.ts';
import { supported } from '../tree/support.ts';
import { walkProbes } from '../tree/tables.ts';
import { buildWalkReport } from '../tree/walk-report.ts';
import { captured } from '../walk/capture/captured.ts';
import { type Reached, type ReachOptions, type World, withCluster } from './cluster.ts';

export type DiagnoseOptions = CollectOptions & ReachOptions;

export interface DiagnosisResult {
  report: Report;
  snapshot: Snapshot;
}

/** A live diagnosis: record into memory, then judge; look closer only where that leaves a question. */
export async function diagnose(options: DiagnoseOptions, world: World): Promise<DiagnosisResult> {
  const collect = async (reached: Reached): Promise<{ snapshot: Snapshot; facts?: Facts }> => {
    const collector = collectorOf(options, reached);
    const snapshot = await collector.first();
    const facts = createFacts(snapshot);
    const isSuspect = !world.signal.aborted && needsCloserLook(facts);
    const collected = options.everything || isSuspect ? { snapshot: await collector.more() } : { snapshot, facts };
    return options.capture && !world.signal.aborted
      ? { snapshot: await collector.capture(isSuspect ? 'as-lost' : 'as-answered') }
      : collected;
  };
  return withCluster(options, world, collect, ({ snapshot, facts }) => judgeSnapshot(snapshot, facts));
}

/** Collects everything and judges nothing. */
export async function record(options: DiagnoseOptions, world: World): Promise<Snapshot> {
  const collect = async (reached: Reached): Promise<Snapshot> => {
    const collector = collectorOf({ ...options, everything: true }, reached);
    await collector.first();
    return collector.more();
  };
  return withCluster(options, world, collect, (snapshot) => snapshot);
}

export const collectorOf = (options: DiagnoseOptions, reached: Reached): Collector =>
  createCollector({ ...options, namespace: options.namespace ?? reached.namespace }, reached);

/** The verdict on a snapshot, live or recorded: a function of the snapshot alone. */
export function judgeSnapshot(snapshot: Snapshot, facts: Facts = createFacts(snapshot)): DiagnosisResult {
  const report = reportOf(facts);
  const seen = captured(snapshot);
  if (typeof seen === 'string') report.coverage.lost.push(`nothing was captured: ${seen}`);
  else if (seen) report.capture = seen;
  return { report: ofCapturesAlone(withWitnesses(report), snapshot), snapshot };
}

/** Probes first; then what the tables say of the same packets, which may support a finding and never makes one. */
function reportOf(facts: Facts): Report {
  const judged = judgeFacts(facts, checks);
  const rules = rulesAgainstApi(facts, judged.symptoms);
  const walked = judged.status === 'unknown' ? [] : walkProbes(facts, judged.symptoms, judged.findings);
  const walk = buildWalkReport(facts, walked, rules);
  return { ...buildReport(facts, supported(facts, judged, walked, rules)), ...(walk === undefined ? {} : { walk }) };
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
