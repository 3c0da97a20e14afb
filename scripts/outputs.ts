import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Parsed } from '../src/model/parsed.ts';
import { guessKind } from '../src/parse/guess.ts';
import { parseAs } from '../src/parse/kinds.ts';
import { isLoose, type Loose } from '../test/outputs/objects.ts';
import { comparatorFor } from '../test/outputs/truth.ts';
import { linesLost, linesNamedBy } from '../test/parse/line-account.ts';

/**
 * Holds the parsers against a collection of real outputs: `npm run outputs -- DIRECTORY [--json] [--verbose]`. Each output is guessed, parsed, and compared with what was
 * configured when it was made. Ends with 1 when a line was lost, or a damaged output was called complete.
 */
interface Item {
  slug: string;
  text: string;
  damaged: boolean;
  /** The text is known to lack something. */
  incomplete: boolean;
  lookFor: string[];
  truth: Loose;
}

interface Outcome {
  slug: string;
  kind: string | undefined;
  damaged: boolean;
  incomplete: boolean;
  parsed: Parsed<unknown> | undefined;
  /** Structured outputs (JSON, XML) number items, not lines. */
  lost: number[];
  lookForMissed: string[];
  /** Undefined = no comparator for this kind of truth. */
  wrong: string[] | undefined;
}

const directory = process.argv[2] ?? '../shared/outputs';
if (!existsSync(directory)) {
  console.log(`skipped: ${directory} is not there`);
  process.exit(0);
}
const outcomes = ['ip', 'nf'].flatMap((part) => itemsOf(join(directory, part))).map(judge);
const falselyComplete = outcomes.filter(({ damaged, incomplete, parsed }) => (damaged || incomplete) && parsed?.complete === true);
printDetails();
console.log(JSON.stringify(summary()));
process.exitCode = falselyComplete.length > 0 || outcomes.some(({ lost }) => lost.length > 0) ? 1 : 0;

function itemsOf(path: string): Item[] {
  const names = existsSync(path) ? readdirSync(path).filter((name) => /^\d+-.*\.json$/.test(name)) : [];
  return names.map((name) => {
    const about: Loose = JSON.parse(readFileSync(join(path, name), 'utf8'));
    return {
      slug: name.replace('.json', ''),
      text: readFileSync(join(path, name.replace('.json', '.txt')), 'utf8'),
      damaged: Boolean(about.damaged),
      incomplete: about.complete === false,
      lookFor: Array.isArray(about.look_for) ? about.look_for.map(String) : [],
      truth: isLoose(about.truth) ? about.truth : {},
    };
  });
}

function judge(item: Item): Outcome {
  const kind = guessKind(item.text)?.kind;
  const parsed = kind === undefined ? undefined : parseAs(kind, item.text);
  const base = { slug: item.slug, kind, damaged: item.damaged, incomplete: item.incomplete, parsed };
  if (kind === undefined || !parsed)
    return { ...base, lost: [], lookForMissed: item.text.trim() === '' ? [] : item.lookFor, wrong: undefined };
  const isStructured = /^\s*[[{<]/.test(item.text);
  const compare = comparatorFor(kind, item.truth);
  return {
    ...base,
    lost: isStructured ? [] : linesLost(item.text, parsed).filter((line) => !isRead(kind, item.text, line, parsed)),
    lookForMissed: item.lookFor.filter((words) => !isEvidence(kind, words, item.text, parsed, isStructured)),
    // What a damaged text no longer says is not held against a parser that names the lines it could not read.
    wrong: item.damaged && parsed.unparsed.length > 0 ? undefined : compare?.(item.truth, parsed.value, item),
  };
}

/** A line that no value names (a heading, COMMIT, a brace, a further line of one thing) was read if the outcome is another with other words in its place. */
function isRead(kind: string, text: string, line: number, before: Parsed<unknown>): boolean {
  const lines = text.split('\n');
  lines[line - 1] = '@@ neither read nor known @@';
  const after = parseAs(kind, lines.join('\n'));
  return after !== undefined && (after.unparsed.length !== before.unparsed.length || asText(after.value) !== asText(before.value));
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** The line is named by a value, or the value rests on it. In JSON and XML, where values have no line, it must not be among the unparsed. */
function isEvidence(kind: string, words: string, text: string, parsed: Parsed<unknown>, isStructured: boolean): boolean {
  const left = new Set(parsed.unparsed.map(({ line }) => line));
  if (isStructured) return left.size === 0;
  const named = linesNamedBy(parsed.value);
  const [first = words] = words.split('\n');
  const lines = text.split('\n').flatMap((line, index) => (line.includes(first.trimEnd()) ? [index + 1] : []));
  return lines.some((line) => !left.has(line) && (named.has(line) || isRead(kind, text, line, parsed)));
}

function summary(): Record<string, number> {
  const known = outcomes.filter(({ parsed }) => parsed !== undefined);
  const whole = known.filter(({ parsed }) => parsed?.unparsed.length === 0);
  const undamaged = outcomes.filter(({ damaged }) => !damaged);
  return {
    items: outcomes.length,
    kindGuessed: outcomes.filter(({ kind }) => kind !== undefined).length,
    whole: whole.length,
    partly: known.length - whole.length,
    failed: outcomes.length - known.length,
    undamaged: undamaged.length,
    undamagedWhole: undamaged.filter(({ parsed }) => parsed?.unparsed.length === 0).length,
    linesLost: outcomes.reduce((sum, { lost }) => sum + lost.length, 0),
    falselyComplete: falselyComplete.length,
    lookForFound: outcomes.filter(({ lookForMissed }) => lookForMissed.length === 0).length,
    truthRight: outcomes.filter(({ wrong }) => wrong?.length === 0).length,
    truthWrong: outcomes.filter(({ wrong }) => (wrong?.length ?? 0) > 0).length,
    truthUnchecked: outcomes.filter(({ wrong }) => wrong === undefined).length,
  };
}

function printDetails(): void {
  for (const { slug, kind, damaged, parsed, lost, lookForMissed, wrong } of outcomes) {
    const left = parsed?.unparsed.length ?? 0;
    const remarks = [
      kind === undefined ? 'kind not guessed' : '',
      left > 0 && !damaged ? `${left} lines unparsed, first ${parsed?.unparsed[0]?.line}: ${parsed?.unparsed[0]?.text.slice(0, 60)}` : '',
      lost.length > 0 ? `lines lost: ${lost.slice(0, 10).join(' ')}` : '',
      damaged && parsed?.complete ? 'damaged, and called complete' : '',
      lookForMissed.length > 0 ? `look_for not in a value: ${lookForMissed[0]?.slice(0, 60)}` : '',
      wrong === undefined && process.argv.includes('--verbose') ? 'truth not compared' : '',
      wrong && wrong.length > 0 ? `truth: ${wrong.slice(0, 4).join('; ')}` : '',
    ].filter(Boolean);
    if (remarks.length > 0) console.log(`${slug} (${kind}): ${remarks.join(' | ')}`);
  }
}
