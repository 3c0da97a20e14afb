import type { Parsed } from '../model/parsed.ts';
import type { PathHop, PathOutput, PathRun } from '../model/probe.ts';
import { causeOfWords, failureOfWords } from './failure-words.ts';
import { looksLikeJson } from './json-items.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { parseMtrJson } from './mtr-json.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads traceroute 2.1 of Linux (with -n, --mtu), of inetutils 2.4 and BusyBox, and the report of mtr 0.9x (`mtr -r`, with any columns of `-o`, and
 * `--csv`; ui/report.c). Times are ms. A hop that answered from several
 * addresses is listed once per address. Neither traceroute nor mtr has a closing line: a run is complete when its target answered, a hop with an error ended it,
 * or 30 hops are there.
 */
export function parseTraceroute(text: string): Parsed<PathOutput> {
  if (looksLikeJson(text)) return parseMtrJson(text);
  const state: State = { runs: [], marks: [], otherLines: [], current: undefined, columns: [] };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of traceroute or mtr');
  const { runs, marks, otherLines } = state;
  return {
    value: { runs, marks, otherLines },
    unparsed,
    complete: endsInLine(text) && unparsed.length === 0 && runs.length > 0 && runs.every(isWhole),
  };
}

interface State extends PathOutput {
  current: PathRun | undefined;
  /** Of an mtr report. */
  columns: readonly string[];
}

const rules: readonly LineRule<State>[] = [
  [
    /^traceroute6? to (\S+) \(([^)]+)\)(?: from \S+)?, (\d+) hops max(?:, \d+ byte packets)?$/,
    (state, [, target = '', address = ''], at) => Object.assign(newRun(state, at), { target, address }),
  ],
  [/^Start: \S/, (state, _groups, at) => Object.assign(newRun(state, at), { target: undefined })],
  [/^HOST: \S+ +([A-Z].*)$/, (state, [, columns = ''], at) => mtrHead(state, columns.trim().split(/ +/), at)],
  [
    /^ *(\d+)\.(?:\|--| AS\S+) +(\S+) +([\d.% ]+)$/,
    (state, [, hop, address = '', values = ''], at) => mtrHop(state, Number(hop), address, values.trim().split(/ +/), at),
  ],
  [/^Mtr_Version,Start_Time,Status,Host,Hop,Ip,(.+?),?$/, (state, [, columns = ''], at) => mtrHead(state, columns.split(','), at)],
  [
    /^MTR\.\S+?,\d+,\w+,([^,]+),(\d+),([^,]+),([\d.,]+)$/,
    (state, [, target, hop, address = '', values = ''], at) =>
      mtrHop(
        Object.assign(state, state.current && { current: Object.assign(state.current, { target }) }),
        Number(hop),
        address,
        values.split(','),
        at,
      ),
  ],
  [/^ *(\d+) {1,3}(\S.*)$/, (state, [, hop, rest = ''], at) => takeHop(state, Number(hop), rest, at)],
  [
    /^ {4,}(\S.*)$/,
    (state, [, rest = ''], at) => (state.current?.hops.length ? takeHop(state, state.current.hops.at(-1)?.hop ?? 0, rest, at) : false),
  ],
  [
    /^traceroute: (?:bad address '([^']*)'|(\S+): )?(.*)$/,
    (state, [text = '', bad = '', name = ''], at) => fail(state, text, bad || name, at),
  ],
  [
    /^(\S+): (Name or service not known|Temporary failure in name resolution)$/,
    (state, [, name = '', words = ''], at) => fail(state, words, name, at),
  ],
  [
    /^Cannot handle "host" cmdline arg .*$|^connect: .+$|^send(?:to)?: .+$/,
    (state, [text = ''], at) => (state.current && text.startsWith('Cannot') ? state.otherLines.push(at.line) : fail(state, text, '', at)),
  ],
  ...shellMarkRules,
];

function newRun(state: State, { line }: Line): PathRun {
  state.current = { line, target: undefined, address: undefined, hops: [], mtu: undefined, reached: false, end: undefined, errors: [] };
  state.runs.push(state.current);
  return state.current;
}

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

/** A hop's tokens: `*`, `name (address)` or `address`, `0.1 ms`, `F=1450`, `!H`, `[AS1]`. Anything else refuses the line. */
function takeHop(state: State, number: number, rest: string, at: Line): undefined | false {
  const hops: PathHop[] = [];
  for (const token of tokensOf(rest)) {
    const hop = hops.at(-1);
    const [, name, address] = /^(\S+) \(([^)]+)\)$/.exec(token) ?? [];
    const [, ms] = /^([\d.]+) ?ms$/.exec(token) ?? [];
    if (token === '*') (hop ?? push(hops, hopOf(at, number))).notes.push('*');
    else if (ms !== undefined && hop) hop.timesMs.push(Number(ms));
    else if (/^F=\d+$/.test(token)) Object.assign(hop ?? push(hops, hopOf(at, number)), { mtu: Number(token.slice(2)) });
    else if (/^!(?:[A-Z](?:-\d+)?|\d+)?$/.test(token) && hop) noteError(hop, token);
    else if (/^\[.*\]$/.test(token) && hop) hop.notes.push(token);
    else if (name !== undefined && address !== undefined) push(hops, { ...hopOf(at, number), name, address });
    else if (/^[\da-f.:]+(?:%\w+)?$/i.test(token)) push(hops, { ...hopOf(at, number), address: token });
    else return false;
  }
  const run = state.current;
  if (!run || hops.length === 0) return false;
  run.hops.push(...hops);
  for (const { address, mtu } of hops) {
    if (address !== undefined && address === run.address) run.reached = true;
    if (mtu !== undefined) run.mtu = Math.min(run.mtu ?? mtu, mtu);
  }
  return undefined;
}

/** Joins `name (address)` and `0.1 ms`. */
function tokensOf(rest: string): string[] {
  return rest.match(/[^\s(]+ \([^)]+\)|[\d.]+ ms|\S+/g) ?? [];
}

function push(hops: PathHop[], hop: PathHop): PathHop {
  hops.push(hop);
  return hop;
}

/** man traceroute: !H host, !N network, !P protocol, !X administratively prohibited, !V precedence, !C cutoff, !F-n fragmentation needed, !n code n. */
const errorWords = new Map<string, string>(
  Object.entries({
    '!H': 'Host is unreachable',
    '!N': 'Network is unreachable',
    '!X': 'administratively prohibited',
    '!F': 'message too long',
  }),
);

function noteError(hop: PathHop, token: string): void {
  const words = errorWords.get(token.slice(0, 2));
  hop.notes.push(token);
  hop.failure = { ...failureOfWords(hop.line, token, { address: hop.address ?? '' }), ...causeOfWords(words ?? token) };
  if (token === '!H') hop.failure.couldBe = ['host-unreachable'];
}

/** The columns that a hop is judged by; the others are of the round trip's spread. */
const mtrColumns = ['Loss%', 'Snt', 'Drop', 'Rcv', 'Last', 'Best', 'Avg', 'Wrst', 'StDev', 'Gmean', 'Jttr', 'Javg', 'Jmax', 'Jint', ' '];

function mtrHead(state: State, columns: readonly string[], at: Line): undefined | false {
  if (!columns.every((column) => mtrColumns.includes(column))) return false;
  state.columns = columns;
  if (state.current && state.current.hops.length === 0) state.otherLines.push(at.line);
  else newRun(state, at);
  return undefined;
}

function mtrHop(state: State, hop: number, address: string, values: readonly string[], at: Line): undefined | false {
  const run = state.current;
  if (!run || values.length !== state.columns.length) return false;
  const inColumn = (column: string): string | undefined => values[state.columns.indexOf(column)];
  const timesMs = ['Last', 'Avg', 'Best', 'Wrst']
    .map(inColumn)
    .filter((time) => time !== undefined)
    .map(Number);
  const [loss, sent] = [inColumn('Loss%'), inColumn('Snt')];
  const notes = loss === undefined ? [] : [`${loss.replace('%', '')}%${sent === undefined ? '' : ` of ${sent}`} lost`];
  run.hops.push({ ...hopOf(at, hop), address: address === '???' ? undefined : address, timesMs, notes });
  // The report has no closing line; only --csv names the target, on every line.
  if (run.target !== undefined && run.target === address) run.reached = true;
  return undefined;
}

function fail(state: State, words: string, name: string, at: Line): undefined {
  (state.current ?? newRun(state, at)).errors.push(failureOfWords(at.line, words, { name }));
  return undefined;
}

const isWhole = (run: PathRun): boolean =>
  run.reached ||
  run.end !== undefined ||
  run.errors.length > 0 ||
  run.hops.at(-1)?.failure !== undefined ||
  (run.hops.at(-1)?.hop ?? 0) >= 30;
