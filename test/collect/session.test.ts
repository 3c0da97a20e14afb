import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Kubectl, KubectlResult } from '../../src/collect/kubectl.ts';
import { classifyKubectlError } from '../../src/collect/kubectl.ts';
import { execFailure, runSections, type Session } from '../../src/collect/session.ts';

const session: Session = { tier: 'client-pod', namespace: 'default', pod: 'client', container: undefined };
const section = (key: string, shell: string) => ({ key, command: shell, shell, limit: 5, lane: key });
const sections = [section('long', 'seq 1 2000'), section('short', 'echo short')];

type Change = (bytes: Uint8Array) => { stdout: Uint8Array; stderr?: string; exit?: number; milliseconds?: number };

/** Runs the scripts in a real sh, and gives their output on as a kubectl would that met with this on the way. */
function kubectlWith(...changes: Change[]): Kubectl & { scripts: string[] } {
  const scripts: string[] = [];
  return {
    binary: 'kubectl',
    flags: {},
    scripts,
    run: (args, { input = '' }) => {
      scripts.push(input);
      const change = changes[Math.min(scripts.length, changes.length) - 1] ?? whole;
      const { stdout, stderr = '', exit = 0, milliseconds = 100 } = change(execFileSync('sh', { input }));
      const failure = exit === 0 ? undefined : classifyKubectlError(stderr);
      return Promise.resolve({ args: [...args], exit, stdout, stderr, milliseconds, ...(failure ? { failure } : {}) });
    },
  };
}

const whole: Change = (stdout) => ({ stdout });
const cutQuietly: Change = (stdout) => ({ stdout: stdout.subarray(0, 500) });
const cutLoudly: Change = (stdout) => ({
  stdout: stdout.subarray(0, 500),
  exit: 1,
  stderr: 'error: websocket: close 1006 (abnormal closure): unexpected EOF',
});
const run = (kubectl: Kubectl) =>
  runSections(kubectl, session, sections, [], () => ({ kind: 'pod', namespace: 'default', name: 'client' }), 10_000);

describe('runSections', () => {
  it.each([
    ['quietly (SPDY: exit 0)', cutQuietly],
    ['with an error (WebSocket)', cutLoudly],
  ])('cut once %s: what was cut is asked for again, and all is there', async (_, cut) => {
    const kubectl = kubectlWith(cut, whole);
    const [long, short] = await run(kubectl);
    expect(long).toMatchObject({ exit: 0, stdout: expect.stringMatching(/\n2000\n$/) });
    expect(long?.failure).toBeUndefined();
    expect(short).toMatchObject({ exit: 0, stdout: 'short\n' });
    expect(kubectl.scripts).toHaveLength(2);
  });

  it('asks again only for what was cut', async () => {
    const kubectl = kubectlWith((stdout) => ({ stdout: stdout.subarray(0, stdout.length - 60) }), whole);
    const [, short] = await run(kubectl);
    expect(kubectl.scripts[1]).not.toContain('seq 1 2000');
    expect(short).toMatchObject({ stdout: 'short\n' });
  });

  it.each([
    ['quietly', cutQuietly, 'truncated'],
    ['with an error', cutLoudly, 'unreachable'],
  ])('cut %s every time: a reason, and no third try', async (_, cut, reason) => {
    const kubectl = kubectlWith(cut);
    for (const entry of await run(kubectl)) expect(entry).toMatchObject({ exit: null, stdout: '', failure: { reason } });
    expect(kubectl.scripts).toHaveLength(2);
  });

  it.each([
    ['forbidden', 'Error from server (Forbidden): pods "client" is forbidden: User "x" cannot create resource "pods/exec"', 100],
    ['unreachable', 'error: error dialing backend: dial tcp 192.168.1.11:10250: i/o timeout', 30_000],
  ])('%s: not asked again when it would be in vain', async (_, stderr, milliseconds) => {
    const kubectl = kubectlWith(() => ({ stdout: new Uint8Array(), exit: 1, stderr, milliseconds }));
    for (const entry of await run(kubectl)) expect(entry.failure).toMatchObject({ detail: stderr });
    expect(kubectl.scripts).toHaveLength(1);
  });
});

describe('execFailure', () => {
  const result = (stderr: string, exit: number): KubectlResult => {
    const failure = classifyKubectlError(stderr);
    return { args: [], exit, stdout: new Uint8Array(), stderr, milliseconds: 1, ...(failure ? { failure } : {}) };
  };

  it.each([
    // containerd 2 and runc, kubectl 1.36
    [
      'error: Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "3": OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found in $PATH',
      1,
    ],
    [
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown\ncommand terminated with exit code 126',
      126,
    ],
    // CRI-O
    [
      'time="2026-01-01T00:00:00Z" level=error msg="exec failed: unable to start container process: exec: \\"sh\\": executable file not found in $PATH"\ncommand terminated with exit code 255',
      255,
    ],
  ])('a container without a shell: %s', (stderr, exit) => {
    expect(execFailure(result(stderr, exit))).toEqual({ reason: 'tool-missing', detail: 'the container has no shell (sh)' });
  });

  it('a script that ended with a code of its own: said with its last words', () => {
    expect(execFailure(result('sh: out of memory\ncommand terminated with exit code 137', 137))).toMatchObject({
      reason: 'tool-failed',
      detail: expect.stringContaining('137'),
    });
  });
});
