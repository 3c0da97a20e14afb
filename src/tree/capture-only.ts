import type { Report } from '../schema/report.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/**
 * A recording of `k8snet capture` holds API objects and captures, and none of the probes and tables that a diagnosis rests on. Where the objects alone show no
 * fault, that is said once, with the command that judges it, in place of every check that finds nothing to judge.
 */
export function ofCapturesAlone(report: Report, { entries }: Snapshot): Report {
  const isOther = (key: string): boolean => key.startsWith('probe/') || key.startsWith('node/');
  if (report.verdict.status !== 'unknown' || !entries.has('capture/plan') || [...entries.keys()].some(isOther)) return report;
  const summary =
    'could not tell: this is a recording of captures alone, without the probes and tables that a diagnosis needs; `k8snet capture --bundle FILE` judges what it holds, and `k8snet diagnose --capture --record FILE` records both';
  return { ...report, verdict: { ...report.verdict, summary }, notChecked: [] };
}
