import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ClusterPaths, clusterPaths } from '../../test/cluster/access.ts';
import { processesWhere } from '../../test/cluster/leftovers.ts';

/** How a run ends. */
export const endings = [
  'success',
  'failure of the probes',
  '--timeout',
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'kill -9',
  'kill -9 of the group',
  'kill -9 of a kubectl',
] as const;
export type Ending = (typeof endings)[number];

/** Whether nobody is left to take away what the run made. */
export const isSudden = (ending: Ending): boolean => ending === 'kill -9' || ending === 'kill -9 of the group';

export const commands = [
  'capture',
  'capture --watch 8s',
  'diagnose',
  'diagnose --capture',
  'diagnose --node-access none',
  'trace',
  'verify',
] as const;
export type Command = (typeof commands)[number];

/** Seconds by which a command may take longer than --timeout says: those of its watch. */
export const extraSeconds = (command: Command): number => Number(/--watch (\d+)s/.exec(command)?.[1] ?? 0);

/** A Service that refuses every connection. */
export const refusing = 'interrupted-refuses';

export interface Started {
  /** In the environment of every process that the run starts on this machine. */
  marker: string;
  began: number;
  /** Resolves when it has ended, to its exit code. */
  ended: Promise<number | null>;
}

export interface RunPlan {
  command: Command;
  ending: Ending;
  /** Seconds after its start at which it is ended. */
  at: number;
  service: string;
  /** Seconds. */
  timeout: number;
  /** Namespace of its node pods, in which there are no others. */
  namespace: string;
}

let number = 0;

/** Starts the built CLI in the control plane's network namespace, in a process group of its own, and ends it as planned. */
export function startRun(plan: RunPlan, prefix: string): Started {
  const paths = clusterPaths({ ...process.env, PREFIX: prefix });
  number += 1;
  const marker = `K8SNET_INTERRUPTED=${process.pid}-${number}`;
  const child = spawn('nsenter', [`--net=${paths.netns}`, '--', process.execPath, 'bin/k8snet.js', ...wordsOf(plan)], {
    detached: true,
    stdio: 'ignore',
    env: environment(paths, marker),
  });
  const began = performance.now();
  const timer = setTimeout(() => end(child, plan.ending, marker), plan.at * 1000);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
  return { marker, began, ended };
}

function wordsOf({ command, ending, at, service, timeout, namespace }: RunPlan): string[] {
  const [name = '', ...flags] = command.split(' ');
  const limit = ending === '--timeout' ? Math.max(1, at - extraSeconds(command)) : timeout;
  const from = name === 'verify' ? [] : ['--from', 'pod/client'];
  return [name, `svc/${service}`, ...from, ...flags, '--node-namespace', namespace, '--timeout', `${Math.round(limit * 1000)}ms`];
}

function environment(paths: ClusterPaths, marker: string): NodeJS.ProcessEnv {
  const [name = '', value] = marker.split('=');
  return { ...process.env, KUBECONFIG: paths.kubeconfig, PATH: `${paths.bin}:${process.env.PATH ?? ''}`, [name]: value };
}

function end(child: ChildProcess, ending: Ending, marker: string): void {
  const pid = child.pid;
  if (pid === undefined || child.exitCode !== null) return;
  if (ending === 'SIGINT' || ending === 'SIGTERM' || ending === 'SIGHUP') child.kill(ending);
  if (ending === 'kill -9') child.kill('SIGKILL');
  if (ending === 'kill -9 of the group') process.kill(-pid, 'SIGKILL');
  if (ending === 'kill -9 of a kubectl') killKubectl(child, marker);
}

/** The next kubectl that the run has under way, if there is one before it ends. */
function killKubectl(child: ChildProcess, marker: string): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const [pid] = localProcesses(marker).filter((id) => id !== String(child.pid) && isKubectl(id));
  if (pid === undefined) setTimeout(() => killKubectl(child, marker), 30);
  else process.kill(Number(pid), 'SIGKILL');
}

function isKubectl(pid: string): boolean {
  try {
    return /(^|\/)kubectl\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
}

/** Processes of this machine that the run started, its own included. */
export const localProcesses = (marker: string): string[] => processesWhere('environ', (text) => text.includes(`${marker}\0`));
