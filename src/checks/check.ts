import type { Facts } from '../facts/facts.ts';
import type { ProbeResult } from '../facts/probe-results.ts';
import type { CheckMeta, Fault as PlainFault, Where } from '../model/check.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import type { Observed, Reason } from '../model/observed.ts';

/** One thing that a check found wrong, and the traffic that it breaks. */
export interface Fault extends PlainFault {
  /** True for each probe that this breaks, whether or not it was seen to fail: the probes decide between fault and note. */
  breaks: (probe: ProbeResult) => boolean;
  /**
   * True when what it says follows from the evidence alone, so that it is a fault even where no probe could be sent
   * (a Service without endpoints); false when only a failing probe makes it one (a route that may be made elsewhere).
   */
  certain: boolean;
  /** Never more than a note: damage beside the flow. */
  noteOnly?: boolean;
}

export type CheckResult =
  | { state: 'pass'; what: string; by: string }
  | { state: 'fail'; faults: Fault[] }
  | { state: 'unknown'; reason: Reason; detail: string }
  | { state: 'skip'; because: string };

export interface Check {
  meta: CheckMeta;
  /** What must have been seen; a fact that is unknown makes the check unknown without asking it. */
  needs: (facts: Facts) => Observed<unknown>[];
  judge: (facts: Facts) => CheckResult;
}

/** A check is one file: who it is, what it explains, what it needs, how it judges. */
export const defineCheck = (check: Check): Check => check;

/** Runs one check; what it needs and could not be seen makes it unknown. */
export function runCheck(check: Check, facts: Facts): CheckResult {
  for (const need of check.needs(facts))
    if (need.state === 'unknown') return { state: 'unknown', reason: need.reason, detail: need.detail };
  return check.judge(facts);
}

export const pass = (what: string, by: string): CheckResult => ({ state: 'pass', what, by });
export const skip = (because: string): CheckResult => ({ state: 'skip', because });
export const cannotTell = (reason: Reason, detail: string): CheckResult => ({ state: 'unknown', reason, detail });
/** Unknown out of a fact that was not seen. */
export const notSeen = (observed: Observed<unknown>): CheckResult =>
  observed.state === 'unknown'
    ? cannotTell(observed.reason, observed.detail)
    : cannotTell('not-collected', observed.state === 'absent' ? `${observed.from} is not there` : 'not complete');
export const fail = (...faults: Fault[]): CheckResult => ({ state: 'fail', faults });

export interface FaultParts {
  title: string;
  where: Where;
  evidence: EvidenceRef[];
  next: string[];
  fix: string[];
  breaks: Fault['breaks'];
  certain?: boolean;
  noteOnly?: boolean;
}
export const fault = ({ certain = false, noteOnly = false, ...parts }: FaultParts): Fault => ({ ...parts, certain, noteOnly });
