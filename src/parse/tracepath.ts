import type { Parsed } from '../model/parsed.ts';
import type { PathHop, PathOutput, PathRun } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads tracepath of iputils s20101006 to 20250605 (tracepath.c), with or without -n and -b. Times are ms, MTU bytes. `1?: [LOCALHOST] pmtu 1450` is what
 * the own host believes before the first probe. Complete when each run has its Resume line.
 */
export function parseTracepath(text: string): Parsed<PathOutput> {
  const state: State = { runs: [], marks: [], otherLines: [], current: undefined };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of tracepath');
  const { runs, marks, otherLines } = state;
  const complete =
    endsInLine(text) &&
    unparsed.length === 0 &&
    runs.length > 0 &&
    runs.every((run) => run.end !== undefined || (run.hops.length === 0 && run.errors.length > 0));
  return { value: { runs, marks, otherLines }, unparsed, complete };
}

interface State extends PathOutput {
  current: PathRun | undefined;
}

const rules: readonly LineRule<State>[] = [
  [/^ *(\d+)\?: \[LOCALHOST\]\s+pmtu (\d+)\s*$/, (state, [, hop, mtu], at) => startRun(state, Number(hop), Number(mtu), at)],
  [/^ *(\d+)(?:\?|:)?: +no reply\s*$/, (state, [, hop], at) => addHop(state, { ...hopOf(at, Number(hop)), notes: ['no reply'] }, at)],
  [
    /^ *(\d+)(?:\?|:)?: +send failed\s*$/,
    (state, [, hop], at) => addHop(state, { ...hopOf(at, Number(hop)), failure: failureOfWords(at.line, 'send failed') }, at),
  ],
  [
    /^ *(\d+)(?:\?|:)?: +(\S+)(?: +\(([^)]+)\))? +([\d.]+)ms ?(.*)$/,
    (state, [, hop, name = '', ip = '', time, rest = ''], at) => {
      const address = ip || name;
      const notes = rest
        .trim()
        .split(/ {1,}(?=asymm|reached|pmtu|!|This|\()/)
        .filter(Boolean);
      addHop(
        state,
        { ...hopOf(at, Number(hop)), address, name: ip ? name : undefined, timesMs: [Number(time)], notes, ...told(rest, at) },
        at,
      );
    },
  ],
  [
    /^ *(\d+)(?:\?|:)?: +(\S+)(?: +\(([^)]+)\))? +(pmtu \d+|reached|![A-Z]\S*.*)$/,
    (state, [, hop, name = '', ip = '', rest = ''], at) =>
      addHop(state, { ...hopOf(at, Number(hop)), address: ip || name, notes: [rest.trim()], ...told(rest, at) }, at),
  ],
  [
    /^ *(?:Resume|Too many hops): pmtu (\d+)(?: hops (\d+))?(?: back (\d+))?\s*$/,
    (state, [text = '', mtu], at) => {
      const run = state.current ?? newRun(state, at);
      Object.assign(run, {
        mtu: Number(mtu),
        end: { line: at.line },
        reached: run.reached && !text.includes('Too many hops'),
      } satisfies Partial<PathRun>);
      state.current = undefined;
    },
  ],
  [
    /^(?:tracepath6?: )?(\S+): (Name or service not known|Temporary failure in name resolution|No address associated with hostname|.*not known)$/,
    (state, [, name = '', words = ''], at) => fail(state, words, { name }, at),
  ],
  [
    /^tracepath6?: (?:(\S+): )?(.+)$|^(?:send|recv)(?:msg|to|from)?: (.+)$/,
    (state, [, name = '', words = '', other = ''], at) => fail(state, words || other, { name }, at),
  ],
  ...shellMarkRules,
];

const hopOf = ({ line }: Line, hop: number): PathHop => ({
  line,
  hop,
  address: undefined,
  name: undefined,
  timesMs: [],
  notes: [],
  mtu: undefined,
  failure: undefined,
});

/** What stands behind the time: a smaller MTU, an error (`!H`, `!N`, `!A`, `!P`, `!S`), or that the target answered. */
function told(rest: string, at: Line): Partial<PathHop> {
  const [, mtu] = /pmtu (\d+)/.exec(rest) ?? [];
  const [error] = /!(?:H|N|A|P|S|\d+)\b/.exec(rest) ?? [];
  const words = error && { '!H': 'Host is unreachable', '!N': 'Network is unreachable', '!A': 'administratively prohibited' }[error];
  return {
    ...(mtu === undefined ? {} : { mtu: Number(mtu) }),
    ...(error === undefined ? {} : { failure: failureOfWords(at.line, words ?? error) }),
  };
}

function newRun(state: State, { line }: Line): PathRun {
  state.current = { line, target: undefined, address: undefined, hops: [], mtu: undefined, reached: false, end: undefined, errors: [] };
  state.runs.push(state.current);
  return state.current;
}

function startRun(state: State, hop: number, mtu: number, at: Line): undefined {
  newRun(state, at).hops.push({ ...hopOf(at, hop), notes: ['[LOCALHOST]'], mtu });
  return undefined;
}

function addHop(state: State, hop: PathHop, at: Line): undefined {
  const run = state.current ?? newRun(state, at);
  run.hops.push(hop);
  if (hop.notes.some((note) => note.startsWith('reached')))
    Object.assign(run, { reached: true, address: hop.address } satisfies Partial<PathRun>);
  return undefined;
}

function fail(state: State, words: string, where: { name?: string }, at: Line): undefined {
  const run = state.current ?? newRun(state, at);
  run.errors.push(failureOfWords(at.line, words, where));
  return undefined;
}
