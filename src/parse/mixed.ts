import type { Doubt, HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { doubtsOf } from './doubts.ts';
import { jsonArray, jsonText } from './json-items.ts';
import { type Kind, kinds } from './kind-list.ts';
import { linesOf } from './line-rules.ts';
import { isShellMark } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/** A run of lines that one parser reads whole. */
export interface MixedPart extends HasLine {
  kind: string;
  lastLine: number;
  value: unknown;
  complete: boolean;
  /** Why it is not known to be whole. */
  doubts: Doubt[];
}

/** More than this many parts is no series of outputs but chance. */
const mostParts = 40;

/**
 * Reads several outputs of different tools in one text (`ip addr; ip route`, a terminal's copy): each part is the longest run of lines that one kind reads without
 * a line left. Lines that fit none are unparsed. Never complete: where one output ends and the next begins is told by no mark.
 */
export function parseMixed(text: string, candidates: readonly Kind[] = kindsSeenIn(text)): Parsed<MixedPart[]> {
  const lines = linesOf(text);
  const texts = lines.map((line) => line.text);
  const marks = new Map(candidates.map((kind) => [kind, marksOf(texts, kind)]));
  const search: Search = { texts, isEnded: endsInLine(text), marks, budget: tries * (text.length + 1000) };
  const value: MixedPart[] = [];
  const unparsed: UnparsedLine[] = [];
  let at = 0;
  while (at < lines.length && value.length < mostParts) {
    const best = withGluedEnd(search, longestRun(search, at));
    const here = lines[at];
    if (best) value.push(best.part);
    else if (here && isShellMark(here.text))
      value.push({ kind: 'shell', line: here.line, lastLine: here.line, value: here.text, complete: true, doubts: [] });
    else if (here && here.text.trim() !== '') unparsed.push({ ...here, why: 'fits none of the kinds that are in this text' });
    at = best ? best.end : at + 1;
  }
  const rest = lines.slice(at).filter((line) => line.text.trim() !== '');
  return { value, unparsed: [...unparsed, ...rest.map((line) => ({ ...line, why: 'too many parts' }))], complete: false };
}

interface Search {
  texts: string[];
  /** Whether the last line has its end. */
  isEnded: boolean;
  /** Where the signature of each candidate stands. */
  marks: Map<Kind, Set<number>>;
  /** Characters that may still be parsed: each try parses the rest of the text, which must not become quadratic. */
  budget: number;
}

interface Run {
  kind: Kind;
  part: MixedPart;
  /** Index of the line behind it. */
  end: number;
}

/** The whole text is read at most so many times. */
const tries = 60;
/** An output tells what it is within so many lines of its beginning. */
const nearBeginning = 12;

function marksOf(texts: readonly string[], { signature }: Kind): Set<number> {
  return new Set(texts.flatMap((text, index) => (signature.test(text.slice(0, 4096)) ? [index] : [])));
}

/** The kinds whose signature stands in one of the first lines, in the order of the list. */
export function kindsSeenIn(text: string): Kind[] {
  const lines = linesOf(text)
    .filter((line) => line.text.trim() !== '')
    .slice(0, 400)
    .map((line) => line.text.slice(0, 4096));
  const marked = [...lines, ...firstItems(text)];
  return kinds.filter(({ signature }) => marked.some((line) => signature.test(line)));
}

/** `-j -p` spreads an item over lines of which none tells the tool: the first items, each on one line. */
function firstItems(text: string): string[] {
  const items = /^\[\s/.test(text) ? jsonArray(text) : undefined;
  return (items ?? []).slice(0, 20).map((item) => jsonText(item).slice(0, 4096));
}

function longestRun(search: Search, start: number): Run | undefined {
  if (search.texts[start]?.trim() === '') return undefined;
  const near = Array.from({ length: nearBeginning }, (_, ahead) => start + ahead);
  let best: { kind: Kind; end: number } | undefined;
  for (const [kind, at] of search.marks) {
    if (!near.some((index) => at.has(index))) continue;
    const end = endOfRun(search, start, kind);
    if (end > (best?.end ?? start)) best = { kind, end };
  }
  return best && runOf(search.texts, best.kind, start, best.end, search.isEnded || best.end < search.texts.length);
}

/** Read alone a run may be less than it was with what follows (a rule that needs its closing line): then it is none. */
function runOf(texts: readonly string[], kind: Kind, start: number, end: number, isEnded: boolean): Run | undefined {
  const lines = slice(texts, start, end);
  const text = isEnded ? lines : lines.slice(0, -1);
  const { parsed } = kind.read(text);
  if (parsed.unparsed.length > 0) return undefined;
  const { value, complete } = parsed;
  return { kind, part: { kind: kind.kind, line: start + 1, lastLine: end, value, complete, doubts: doubtsOf(kind, text, parsed) }, end };
}

/**
 * An output that ended without a newline has the next one's beginning on its last line. Where that line can be parted in one way only, so that the run goes on to there and another
 * kind reads the rest, the run ends in it; the rest stays in its place for the next part.
 */
function withGluedEnd(search: Search, run: Run | undefined): Run | undefined {
  const line = run && search.texts[run.end];
  if (!run || line === undefined || line.length > longestGlued || search.budget < 0) return run;
  const ways = [...line.matchAll(/(?<=[a-z] ?)(?=\d)|(?<=\S )(?=\S)/gi)].flatMap(({ index }) => {
    const tail = line.slice(index);
    search.budget -= line.length;
    const next = kinds.find((kind) => kind !== run.kind && kind.signature.test(tail) && leavesNothing(kind, `${tail}\n`));
    const texts = [...search.texts.slice(0, run.end), line.slice(0, index)];
    const longer = next && runOf(texts, run.kind, run.part.line - 1, run.end + 1, false);
    return next && longer ? [{ tail, next, longer }] : [];
  });
  const [way] = ways;
  if (way === undefined || ways.length > 1) return run;
  search.texts[run.end] = way.tail;
  search.marks.set(way.next, (search.marks.get(way.next) ?? new Set()).add(run.end));
  return { ...way.longer, end: run.end };
}

const longestGlued = 400;

function leavesNothing(kind: Kind, text: string): boolean {
  const { parsed, doubtful } = kind.read(text);
  return parsed.unparsed.length === 0 && doubtful.length === 0;
}

function endOfRun(search: Search, start: number, kind: Kind): number {
  const rest = slice(search.texts, start, search.texts.length);
  search.budget -= rest.length;
  if (search.budget < 0) return start;
  const { parsed, doubtful } = kind.read(rest);
  // Not by Math.min(...): a table has more lines than a call may have arguments.
  const strangers = [...parsed.unparsed.map(({ line }) => line), ...doubtful];
  return strangers.reduce((first, line) => Math.min(first, line - 1), search.texts.length);
}

/** Empty lines in place of those before, so that line numbers stay those of the whole text. */
const slice = (lines: readonly string[], start: number, end: number): string =>
  '\n'.repeat(start) +
  lines
    .slice(start, end)
    .map((line) => `${line}\n`)
    .join('');
