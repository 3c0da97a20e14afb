/** Why something could not be observed. "Could not look" is never the same as "is not there". */
export const reasons = [
  'forbidden',
  'unreachable',
  'timeout',
  'not-collected',
  'tool-missing',
  'tool-failed',
  'truncated',
  'unparsed',
  'unsupported',
] as const;
export type Reason = (typeof reasons)[number];

/** A fact about the cluster: seen with its value, looked for and absent, or unknown with the reason. */
export type Observed<T> =
  | { state: 'seen'; value: T; complete: boolean; from: string }
  | { state: 'absent'; from: string }
  | { state: 'unknown'; reason: Reason; detail: string };

export const seen = <T>(value: T, from: string, complete = true): Observed<T> => ({ state: 'seen', value, complete, from });
export const absent = (from: string): Observed<never> => ({ state: 'absent', from });
export const unknown = (reason: Reason, detail: string): Observed<never> => ({ state: 'unknown', reason, detail });

/** Applies `change` to a seen value and passes absent and unknown on. */
export const mapObserved = <T, U>(observed: Observed<T>, change: (value: T) => U): Observed<U> =>
  observed.state === 'seen' ? { ...observed, value: change(observed.value) } : observed;
