import type { Parsed } from '../model/parsed.ts';
import { tableLines } from './parsed-table.ts';
import { cleanText } from './sanitize.ts';
import { count } from './words.ts';

/** One of several outputs in one text: what it would be alone, and its lines. */
export interface ParsedPart extends Parsed<unknown> {
  kind: string;
  line: number;
  lastLine: number;
  /** Why it is not known to be whole. */
  doubts: string[];
}

/** What was understood of a text. */
export interface ParsedReport {
  kind: string;
  /** How the kind was guessed, and what had to be undone first; null where neither was. */
  why: string | null;
  parsed: Parsed<unknown>;
  /** Where the text is several outputs: these, which are the value. */
  parts: readonly ParsedPart[] | null;
  doubts: string[];
}

/** A parsed output as JSON; addresses are bigints inside and strings here. */
export const parsedToJson = ({ kind, parsed, doubts }: ParsedReport): string =>
  `${JSON.stringify({ kind, ...parsed, doubts }, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : typeof value === 'string' ? cleanText(value, true) : value), 2)}\n`;

/** A parsed output as a table where it is a list of alike things, else as indented JSON; each of several outputs under its heading; then every line that was not understood. */
export function parsedToText({ kind, why, parsed, parts, doubts }: ParsedReport): string {
  const guessed = why ? ` (guessed: ${cleanText(why)})` : '';
  const missed = parsed.unparsed.map(
    ({ line, text, why: reason }) => `  ${String(line).padStart(5)}  ${cleanText(text)}   (${cleanText(reason)})`,
  );
  return `${[
    `${kind}${guessed}: ${wholeness(parsed, doubts)}`,
    ...(parts === null ? ['', ...body(parsed.value)] : parts.flatMap(partLines)),
    ...(missed.length > 0 ? ['', 'Not understood', ...missed] : []),
  ].join('\n')}\n`;
}

function partLines(part: ParsedPart): string[] {
  const { kind, line, lastLine, value, doubts } = part;
  const where = line === lastLine ? `line ${line}` : `lines ${line} to ${lastLine}`;
  // Of a shell's line there is nothing more to say.
  if (typeof value === 'string') return ['', `${kind}, ${where}: ${cleanText(value)}`];
  return ['', `${kind}, ${where}: ${wholeness(part, doubts)}`, '', ...body(value)];
}

function wholeness({ complete, unparsed }: Parsed<unknown>, doubts: readonly string[]): string {
  const because = doubts.length === 0 ? '' : ` (${cleanText(doubts.join('; '))})`;
  return `${complete ? 'whole' : `not complete${because}`}, ${count(unparsed.length, 'line')} not understood`;
}

function body(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'object' && item !== null))
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner), 2)
      .split('\n')
      .map((line) => cleanText(line));
  return tableLines(value as Record<string, unknown>[]);
}
