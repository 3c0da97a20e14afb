import { isShellMark } from './shell-mark.ts';

/** What happened to an output on its way, undone: the text as the tool printed it, with its lines at the same numbers. */
export interface Undone {
  what: 'colours' | 'surroundings' | 'prefix' | 'interruption' | 'wrap';
  /** For people: `each line began with "> "`. */
  sentence: string;
  /** Lines that are not the tool's own: prompts, and the later pieces of a wrapped line, which now stand in the first. */
  lines: number[];
  text: string;
}

/**
 * Ways of undoing what a terminal, a tracker or a log did to an output, in the order in which they have to be tried. Each returns undefined where there is nothing to undo.
 * Line numbers stay: what is taken out leaves an empty line. `left` are the lines that were not understood so far.
 */
export const remedies: readonly ((text: string, left: ReadonlySet<number>) => Undone | undefined)[] = [
  withoutColours,
  withoutPrefix,
  withoutSurroundings,
  withoutInterruptions,
  withoutWrap,
];

/** Escape sequences of ECMA-48 (CSI … final byte), as `grep --color`, `ip -c` and prompts write them. */
function withoutColours(text: string): Undone | undefined {
  if (!text.includes('\x1b')) return undefined;
  return {
    what: 'colours',
    sentence: 'escape sequences of a terminal stood in it',
    lines: [],
    text: text.replace(/\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\([AB0]/g, ''),
  };
}

/** What trackers, mails, comments, container logs and syslog put before each line. */
const prefixes: readonly RegExp[] = [
  /^(?:> ?)+/,
  /^[ \t]{0,8}(?:#|\/\/|\|) ?/,
  /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?: (?:stdout|stderr) [FP])? /,
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,64} [\w./-]{1,64}(?:\[\d{1,10}\])?: /,
  /^[ \t]{2,16}/,
];

function withoutPrefix(text: string): Undone | undefined {
  const lines = text.split('\n');
  const filled = lines.filter((line) => line.trim() !== '');
  const prefix = prefixes.find((pattern) => filled.length > 0 && filled.every((line) => pattern.test(line)));
  if (!prefix) return undefined;
  const found = filled.map((line) => prefix.exec(line)?.[0] ?? '');
  // Of an indentation, what all lines share: the rest of it is the tool's own.
  const shortest = found.reduce((a, b) => (b.length < a.length ? b : a));
  const isIndent = shortest.trim() === '';
  return {
    what: 'prefix',
    sentence: `each line began with ${JSON.stringify(shortest)}`,
    lines: [],
    text: lines.map((line) => (isIndent ? line.slice(shortest.length) : line.replace(prefix, ''))).join('\n'),
  };
}

/** Lines around an output: prompts with the command, code fences, and what kubectl says. Only lines that are nothing else. */
function withoutSurroundings(text: string, left: ReadonlySet<number>): Undone | undefined {
  const lines = text.split('\n');
  const foreign = [...left].filter((number) => isForeign((lines[number - 1] ?? '').trimEnd()));
  if (foreign.length === 0) return undefined;
  for (const number of foreign) lines[number - 1] = '';
  return { what: 'surroundings', sentence: 'lines of a shell or of kubectl stood around it', lines: foreign, text: lines.join('\n') };
}

const prompt =
  /^(?:\([\w.-]{1,40}\) ?)?(?:\[[\w.-]{1,64}@[\w.-]{1,64} [^\]]{0,100}\][#$] ?|[\w.-]{1,64}@[\w.-]{1,64}:[^#$ ]{0,100} ?[#$] ?|[/~] ?[#$] |[#$%] )/;
const fence = /^\s{0,4}(?:```|~~~)[\w-]{0,20}$/;
/** What kubectl and other Kubernetes programs log about themselves (k8s.io/klog): `E1121 06:30:01.512345   12345 websocket.go:296] Unknown stream id 1`. */
const klog = /[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} {1,7}\d{1,8} [\w.-]{1,60}\.go:\d{1,6}\] /;
const isForeign = (line: string): boolean => prompt.test(line) || fence.test(line) || isShellMark(line) || line.search(klog) === 0;

/** A message of kubectl in the middle of a line, which goes on in the next one. */
function withoutInterruptions(text: string, left: ReadonlySet<number>): Undone | undefined {
  const lines = text.split('\n');
  const broken = [...left].filter((number) => (lines[number - 1] ?? '').search(klog) > 0 && lines[number] !== undefined);
  if (broken.length === 0) return undefined;
  for (const number of broken) {
    const line = lines[number - 1] ?? '';
    lines[number - 1] = line.slice(0, line.search(klog)) + (lines[number] ?? '');
    lines[number] = '';
  }
  return {
    what: 'interruption',
    sentence: 'messages of kubectl stood in the middle of lines',
    lines: broken.map((number) => number + 1),
    text: lines.join('\n'),
  };
}

/** Columns of terminals and mails; one line alone that is the longest reaches no margin. */
const narrowest = 60;
const widest = 400;

/** A terminal's right margin: every line is at most so long, and those that reach it go on in the next one. */
function withoutWrap(text: string, left: ReadonlySet<number>): Undone | undefined {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const width = lines.reduce((longest, line) => Math.max(longest, line.length), 0);
  const full = lines.filter((line) => line.length === width).length;
  if (left.size === 0 || width < narrowest || width > widest || full < 2) return undefined;
  const joined: string[] = [];
  const later: number[] = [];
  let open = '';
  lines.forEach((line, index) => {
    // A blank at the margin may have been cut off with other blanks at the ends of lines.
    const whole = open + (line.length === width - 1 ? `${line} ` : line);
    const goesOn = line.length >= width - 1 && index + 1 < lines.length && lines[index + 1] !== '';
    if (open !== '') later.push(index + 1);
    open = goesOn ? whole : '';
    joined.push(goesOn ? '' : whole);
  });
  return later.length === 0
    ? undefined
    : { what: 'wrap', sentence: `lines were folded at ${width} columns`, lines: later, text: atFirstLine(joined, later).join('\n') };
}

/** A joined line stands where its first piece stood, with empty lines for the others. */
function atFirstLine(joined: readonly string[], later: readonly number[]): string[] {
  const result = [...joined];
  const pieces = new Set(later.map((number) => number - 1));
  let first = 0;
  for (let index = 0; index < result.length; index++) {
    if (!pieces.has(index)) first = index;
    else if (joined[index] !== '') {
      result[first] = joined[index] ?? '';
      result[index] = '';
    }
  }
  return result;
}
