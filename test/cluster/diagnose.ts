import type { Report } from '../../src/schema/report.ts';
import { type ClusterExecOptions, clusterExec } from './access.ts';

export interface Diagnosis {
  exit: number | undefined;
  report: Report | null;
  stdout: string;
  stderr: string;
}

/** The built CLI, as a user runs it, with JSON. */
export async function diagnose(args: readonly string[], options: ClusterExecOptions = {}): Promise<Diagnosis> {
  const result = await clusterExec([process.execPath, 'bin/k8snet.js', 'diagnose', ...args, '-o', 'json'], {
    timeout: 200_000,
    ...options,
  });
  let report: Report | null = null;
  try {
    report = JSON.parse(result.stdout) as Report;
  } catch {
    // Not JSON: the test will see that it is null.
  }
  return { exit: result.exitCode, report, stdout: result.stdout, stderr: result.stderr };
}

/** Node pods of k8snet, once those that are being deleted have gone. */
export async function nodePodsLeft(): Promise<string[]> {
  for (let round = 0; ; round += 1) {
    const result = await clusterExec(['kubectl', 'get', 'pods', '-A', '-l', 'app.kubernetes.io/managed-by=k8snet', '-o', 'name']);
    const names = result.stdout.split('\n').filter(Boolean);
    if (names.length === 0 || round === 30) return names;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
