import { PassThrough } from 'node:stream';
import type { Entry } from '../../snapshot/entry.ts';
import type { Kubectl, KubectlResult } from '../kubectl.ts';
import { execScript } from '../node-pod.ts';
import type { ReadFailure } from '../reader.ts';
import type { Session } from '../session.ts';

/** A script on a node that captures until it is told to end. */
export interface RunningScript {
  /** How the wait for it ended: it listens, it has not in time, or it is over. */
  listening: Promise<'listens' | 'late' | 'over'>;
  result: Promise<KubectlResult>;
  /** Writes the line that it waits for. */
  end: (word: string) => void;
}

const startMilliseconds = 8000;

/** Sends a script on standard input, which stays open: its end says that we are gone. */
export function startScript(
  kubectl: Kubectl,
  session: Session,
  script: string,
  options: { limitMilliseconds: number; isListening: () => boolean; onOutput: (chunk: Uint8Array) => void; isKept: boolean },
): RunningScript {
  const input = new PassThrough();
  input.write(`${script}\n`);
  const { promise: listening, resolve } = withResolver<'listens' | 'late' | 'over'>();
  const onOutput = (chunk: Uint8Array): void => {
    options.onOutput(chunk);
    if (options.isListening()) resolve('listens');
  };
  const timer = setTimeout(() => resolve('late'), startMilliseconds);
  const result = execScript(kubectl, session, input, options.limitMilliseconds, onOutput, options.isKept);
  void result.finally(() => {
    clearTimeout(timer);
    resolve('over');
  });
  return { listening, result, end: (word) => void input.end(`${word}\n`) };
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Why nothing can be captured on a node without a pod of ours. */
export const withoutNodePod = (failure: ReadFailure | null): NonNullable<Entry['failure']> => ({
  reason: 'not-collected',
  detail: failure?.detail ?? 'captures need a node pod',
});

/** What a script needs to notice the end of its input and to leave. */
const goodbyeMilliseconds = 1500;

/** Interrupted, the execs are gone at once; the scripts take their trace instances away before the pods go. */
export async function letScriptsLeave(signal: AbortSignal): Promise<void> {
  if (signal.aborted) await new Promise((resolve) => setTimeout(resolve, goodbyeMilliseconds));
}
