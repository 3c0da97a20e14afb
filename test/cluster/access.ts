import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * Where the cluster of `npm run cluster` keeps its things. The same variables as its scripts: PREFIX, STATE and BIN.
 * `kubeconfig` is the administrator's and names 192.168.1.1:6443, which only the network namespace `netns` can reach:
 * use clusterExec(), or startRelay() to reach it from here.
 */
export interface ClusterPaths {
  netns: string;
  state: string;
  bin: string;
  kubeconfig: string;
  kubectl: string;
}

export function clusterPaths(env: NodeJS.ProcessEnv = process.env): ClusterPaths {
  const prefix = env.PREFIX ?? 'k8snet';
  const state = env.STATE ?? `/tmp/${prefix}-cluster`;
  const bin = join(env.BIN ?? join(homedir(), '.cache/k8snet-cluster'), 'bin');
  return { netns: `/var/run/netns/${prefix}-cp`, state, bin, kubeconfig: join(state, 'admin.conf'), kubectl: join(bin, 'kubectl') };
}

/** Why there is no cluster to test on, in words for a skipped test's name; undefined when one is up. */
export function whyNoCluster(paths: ClusterPaths = clusterPaths()): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync(paths.netns) || !existsSync(paths.kubeconfig)) return 'no cluster is up (npm run cluster -- up)';
  return undefined;
}

export interface ClusterExecOptions {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
  /** Milliseconds; the command is killed after them. Default 120,000. */
  timeout?: number;
}

export interface ClusterExecResult {
  /** undefined when the command was killed or could not start. */
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  durationMs: number;
}

/**
 * Runs a command on the control plane's host, where KUBECONFIG (the administrator's, unless `env` names another) leads to the API server,
 * with the cluster's own kubectl first in PATH. Never rejects for an exit code.
 */
export async function clusterExec(argv: readonly [string, ...string[]], options: ClusterExecOptions = {}): Promise<ClusterExecResult> {
  const paths = clusterPaths();
  const { exitCode, stdout, stderr, timedOut, durationMs } = await execa('nsenter', [`--net=${paths.netns}`, '--', ...argv], {
    reject: false,
    timeout: options.timeout ?? 120_000,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { KUBECONFIG: paths.kubeconfig, PATH: `${paths.bin}:${process.env.PATH ?? ''}`, ...options.env },
  });
  return { exitCode, stdout: String(stdout), stderr: String(stderr), timedOut, durationMs };
}

export interface Relay {
  /** The administrator's kubeconfig with the relay's address in it: works for everything on this machine. */
  kubeconfig: string;
  port: number;
  close: () => Promise<void>;
}

/**
 * A way from this host's loopback to the API server: a TCP listener on 127.0.0.1 here and, in the control plane's network namespace, a helper
 * process that dials the API server; they meet at a Unix socket, which network namespaces do not part.
 */
export async function startRelay(paths: ClusterPaths = clusterPaths()): Promise<Relay> {
  const directory = mkdtempSync(join(tmpdir(), 'k8snet-relay-'));
  const helper = await startHelper(paths.netns, join(directory, 'api.sock'));
  const sockets = new Set<Socket>();
  const server = createServer((near) => splice(near, netConnect(join(directory, 'api.sock')), sockets));
  const port = await listen(server);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, readFileSync(paths.kubeconfig, 'utf8').replace('https://192.168.1.1:6443', `https://127.0.0.1:${port}`), {
    mode: 0o600,
  });
  return {
    kubeconfig,
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      helper.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const HELPER = `
const net = require('node:net');
net.createServer((near) => {
  const far = net.connect(6443, '192.168.1.1');
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy()); far.on('error', () => near.destroy());
}).listen(process.argv[1], () => process.stdout.write('ready'));
process.stdin.on('end', () => process.exit()).resume();
`;

/** The helper ends with us, however we end: its standard input is our pipe. */
async function startHelper(netns: string, socketPath: string): Promise<{ kill: () => void }> {
  const child = spawn('nsenter', [`--net=${netns}`, '--', process.execPath, '-e', HELPER, socketPath], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the relay's helper ended with ${code}`)));
  });
  child.unref();
  return { kill: () => void child.kill() };
}

function splice(a: Socket, b: Socket, sockets: Set<Socket>): void {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    sockets.add(one);
    one.pipe(other);
    one.on('error', () => other.destroy());
    one.on('close', () => sockets.delete(one));
  }
}

/** The port on 127.0.0.1 that the server got. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return address.port;
}
