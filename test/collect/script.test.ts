import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prelude, setup } from '../../src/collect/prelude.ts';
import { buildScript, readScriptOutput, type Section } from '../../src/collect/script.ts';
import { quote } from '../../src/collect/shell.ts';
import { temporaryDirectory } from '../temporary.ts';

const plain = { prelude: prelude('client-pod'), setup: setup('client-pod', []) };
const section = (key: string, shell: string, more: Partial<Section> = {}): Section => ({
  key,
  command: shell,
  shell,
  limit: 5,
  lane: key,
  ...more,
});

/** Runs the sections as `kubectl exec -i … -- sh` would: the script on standard input of a real shell. */
function run(
  sections: readonly Section[],
  shell = 'sh',
): { nonce: string; bytes: Buffer; read: () => ReturnType<typeof readScriptOutput> } {
  const { nonce, script } = buildScript(sections, plain);
  const bytes = execFileSync(shell, { input: script, maxBuffer: 64 * 1024 * 1024, stdio: ['pipe', 'pipe', 'ignore'] });
  return { nonce, bytes, read: () => readScriptOutput(sections, nonce, bytes) };
}

describe('a script of sections', () => {
  it.each(['sh', 'bash'])('gives each its own output, error text and exit code (%s)', (shell) => {
    const sections = [
      section('both', 'echo out; echo err >&2; exit 3'),
      section('no newline', 'printf abc'),
      section('nothing', 'true'),
      section('newlines only', "printf '\\n\\n'"),
    ];
    const outputs = run(sections, shell).read();
    expect(outputs.get('both')).toEqual({ exit: 3, stdout: 'out\n', stderr: 'err\n' });
    expect(outputs.get('no newline')).toEqual({ exit: 0, stdout: 'abc', stderr: '' });
    expect(outputs.get('nothing')).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(outputs.get('newlines only')).toEqual({ exit: 0, stdout: '\n\n', stderr: '' });
  });

  it('of a long error text brings the beginning, and the whole output all the same', () => {
    const sections = [section('noisy', 'seq 1 5000 >&2; seq 1 5000; exit 4'), section('short', 'echo short >&2')];
    const outputs = run(sections).read();
    const text = Array.from({ length: 5000 }, (_, index) => `${index + 1}\n`).join('');
    expect(outputs.get('noisy')).toEqual({ exit: 4, stdout: text, stderr: text.slice(0, 8192) });
    expect(outputs.get('short')).toEqual({ exit: 0, stdout: '', stderr: 'short\n' });
  });

  it('brings any text back byte for byte, also what looks like its own frames', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom('@@k8snet:x:end:0', '\n@@k8snet:0000000000000000:out:0:0:5\n', "K8SNET_PRELUDE\n'"),
    );
    fc.assert(
      fc.property(
        fc.array(
          text.filter((item) => !item.includes('\0')),
          { minLength: 1, maxLength: 8 },
        ),
        (texts) => {
          const sections = texts.map((item, index) => section(`s${index}`, `printf %s ${quote(item)}`));
          const outputs = run(sections).read();
          texts.forEach((item, index) => {
            expect(outputs.get(`s${index}`)).toMatchObject({ exit: 0, stdout: item });
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('cut anywhere: what arrived whole is right, the rest is truncated, and nothing is ever empty that was not', () => {
    const sections = [section('a', 'seq 1 200'), section('b', 'true'), section('c', 'echo last; exit 1'), section('d', 'seq 1 50 >&2')];
    const { nonce, bytes, read } = run(sections);
    const whole = read();
    for (const output of whole.values()) expect(output.failure).toBeUndefined();
    for (let length = 0; length < bytes.length; length += 7) {
      for (const [key, output] of readScriptOutput(sections, nonce, bytes.subarray(0, length))) {
        if (output.failure) expect(output.failure.reason, `${key} at ${length}`).toBe('truncated');
        else expect(output, `${key} at ${length}`).toEqual(whole.get(key));
      }
    }
  });

  it('with bytes lost in the middle: the section that lost them is truncated, those after it are whole', () => {
    const sections = [section('a', 'seq 1 1000'), section('b', 'echo after')];
    const { nonce, bytes } = run(sections);
    const damaged = Buffer.concat([bytes.subarray(0, 500), bytes.subarray(700)]);
    const outputs = readScriptOutput(sections, nonce, damaged);
    expect(outputs.get('a')?.failure).toMatchObject({ reason: 'truncated' });
    expect(outputs.get('b')).toEqual({ exit: 0, stdout: 'after\n', stderr: '' });
  });

  it('half of the script runs nothing at all', () => {
    const directory = temporaryDirectory();
    const { script } = buildScript([section('touches', `touch ${quote(join(directory, 'ran'))}`)], plain);
    for (let length = 1; length < script.length - 30; length += 97) spawnSync('sh', { input: script.slice(0, length) });
    expect(readdirSync(directory)).toEqual([]);
    spawnSync('sh', { input: script });
    expect(readdirSync(directory)).toEqual(['ran']);
  });

  it('names what ended a section: its time limit, a missing tool, a signal, a namespace that could not be entered', () => {
    const outputs = run([
      section('slow', 'echo begun; sleep 20', { limit: 1 }),
      section('missing', 'k8snet-no-such-tool --version'),
      section('crashed', "echo half; sh -c 'kill -SEGV $$'"),
      section('shut', 'echo "k8snet: no process of this pod was found on the node" >&2; exit 125'),
      section('fine', 'echo fine'),
    ]).read();
    expect(outputs.get('slow')).toMatchObject({ failure: { reason: 'timeout' } });
    expect(outputs.get('missing')).toMatchObject({
      exit: 127,
      failure: { reason: 'tool-missing', detail: expect.stringContaining('k8snet-no-such-tool') },
    });
    expect(outputs.get('crashed')).toMatchObject({ failure: { reason: 'tool-failed', detail: 'the tool was ended by signal 11' } });
    expect(outputs.get('shut')).toMatchObject({
      failure: { reason: 'unsupported', detail: 'k8snet: no process of this pod was found on the node' },
    });
    expect(outputs.get('fine')).toEqual({ exit: 0, stdout: 'fine\n', stderr: '' });
  });

  it('says of what stands behind a command that took all of the time that it was not begun', () => {
    const lane = { lane: 'one', limit: 1 };
    const outputs = run([
      section('before', 'echo before', lane),
      section('slow', 'sleep 20', lane),
      section('behind', 'echo behind', lane),
    ]).read();
    expect(outputs.get('before')).toEqual({ exit: 0, stdout: 'before\n', stderr: '' });
    for (const key of ['slow', 'behind']) expect(outputs.get(key)).toMatchObject({ exit: null, failure: { reason: 'timeout' } });
  });

  it('keeps more than ten sections apart, whatever order the shell puts them out in', () => {
    const sections = Array.from({ length: 25 }, (_, index) => section(`s${index}`, `echo ${index}`, { lane: `l${index % 3}` }));
    const outputs = run(sections).read();
    sections.forEach(({ key }, index) => {
      expect(outputs.get(key)).toEqual({ exit: 0, stdout: `${index}\n`, stderr: '' });
    });
  });

  it('runs lanes at once and the sections of a lane one after the other', () => {
    const began = performance.now();
    const outputs = run([
      ...Array.from({ length: 6 }, (_, index) => section(`lane ${index}`, 'sleep 1; echo done')),
      section('first', 'echo 1 >"$W/order"', { lane: 'one' }),
      section('second', 'cat "$W/order"', { lane: 'one' }),
    ]).read();
    expect(performance.now() - began).toBeLessThan(5500);
    expect(outputs.get('second')).toMatchObject({ stdout: '1\n' });
  });

  it('leaves nothing in /tmp', () => {
    const left = () => readdirSync('/tmp').filter((name) => /^k8snet\.\w{6}$/.test(name));
    const before = new Set(left());
    const [output] = [
      ...run([section('where', 'echo "$W"')])
        .read()
        .values(),
    ];
    const mine = output?.stdout.trim().replace('/tmp/', '') ?? '';
    expect(mine).toMatch(/^k8snet\.\w{6}$/);
    expect(before.has(mine)).toBe(false);
    expect(left()).not.toContain(mine);
  });

  it('of a foreign nonce is not taken for its own', () => {
    const sections = [section('a', 'echo a')];
    const { bytes } = run(sections);
    expect(readScriptOutput(sections, '0'.repeat(16), bytes).get('a')).toMatchObject({ exit: null, failure: { reason: 'truncated' } });
  });
});
