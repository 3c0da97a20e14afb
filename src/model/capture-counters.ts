import type { CapturePlace } from './capture-path.ts';

/** What a counter counts: packets that a rule or a policy took, devices and queueing disciplines, the protocol counters of a namespace, … */
export type CounterKind = 'rule' | 'policy' | 'device' | 'protocol' | 'conntrack' | 'softnet' | 'qdisc' | 'neighbour';

/** A counter of a namespace at one reading. */
export interface Counter {
  kind: CounterKind;
  /** Names of nstat; `flannel.1 tx dropped`; `filter FORWARD policy`; for a rule, its table, chain and text. */
  name: string;
  value: number;
  /** The line that it stands on, as printed. */
  line: string;
  /** It counts packets that came to their end there; others only show that something was lost somewhere (retransmissions). */
  ends: boolean;
  meaning: string | undefined;
  /** What is a state and no number: seconds since it is so. */
  seconds?: number;
}

/** A counter that moved with the probes, by more than an idle interval explains. */
export interface MovedCounter extends Omit<Counter, 'value' | 'seconds'> {
  place: CapturePlace;
  by: number;
  /** How much the idle interval lets expect for the time of the probes. */
  idle: number;
}
