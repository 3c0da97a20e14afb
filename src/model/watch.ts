/** What `--watch` asks for: tries at a bounded rate until one fails, so many were made, or the time is over. */
export interface WatchRequest {
  tries: number;
  seconds: number;
  perSecond: number;
}

/** What a person asks for. */
export type WatchLength = { tries: number } | { seconds: number };

export const watchBounds = { leastSeconds: 1, mostSeconds: 1800, leastPerSecond: 1, mostPerSecond: 20, usualPerSecond: 5 } as const;

export const mostTries: number = watchBounds.mostSeconds * watchBounds.mostPerSecond;

/** As many tries as fit into the time, or as much time as the tries take at that rate, and some more; never more than the bounds. */
export function watchRequest(length: WatchLength, perSecond: number): WatchRequest {
  if ('seconds' in length) return { tries: Math.max(1, Math.floor(length.seconds * perSecond)), seconds: length.seconds, perSecond };
  return { tries: length.tries, seconds: Math.min(watchBounds.mostSeconds, Math.ceil((length.tries / perSecond) * 2) + 10), perSecond };
}

/** One of so many requests has to be lost for a loss to be seen with this probability. */
const confidence = 0.95;

/**
 * The rarest fault, as "one request in M", that so many independent tries without a failure rule out with 95 %: (1 - 1/M)^N = 0.05. Null for no tries at all.
 */
export function rarestSeen(tries: number): number | null {
  if (tries < 1) return null;
  return Math.max(1, Math.floor(1 / (1 - (1 - confidence) ** (1 / tries))));
}

/** How a watch came to its end. `broken`: the tries could not be gone on with. */
export const watchEnds = ['failure', 'tries', 'time', 'bytes', 'interrupted', 'broken'] as const;
export type WatchEnd = (typeof watchEnds)[number];

/** One try of a watch, as its tool told it. */
export interface WatchedTry {
  /** Counted from 1. */
  number: number;
  sourcePort: number;
  target: { address: string; port: number };
  /** Seconds since the first try began. */
  began: number;
  /** Until its tool came to an end. */
  seconds: number;
  /** `repeated`: answered, but only after its first packet had been sent again. */
  result: 'answered' | 'failed' | 'repeated';
  /** What its tool said. */
  said: string;
}

/** The entry `capture/watch` of a snapshot. */
export interface WatchRecord {
  ended: WatchEnd;
  /** Why it could not be gone on with. */
  why: string | null;
  tries: number;
  failed: number;
  /** Tries that could not be made (the port was taken, no tool): they tell nothing. */
  notMade: number;
  seconds: number;
  perSecond: number;
  /** Bytes of packets that came from the nodes. */
  bytes: number;
  /** The tries of the last seconds, which the kept packets show. */
  last: WatchedTry[];
}
