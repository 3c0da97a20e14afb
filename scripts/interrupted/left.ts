import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { type ClusterExecResult, clusterPaths } from '../../test/cluster/access.ts';
import { processesWhere, scriptFiles, traceInstances } from '../../test/cluster/leftovers.ts';
import { localProcesses } from './run.ts';

export interface SeenPod {
  name: string;
  container: string;
  phase: string;
}

export interface PodWatch {
  /** All pods that were ever seen in the namespace, as last seen. */
  pods: () => SeenPod[];
  close: () => void;
}

export type Kubectl = (args: readonly string[], input?: string) => Promise<Pick<ClusterExecResult, 'exitCode' | 'stdout' | 'stderr'>>;

/** kubectl as administrator of one cluster. */
export function kubectlOf(prefix: string): Kubectl {
  const paths = clusterPaths({ ...process.env, PREFIX: prefix });
  return async (args, input) => {
    const { exitCode, stdout, stderr } = await execa('nsenter', [`--net=${paths.netns}`, '--', paths.kubectl, ...args], {
      reject: false,
      timeout: 60_000,
      env: { KUBECONFIG: paths.kubeconfig },
      ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    });
    return { exitCode, stdout: String(stdout), stderr: String(stderr) };
  };
}

const columns = '{.metadata.name} {.status.containerStatuses[0].containerID} {.status.phase}{"\\n"}';

/** Sees every pod of a namespace come, so that its processes can be found after it has gone. */
export function watchPods(prefix: string, namespace: string): PodWatch {
  const paths = clusterPaths({ ...process.env, PREFIX: prefix });
  const seen = new Map<string, SeenPod>();
  let isOpen = true;
  let child: ReturnType<typeof start>;
  const start = () => {
    const begun = execa(
      'nsenter',
      [`--net=${paths.netns}`, '--', paths.kubectl, 'get', 'pods', '-n', namespace, '-w', '-o', `jsonpath=${columns}`],
      { reject: false, buffer: false, stdin: 'ignore', stderr: 'ignore', env: { KUBECONFIG: paths.kubeconfig } },
    );
    let rest = '';
    begun.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) note(line);
    });
    // The API server ends every watch after a while.
    void begun.then(() => {
      if (isOpen) child = start();
    });
    return begun;
  };
  const note = (line: string) => {
    const [, name = '', container = '', phase = ''] = /^(\S+) (?:containerd:\/\/)?(\S*) ?(\S*)$/.exec(line) ?? [];
    if (name !== '') seen.set(name, { name, container: container || (seen.get(name)?.container ?? ''), phase });
  };
  child = start();
  return {
    pods: () => [...seen.values()],
    close: () => {
      isOpen = false;
      child.kill();
    },
  };
}

/** What a run has left so far, by kind. */
export interface Left {
  /** Pods that are there and not being deleted; ended ones are `ended`. */
  pods: string[];
  ended: string[];
  /** On nodes, in the containers of its pods. */
  tcpdump: string[];
  processes: string[];
  /** On this machine. */
  local: string[];
  instances: string[];
  files: string[];
}

export interface Known {
  instances: readonly string[];
  files: readonly string[];
}

const directories = ['/tmp', '/var/tmp', '/dev/shm', '/run'];

/** What lies on the nodes (which have this machine's temporary directories) and in the client pod. */
export function filesNow(clientPid: string | undefined): string[] {
  const inClient = clientPid === undefined ? [] : directories.map((directory) => `/proc/${clientPid}/root${directory}`);
  return [...directories, ...inClient].flatMap((directory) => scriptFiles(directory).map((name) => `${directory}/${name}`));
}

export const knownNow = async (clientPid: string | undefined): Promise<Known> => ({
  instances: await traceInstances(),
  files: filesNow(clientPid),
});

/** A process of the client pod. */
export async function clientProcess(kubectl: Kubectl): Promise<string | undefined> {
  const { stdout } = await kubectl(['get', 'pod', 'client', '-o', 'jsonpath={.status.containerStatuses[0].containerID}']);
  const id = stdout.replace('containerd://', '').trim();
  return id === '' ? undefined : processesWhere('cgroup', (text) => text.includes(id))[0];
}

/** Looks once. */
export async function leftOf(
  run: { marker: string; pods: readonly SeenPod[]; namespace: string; clientPid: string | undefined; known: Known },
  kubectl: Kubectl,
): Promise<Left> {
  const containers = run.pods.map(({ container }) => container).filter((id) => id !== '');
  const inside = processesWhere('cgroup', (text) => containers.some((id) => text.includes(id)));
  const names = new Set(run.pods.map(({ name }) => name));
  const listed = await kubectl([
    ...['get', 'pods', '-n', run.namespace, '-o'],
    'jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\\n"}{end}',
  ]);
  if (listed.exitCode !== 0) throw new Error(`pods could not be listed: ${listed.stderr}`);
  const there = listed.stdout
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([name = '']) => names.has(name));
  const isOver = (phase: string | undefined) => phase === 'Failed' || phase === 'Succeeded';
  const named = (wanted: boolean) => there.filter(([, phase]) => isOver(phase) === wanted).map(([name = '']) => name);
  return {
    pods: named(false),
    ended: named(true),
    tcpdump: inside.filter((pid) => commandOf(pid).includes('tcpdump')),
    processes: inside.map((pid) => `${pid} ${commandOf(pid)}`),
    local: localProcesses(run.marker),
    instances: (await traceInstances()).filter((name) => !run.known.instances.includes(name)),
    files: filesNow(run.clientPid).filter((name) => !run.known.files.includes(name)),
  };
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 60);
  } catch {
    return '';
  }
}
