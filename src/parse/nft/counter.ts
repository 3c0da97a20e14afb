import type { Counters, Statement } from '../../model/netfilter.ts';

/** What a rule's reader keeps of its counters. */
export interface Counting {
  statements: Statement[];
  counters?: Counters;
  /** Index of the statement before which the counter stands. */
  counterAt?: number;
}

/** Notes a counter without a name at the end of what was read. Of several, the last is the rule's own; the others stay where they are, as statements. */
export function noteCounter(rule: Counting, counters: Counters | undefined): void {
  if (rule.counterAt !== undefined) {
    const text = counterText(rule.counters);
    rule.statements.splice(rule.counterAt, 0, { role: 'action', kind: 'fallThrough', name: 'counter', options: [], text });
  }
  rule.counterAt = rule.statements.length;
  if (counters === undefined) delete rule.counters;
  else rule.counters = counters;
}

export const counterText = (counters: Counters | undefined): string =>
  counters === undefined ? 'counter' : `counter packets ${counters.packets} bytes ${counters.bytes}`;
