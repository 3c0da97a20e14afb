import { randomBytes } from 'node:crypto';
import type { Reason } from '../model/observed.ts';
import { quote } from './shell.ts';

/**
 * One command of a round. `shell` is run by `sh -c` with the functions of the prelude; names from outside are put into it by `quote` only.
 */
export interface Section {
  key: string;
  /** The command as a person would type it: what a report prints. */
  command: string;
  shell: string;
  /** Seconds after which the section is ended by itself. */
  limit: number;
  /** Sections of one lane run one after the other, lanes run at once. */
  lane: string;
  /** The script's setup writes its output ($W/INDEX.out, .err, .rc) while it does other things; nothing is run for it. */
  isWritten?: true;
}

export interface SectionOutput {
  exit: number | null;
  stdout: string;
  stderr: string;
  failure?: { reason: Reason; detail: string };
}

const missingTool = 127;
const timedOut = 124;
/** What the prelude's functions end with when a pod's namespace can't be entered. */
const notEntered = 125;
/** More of a section's standard error is noise. */
const stderrBytes = 8192;

/**
 * One script for a target and a round. Each section's output is framed by a nonce with its exit status and byte counts, because
 * `kubectl exec` can cut long output and still exit 0 (kubernetes/kubernetes#124571), or lose the status frame.
 * Needs a POSIX sh with mktemp, cat, wc, head, mv, rm (coreutils or BusyBox); writes only into a directory of its own that it removes.
 */
export function buildScript(
  sections: readonly Section[],
  functions: { prelude: string; setup: string },
  nonce = randomBytes(8).toString('hex'),
): { nonce: string; script: string } {
  const lanes = new Map<string, number[]>();
  sections.forEach((section, index) => {
    if (section.isWritten) return;
    lanes.set(section.lane, [...(lanes.get(section.lane) ?? []), index]);
  });
  const body = [...lanes.values()].map((indexes) => runLane(sections, indexes));
  // In a function, so that a script that was cut on its way runs not at all instead of by half.
  const script = [
    'k8snet_main() {',
    // Says at once that the exec came through: what hangs is told from what takes long.
    `echo "@@k8snet:${nonce}:hello"`,
    'export LC_ALL=C',
    'w=$(mktemp -d /tmp/k8snet.XXXXXX 2>/dev/null || mktemp -d /dev/shm/k8snet.XXXXXX 2>/dev/null || mktemp -d 2>/dev/null)',
    `export W="$w"; [ -n "$w" ] || { echo "@@k8snet:${nonce}:nowhere"; exit 0; }`,
    'trap \'rm -rf "$w"\' EXIT; trap "exit 143" TERM INT HUP',
    'if timeout 1 true 2>/dev/null; then limit() { timeout "$@"; }; else limit() { shift; "$@"; }; fi',
    `cat > "$w/prelude" <<'K8SNET_PRELUDE'\n${functions.prelude}\nK8SNET_PRELUDE`,
    functions.setup,
    ...body,
    'wait',
    emitSections(nonce),
    `echo "@@k8snet:${nonce}:done:${sections.length}"`,
    '}',
    'k8snet_main; exit 0',
  ].join('\n');
  return { nonce, script };
}

/** Longest time that one lane may take, in seconds. */
const laneLimit = 40;

/** One shell for a lane: starting `timeout` and `sh` for each section would cost more than most tools do. */
function runLane(sections: readonly Section[], indexes: readonly number[]): string {
  const parts = indexes.map((index) => {
    const files = `>"$W/${index}.out" 2>"$W/${index}.err"`;
    return `( ${(sections[index] as Section).shell}\n) ${files} </dev/null; echo $? >"$W/${index}.rc"`;
  });
  const limit = Math.min(
    laneLimit,
    indexes.reduce((sum, index) => sum + (sections[index] as Section).limit, 0),
  );
  return `limit ${limit} sh -c ${quote(`. "$0"\n${parts.join('\n')}`)} "$w/prelude" </dev/null &`;
}

/**
 * Puts all sections out by one `cat`: the frames become files by the shell's own printf, because on a busy node a process for each section would take longer
 * than many sections do themselves.
 */
const emitSections = (nonce: string): string =>
  [
    'cd "$w" || exit 0',
    'wc -c [0-9]*.err [0-9]*.out >"$w/sizes" 2>/dev/null',
    'parts=; last=',
    'while read -r size name; do',
    `case "$name" in *.err) [ "$size" -le ${stderrBytes} ] || { head -c ${stderrBytes} "$name" >"$w/cut"; mv cut "$name"; }; continue;; *.out) i=\${name%.out};; *) continue;; esac`,
    'rc=; [ -s "$i.rc" ] && read -r rc <"$i.rc"',
    `printf '%s@@k8snet:${nonce}:begin:%s\n' "$last" "$i" >"$w/$i.begin"`,
    `printf '\n@@k8snet:${nonce}:out:%s:%s:%s\n' "$i" "$rc" "$size" >"$w/$i.middle"`,
    `parts="$parts $i.begin $name $i.middle $i.err"; last="\n@@k8snet:${nonce}:end:$i\n"`,
    'done <"$w/sizes"',
    '[ -z "$parts" ] || cat $parts; printf %s "$last"',
  ].join('\n');

/**
 * Takes the framed output apart again. A section whose frame is not whole, or whose byte count differs, is `truncated`; it is never empty.
 */
export function readScriptOutput(sections: readonly Section[], nonce: string, bytes: Uint8Array): Map<string, SectionOutput> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nowhere = buffer.includes(`@@k8snet:${nonce}:nowhere`);
  const result = new Map<string, SectionOutput>();
  const ended = buffer.includes(`@@k8snet:${nonce}:done:`);
  for (const [index, section] of sections.entries()) {
    const read = nowhere ? undefined : readSection(buffer, nonce, index);
    result.set(section.key, read ? judge(section, read) : ended ? neverBegun : cut(nowhere));
  }
  return result;
}

const cut = (nowhere: boolean): SectionOutput => ({
  exit: null,
  stdout: '',
  stderr: '',
  failure: nowhere
    ? { reason: 'unsupported', detail: 'there is no directory that can be written to (/tmp, /dev/shm) in the container' }
    : { reason: 'truncated', detail: 'the output ended before this section was whole' },
});

/** The script came to its end without this section: a command before it in its lane took all of the lane's time. */
const neverBegun: SectionOutput = {
  exit: null,
  stdout: '',
  stderr: '',
  failure: { reason: 'timeout', detail: 'an earlier command did not end, so that this one was not begun' },
};

interface RawSection {
  exit: number | null;
  stdout: Buffer;
  stderr: Buffer;
  whole: boolean;
}

function readSection(buffer: Buffer, nonce: string, index: number): RawSection | undefined {
  const begin = Buffer.from(`@@k8snet:${nonce}:begin:${index}\n`);
  const start = buffer.indexOf(begin);
  if (start < 0) return undefined;
  const out = Buffer.from(`\n@@k8snet:${nonce}:out:${index}:`);
  const outAt = buffer.indexOf(out, start + begin.length - 1);
  if (outAt < 0) return undefined;
  const lineEnd = buffer.indexOf('\n', outAt + out.length);
  const end = Buffer.from(`\n@@k8snet:${nonce}:end:${index}\n`);
  const endAt = lineEnd < 0 ? -1 : buffer.indexOf(end, lineEnd);
  if (endAt < 0) return undefined;
  const [code = '', count = ''] = buffer.toString('latin1', outAt + out.length, lineEnd).split(':');
  const stdout = buffer.subarray(start + begin.length, Math.max(start + begin.length, outAt));
  return {
    exit: /^\d+$/.test(code) ? Number(code) : null,
    stdout,
    stderr: buffer.subarray(Math.min(lineEnd + 1, endAt), endAt),
    whole: /^\d+$/.test(count) && Number(count) === stdout.length,
  };
}

function judge(section: Section, raw: RawSection): SectionOutput {
  const output: SectionOutput = { exit: raw.exit, stdout: raw.stdout.toString('utf8'), stderr: raw.stderr.toString('utf8') };
  if (!raw.whole) return { ...output, failure: { reason: 'truncated', detail: 'fewer bytes arrived than the command printed' } };
  if (raw.exit === null)
    return { ...output, failure: { reason: 'timeout', detail: 'the command was ended before it could say how it went' } };
  if (raw.exit === timedOut || raw.exit === 143)
    return { ...output, failure: { reason: 'timeout', detail: `no end within ${section.limit} s` } };
  if (raw.exit === notEntered)
    return { ...output, failure: { reason: 'unsupported', detail: lastLine(output.stderr) || 'the namespace could not be entered' } };
  if (raw.exit === missingTool)
    return { ...output, failure: { reason: 'tool-missing', detail: lastLine(output.stderr) || `not found: ${section.command}` } };
  // A tool killed by a signal has read nothing, whatever it printed (nft 1.0.6 on what nft 1.1.3 wrote: 139, no output).
  if (raw.exit > 128) return { ...output, failure: { reason: 'tool-failed', detail: `the tool was ended by signal ${raw.exit - 128}` } };
  return output;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
