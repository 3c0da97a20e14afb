import type { Readable } from 'node:stream';
import { execa } from 'execa';
import type { Reason } from '../model/observed.ts';

/** kubectl's own flags in kubectl's spelling; handed to every kubectl that is started. */
export interface KubectlFlags {
  context?: string | undefined;
  kubeconfig?: string | undefined;
  cluster?: string | undefined;
  user?: string | undefined;
  as?: string | undefined;
  asGroup?: string[] | undefined;
  requestTimeout?: string | undefined;
}

export interface KubectlResult {
  args: string[];
  exit: number | null;
  stdout: Uint8Array;
  stderr: string;
  milliseconds: number;
  /** Set when kubectl itself failed, with its cause and a sentence. The remote command's own exit status is not a failure. */
  failure?: { reason: Reason | 'not-found' | 'unauthorized' | 'not-installed' | 'interrupted' | 'conflict'; detail: string };
}

export interface RunOptions {
  limitMilliseconds: number;
  /** Ended earlier when nothing at all was printed by then: for commands that print something at once when they work. */
  firstOutputMilliseconds?: number;
  input?: string;
  /** Input that stays open until its owner ends it: for scripts that wait for a word. */
  stream?: Readable;
  /** Called with each piece of standard output as it arrives: for scripts that say when they are ready. */
  onOutput?: (chunk: Uint8Array) => void;
  /** False = its standard output is not kept for the result: for what is long, and was handed to `onOutput`. */
  isKept?: boolean;
}

export interface Kubectl {
  binary: string;
  flags: KubectlFlags;
  run(args: readonly string[], options: RunOptions): Promise<KubectlResult>;
}

/** Called for each kubectl that ends; used by -v. */
export type KubectlListener = (result: KubectlResult) => void;

/**
 * Starts real kubectl processes, each in a process group of its own with our own time limit: `--request-timeout` does not bound
 * `kubectl exec` (seen with 1.27 to 1.36), and a helper such as an exec credential plug-in can hold the pipe after kubectl was killed.
 */
export function createKubectl(binary: string, flags: KubectlFlags, signal: AbortSignal, listen: KubectlListener = () => {}): Kubectl {
  return {
    binary,
    flags,
    run: async (args, options) => {
      const result = await runOnce(binary, [...flagArguments(flags), ...args], options, signal);
      listen(result);
      return result;
    },
  };
}

/** The flags as arguments; they come before the verb, so that nothing after `--` can be taken for them. */
export function flagArguments(flags: KubectlFlags): string[] {
  const pairs: [string, string | undefined][] = [
    ['kubeconfig', flags.kubeconfig],
    ['context', flags.context],
    ['cluster', flags.cluster],
    ['user', flags.user],
    ['as', flags.as],
    ...(flags.asGroup ?? []).map((group): [string, string] => ['as-group', group]),
    ['request-timeout', flags.requestTimeout],
  ];
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

async function runOnce(
  binary: string,
  args: string[],
  { limitMilliseconds, firstOutputMilliseconds, input, stream, onOutput, isKept = true }: RunOptions,
  signal: AbortSignal,
): Promise<KubectlResult> {
  const started = performance.now();
  const child = execa(binary, args, {
    reject: false,
    detached: true,
    encoding: 'buffer',
    stripFinalNewline: false,
    buffer: { stdout: isKept, stderr: true },
    maxBuffer: 512 * 1024 * 1024,
    ...(stream ? { input: stream } : input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  const ending: { why: 'timeout' | 'interrupted' | null } = { why: null };
  const end = (why: 'timeout' | 'interrupted') => {
    ending.why ??= why;
    killGroup(child.pid);
  };
  if (child.pid !== undefined) running.add(child.pid);
  let limit = limitMilliseconds;
  const timer = setTimeout(() => end('timeout'), limitMilliseconds);
  const silence = setTimeout(() => {
    limit = firstOutputMilliseconds ?? limitMilliseconds;
    end('timeout');
  }, firstOutputMilliseconds ?? limitMilliseconds);
  child.stdout.once('data', () => clearTimeout(silence));
  if (onOutput) child.stdout.on('data', onOutput);
  const onAbort = () => end('interrupted');
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const result = await child;
    const stderr = Buffer.from(result.stderr).toString('utf8');
    const base = {
      args,
      exit: result.exitCode ?? null,
      stdout: result.stdout ?? new Uint8Array(),
      stderr,
      milliseconds: performance.now() - started,
    };
    if (result.code === 'ENOENT' || result.code === 'EACCES')
      return { ...base, failure: { reason: 'not-installed', detail: `${binary} is not there or can't be run (${result.code})` } };
    if (ending.why === 'timeout')
      return {
        ...base,
        exit: null,
        failure: { reason: 'timeout', detail: `kubectl gave no answer within ${Math.round(limit / 100) / 10} s and was ended` },
      };
    if (ending.why === 'interrupted') return { ...base, exit: null, failure: { reason: 'interrupted', detail: 'interrupted' } };
    if (base.exit === null)
      return { ...base, failure: { reason: 'tool-failed', detail: `kubectl was ended from outside (${result.signal})` } };
    const failure = base.exit === 0 ? undefined : classifyKubectlError(stderr);
    return failure ? { ...base, failure } : base;
  } finally {
    clearTimeout(timer);
    clearTimeout(silence);
    signal.removeEventListener('abort', onAbort);
    if (child.pid !== undefined) running.delete(child.pid);
  }
}

/** Groups that are under way. When this process leaves at once (a second Ctrl-C), they must not stay behind: execa ends no detached children. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) killGroup(pid);
});

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended by itself in the meantime.
  }
}

const causes: [RegExp, NonNullable<KubectlResult['failure']>['reason']][] = [
  [/\(Forbidden\)|is forbidden|: forbidden:|violates PodSecurity/, 'forbidden'],
  [/\(Unauthorized\)|must be logged in|asked for the client to provide credentials/, 'unauthorized'],
  [/\(NotFound\)| not found$/m, 'not-found'],
  [/\(AlreadyExists\)|\(Conflict\)/, 'conflict'],
  [/unknown flag|unknown command|unknown shorthand/, 'unsupported'],
  [/i\/o timeout|Client\.Timeout|context deadline exceeded|TLS handshake timeout|\(Timeout\)/, 'timeout'],
  [
    /connection refused|connection to the server \S+ was refused|no such host|no route to host|network is unreachable|Unable to connect to the server|EOF$|connection reset|error dialing backend|close 1006|unable to upgrade connection|error reading from error stream/m,
    'unreachable',
  ],
  [/\(TooManyRequests\)|\(InternalError\)|\(ServiceUnavailable\)|Error from server|an error on the server/, 'tool-failed'],
  [
    /context .* does not exist|error loading config|invalid configuration|no configuration has been provided|no context exists|cluster .* does not exist/i,
    'unsupported',
  ],
];

/**
 * The cause that kubectl's standard error names, or undefined when it only reports the remote command's exit status.
 * Texts: k8s.io/apimachinery api/errors and kubectl 1.27 to 1.36.
 */
export function classifyKubectlError(stderr: string): NonNullable<KubectlResult['failure']> | undefined {
  const lines = stderr
    .split('\n')
    // klog lines (E1121 10:11:12.123456 …) come before the sentence for people.
    .filter((line) => line.trim() !== '' && !/^[EWIF]\d{4} /.test(line));
  const last = lines.at(-1) ?? '';
  if (/^command terminated with exit code \d+/.test(last)) return undefined;
  const text = lines.join('\n') || stderr;
  const found = causes.find(([pattern]) => pattern.test(text));
  // The line that names the cause: what follows it may be advice (`See 'kubectl get --help' for usage.`).
  const telling = found && text.split('\n').find((line) => found[0].test(line));
  const detail = (telling || last || stderr.trim().split('\n').at(-1) || 'kubectl failed and printed nothing').slice(0, 500);
  return found ? { reason: found[1], detail } : { reason: 'tool-failed', detail };
}
