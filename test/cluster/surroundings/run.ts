import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { type Report, reportSchema } from '../../../src/schema/report.ts';
import { clusterPaths, type Relay, startRelay, whyNoCluster } from '../access.ts';
import { type ApiProxy, type Rule, startApiProxy } from '../api-proxy.ts';

export const reason = whyNoCluster();
export const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;
export const { bin, kubectl: kubectlPath } = clusterPaths();

export interface Run {
  exit: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface Started {
  kill: (signal: NodeJS.Signals) => void;
  ended: Promise<Run>;
}

/** Starts the built CLI on this host, as a user does; nothing of it is waited for. */
export function start(words: readonly string[], env: Record<string, string>): Started {
  const began = performance.now();
  const child = spawn(process.execPath, [join(process.cwd(), 'bin/k8snet.js'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}`, NO_COLOR: '1', ...env },
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = new Promise<Run>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => {
      const seconds = (performance.now() - began) / 1000;
      resolve({ exit, signal, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8'), seconds });
    });
  });
  return { kill: (signal) => void child.kill(signal), ended };
}

let relay: Promise<Relay> | undefined;
const proxies: ApiProxy[] = [];

/** A kubeconfig of the administrator that works on this host. */
export async function adminKubeconfig(): Promise<string> {
  relay ??= startRelay();
  return (await relay).kubeconfig;
}

/** For afterAll. */
export async function closeAll(): Promise<void> {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  const open = relay;
  relay = undefined;
  await (await open)?.close();
}

export async function proxyWith(rules: Rule[], kubeconfig?: string): Promise<ApiProxy> {
  const proxy = await startApiProxy({ kubeconfig: kubeconfig ?? (await adminKubeconfig()), rules });
  proxies.push(proxy);
  return proxy;
}

export interface Diagnosis extends Run {
  report: Report;
}

const usual = ['diagnose', 'svc/my-service', '--from', 'pod/client', '-o', 'json'];

/** Diagnoses `my-service` from the client pod (or what `words` say instead), and holds the report against its published schema. */
export async function diagnose(
  env: Record<string, string>,
  more: readonly string[] = [],
  words: readonly string[] = usual,
): Promise<Diagnosis> {
  const run = await start([...words, ...more], env).ended;
  expect(run.stdout, run.stderr).toMatch(/^\{/);
  const report = reportSchema.parse(JSON.parse(run.stdout));
  return { ...run, report };
}

/** The same, with a misbehaving API in between. */
export async function diagnoseThrough(
  rules: Rule[],
  more: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Diagnosis & { proxy: ApiProxy }> {
  const proxy = await proxyWith(rules);
  return { ...(await diagnose({ KUBECONFIG: proxy.kubeconfig, ...env }, more)), proxy };
}

/** One sentence that says why, the loss stated, exit code 3, and nothing claimed. */
export function expectUnknown({ exit, report, stderr }: Diagnosis, why: RegExp): void {
  expect({ exit, status: report.verdict.status, stderr }).toMatchObject({ exit: 3, status: 'unknown' });
  expect(report.verdict.summary).toMatch(/^could not tell: [^\n]+$/);
  expect(report.verdict.summary).toMatch(why);
  expect(report.findings.filter(({ severity }) => severity === 'fault')).toEqual([]);
  expect(report.coverage.lost.join('\n')).not.toBe('');
  expect(stderr).not.toMatch(/\n\s+at /);
}

/** Healthy, with less confidence, and what was lost said in these words. */
export function expectHealthyBut({ exit, report, stderr }: Diagnosis, lost: RegExp): void {
  expect({ exit, summary: report.verdict.summary, stderr }).toMatchObject({ exit: 0, summary: expect.stringContaining('works from') });
  expect(report.verdict).toMatchObject({ status: 'healthy', confidence: 'medium' });
  expect(report.coverage.lost.join('\n')).toMatch(lost);
}

export function expectHealthy({ exit, report, stderr }: Diagnosis): void {
  expect({ exit, summary: report.verdict.summary, stderr }).toMatchObject({ exit: 0, summary: expect.stringContaining('works from') });
  expect(report.verdict).toMatchObject({ status: 'healthy', confidence: 'high' });
  expect(report.coverage.lost).toEqual([]);
}

/** kubectl as administrator on this host. */
export async function kubectl(
  args: readonly string[],
  input?: string,
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa(kubectlPath, args, {
    reject: false,
    timeout: 90_000,
    env: { KUBECONFIG: await adminKubeconfig() },
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  return { exitCode, stdout: String(stdout), stderr: String(stderr) };
}

/** kubectl that has to succeed. */
export async function mustKubectl(args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await kubectl(args, input);
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
  return stdout;
}

export const apply = (...objects: object[]): Promise<string> =>
  mustKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));

/** A Service whose port nothing listens on: a run on it has a second round. */
export async function refusingService(name: string): Promise<void> {
  await apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 9 }] },
  });
}

/** Makes a namespace, after one of the same name that an earlier run left, or is still leaving, has gone. */
export async function freshNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
  await mustKubectl(['delete', 'namespace', name, '--ignore-not-found', '--timeout=80s']);
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

export { nodePodsLeft } from '../diagnose.ts';

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until a condition holds; its last answer goes into the error when it does not. */
export async function until<T>(what: string, look: () => T | Promise<T>, limitMilliseconds = 60_000): Promise<T> {
  const deadline = performance.now() + limitMilliseconds;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not come to be within ${limitMilliseconds / 1000} s`);
    await pause(50);
  }
}
