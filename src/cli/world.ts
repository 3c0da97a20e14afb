import { setMaxListeners } from 'node:events';
import type { World } from '../app/cluster.ts';
import { cleanText } from '../report/sanitize.ts';

/** Why a run was stopped from outside. */
export interface Stop {
  reason: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'timeout' | null;
}

/**
 * Everything that belongs to the process: signals, the time limit, progress on standard error. The first signal ends the run in order (node pods
 * are deleted), a second one at once.
 */
export async function openWorld(options: {
  verbose: number;
  spinner: boolean;
  timeoutSeconds: number;
}): Promise<{ world: World; stop: Stop; close: () => void }> {
  const controller = new AbortController();
  // One listener for each request that is under way.
  setMaxListeners(0, controller.signal);
  const stop: Stop = { reason: null };
  const say = (text: string) => void process.stderr.write(`${cleanText(text)}\n`);
  const spinner = options.spinner && options.verbose === 0 ? await createSpinner() : null;
  const end = (reason: NonNullable<Stop['reason']>) => {
    if (stop.reason !== null && reason !== 'timeout') process.exit(exitCodeOf(reason));
    stop.reason ??= reason;
    spinner?.update(reason === 'timeout' ? 'out of time: cleaning up' : 'interrupted: deleting the node pods (again to leave at once)');
    controller.abort();
  };
  const onSignal = (signal: NodeJS.Signals) => end(signal as 'SIGINT');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const timer = setTimeout(() => end('timeout'), options.timeoutSeconds * 1000);
  return {
    stop,
    world: {
      signal: controller.signal,
      limitSeconds: options.timeoutSeconds,
      environment: process.env,
      progress: (text) => {
        spinner?.update(text);
        if (options.verbose > 0) say(`k8snet: ${text}`);
      },
      onKubectl: (result) => {
        if (options.verbose === 0) return;
        const words = options.verbose > 1 ? result.args.join(' ') : result.args.join(' ').slice(0, 120);
        say(
          `k8snet: kubectl ${words} -> ${result.exit ?? 'ended'} in ${Math.round(result.milliseconds)} ms${result.failure ? ` (${result.failure.reason}: ${result.failure.detail})` : ''}`,
        );
      },
      warn: (sentence) => say(`k8snet: warning: ${sentence}`),
    },
    close: () => {
      clearTimeout(timer);
      spinner?.stop();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
    },
  };
}

export const exitCodeOf = (reason: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'timeout'): number =>
  ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129, timeout: 3 })[reason];

async function createSpinner(): Promise<{ update: (text: string) => void; stop: () => void }> {
  const { default: ora } = await import('ora');
  // ora's default puts the terminal in raw mode and swallows Ctrl-C.
  const spinner = ora({ text: 'starting', stream: process.stderr, discardStdin: false }).start();
  return {
    update: (text) => {
      spinner.text = cleanText(text);
    },
    stop: () => {
      spinner.stop();
    },
  };
}
