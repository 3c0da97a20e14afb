import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

const root = new URL('../..', import.meta.url).pathname;
export const bin = join(root, 'bin/k8snet.js');
const built = join(root, 'dist/k8snet.js');

/** Builds the CLI when it is missing or older than its source. A directory is the lock: several test files may ask at once. */
export async function ensureBuilt(): Promise<void> {
  const lock = join(root, 'node_modules/.k8snet-build-lock');
  for (let round = 0; round < 600; round += 1) {
    if (isFresh()) return;
    if (await underLock(lock, () => execa('npm', ['run', '-s', 'build'], { cwd: root }))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`somebody builds for more than a minute: is ${lock} a leftover?`);
}

function isFresh(): boolean {
  if (!existsSync(built)) return false;
  const time = statSync(built).mtimeMs;
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return sources.every((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs <= time);
}

async function underLock(lock: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    mkdirSync(lock);
  } catch {
    forgetIfAbandoned(lock);
    return false;
  }
  try {
    await work();
    return true;
  } finally {
    rmdirSync(lock);
  }
}

/** The lock of a run that was killed: no build takes this long. */
function forgetIfAbandoned(lock: string): void {
  const made = statSync(lock, { throwIfNoEntry: false });
  if (made && Date.now() - made.mtimeMs > 120_000) rmdirSync(lock);
}

export interface CliRun {
  exit: number | null;
  stdout: string;
  stderr: string;
}

/** A kubeconfig and a kubectl that end every test that touches them: none of these commands may. */
const untouched = { KUBECONFIG: '/does/not/exist/kubeconfig', K8SNET_KUBECTL: '/does/not/exist/kubectl' };

/** Runs the built CLI with nothing of this machine's settings in its environment. */
export function k8snet(words: readonly string[], env: Record<string, string> = {}): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: '/does/not/exist', ...untouched, ...env },
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (exit) =>
      resolve({ exit, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }),
    );
  });
}
