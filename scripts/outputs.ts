import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Parsed } from '../src/model/parsed.ts';
import { type Understanding, understand } from '../src/parse/understand.ts';
import { type Comparator, isLoose, type Loose } from '../test/outputs/objects.ts';
import { comparatorFor } from '../test/outputs/truth.ts';
import { isLookedAt, linesIgnored, linesNamedBy } from '../test/parse/line-account.ts';

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
      truth: truthOf(path, about),
    };
  });
}

/** An output that was damaged on purpose has the truth of the one that it was made of. */
function truthOf(path: string, { truth }: Loose): Loose {
  if (!isLoose(truth)) return {};
  const original = join(path, `${truth.original}.json`);
  const about: Loose = typeof truth.original === 'string' && existsSync(original) ? JSON.parse(readFileSync(original, 'utf8')) : {};
  return { ...(isLoose(about.truth) ? about.truth : {}), ...truth };
}

function judge(item: Item): Outcome {
  const understood = understand(item.text);
  const base = { slug: item.slug, kind: understood?.kind, damaged: item.damaged, incomplete: item.incomplete, parsed: understood?.parsed };
  if (!understood) return { ...base, lost: [], lookForMissed: item.lookFor, wrong: undefined };
  const { kind, parsed } = understood;
  const isStructured = /^\s*[[{<]/.test(item.text);
  const compare = comparatorFor(kind, item.truth);
  return {
    ...base,
    lost: isStructured ? [] : linesIgnored(item.text, accountOf(understood), rereadAs(kind)),
    lookForMissed: item.lookFor.filter((words) => !isEvidence(words, item.text, understood, isStructured)),
    wrong: isExcused(item, parsed, compare) ? undefined : compare?.(item.truth, parsed.value, item),
  };
}

/** What a damaged text no longer says is not held against a parser that names the lines it could not read. */
function isExcused(item: Item, parsed: Parsed<unknown>, compare: Comparator | undefined): boolean {
  return item.damaged && parsed.unparsed.length > 0 && (compare?.(item.truth, parsed.value, item).length ?? 0) > 0;
}

function rereadAs(kind: string): (text: string) => Parsed<unknown> | undefined {
  return (text) => {
    const understood = understand(text, kind);
    return understood && accountOf(understood);
  };
}

/** The lines that were undone (prompts, the later pieces of a folded line) are accounted for. */
function accountOf({ parsed, undone }: Understanding): Parsed<unknown> {
  return { ...parsed, value: { value: parsed.value, undone } };
}

/** The line is named by a value, or the value rests on it. In JSON and XML, where values have no line, it must not be among the unparsed. */
function isEvidence(words: string, text: string, understood: Understanding, isStructured: boolean): boolean {
  const account = accountOf(understood);
  const left = new Set(account.unparsed.map(({ line }) => line));
  if (isStructured) return left.size === 0;
  const named = linesNamedBy(account.value);
  const [first = words] = words.split('\n');
  const lines = text.split('\n').flatMap((line, index) => (line.includes(first.trimEnd()) ? [index + 1] : []));
  return lines.some((line) => !left.has(line) && (named.has(line) || isLookedAt(text, line, account, rereadAs(understood.kind))));
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
