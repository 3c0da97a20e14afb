import type { CaptureReport } from '../../schema/capture-report.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { judgeCapture } from './summary.ts';

type Loss = CaptureReport['losses'][number];

const memo = new WeakMap<Snapshot, CaptureReport | string>();

/** What the captures of a snapshot tell, worked out once; undefined = none were asked for, a string says why they tell nothing. */
export function captured(snapshot: Snapshot): CaptureReport | string | undefined {
  if (!snapshot.entries.has('capture/plan')) return undefined;
  const report = memo.get(snapshot) ?? judgeCapture(snapshot);
  memo.set(snapshot, report);
  return report;
}

/** Packets that came into a node or one of its pods, and were seen to end there; by captures alone. */
export const lossesOnNodes = ({ losses }: CaptureReport): Loss[] =>
  losses.filter(({ kind, where }) => kind === 'lost' && (where?.kind === 'node' || where?.kind === 'pod-link'));

/** Packets that left the first node and did not come to the second. */
export const lossesBetween = ({ losses }: CaptureReport, one: string, two: string): Loss[] =>
  losses.filter(
    ({ kind, where }) => kind === 'lost' && where?.kind === 'between' && where.names.includes(one) && where.names.includes(two),
  );
