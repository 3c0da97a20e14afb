import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** A suite that needs root and network namespaces. Without root it is skipped, or fails where K8SNET_REQUIRE_CLUSTER=1 says that nothing may be. */
export function describeAsRoot(name: string, body: () => void): void {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) describe(name, body);
  else if (process.env.K8SNET_REQUIRE_CLUSTER === '1') describe(name, () => it('runs as root', () => expect.fail('needs root')));
  else describe.skip(`${name} (needs root)`, body);
}

/** What one command printed; `status` as the shell has it. */
export interface Printed {
  stdout: string;
  stderr: string;
  status: number | null;
}

/** Runs a shell script in a network namespace of its own, then each command there, and takes the namespace away. */
export function printedIn(setup: string, commands: readonly string[]): Printed[] {
  const namespace = `k8snet-forms-${process.pid}`;
  const inside = (script: string): Printed => {
    const { stdout, stderr, status } = spawnSync('ip', ['netns', 'exec', namespace, 'sh', '-c', script], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return { stdout, stderr, status };
  };
  const made = spawnSync('ip', ['netns', 'add', namespace], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`no namespace: ${made.stderr}`);
  try {
    inside(setup);
    return commands.map(inside);
  } finally {
    spawnSync('ip', ['netns', 'delete', namespace]);
  }
}
