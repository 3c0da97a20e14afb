import type { Parsed } from '../model/parsed.ts';
import { cleanText } from './sanitize.ts';

/** A parsed output as JSON; addresses are bigints inside and strings here. */
export const parsedToJson = (kind: string, parsed: Parsed<unknown>): string =>
  `${JSON.stringify({ kind, ...parsed }, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : typeof value === 'string' ? cleanText(value, true) : value), 2)}\n`;

/** A parsed output as a table where it is a list of alike things, else as indented JSON; then every line that was not understood. */
export function parsedToText(kind: string, why: string | null, parsed: Parsed<unknown>): string {
  const head = `${kind}${why ? ` (guessed: ${cleanText(why)})` : ''}: ${parsed.complete ? 'whole' : 'not complete'}, ${parsed.unparsed.length} line${parsed.unparsed.length === 1 ? '' : 's'} not understood`;
  const missed = parsed.unparsed.map(
    ({ line, text, why: reason }) => `  ${String(line).padStart(5)}  ${cleanText(text)}   (${cleanText(reason)})`,
  );
  return `${[head, '', ...body(parsed.value), ...(missed.length > 0 ? ['', 'Not understood', ...missed] : [])].join('\n')}\n`;
}

function body(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'object' && item !== null))
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner), 2)
      .split('\n')
      .map((line) => cleanText(line));
  return table(value as Record<string, unknown>[]);
}

const mostColumns = 9;
const widest = 48;

/** Columns are the scalar fields that any item has, in the order in which they first appear. */
function table(items: Record<string, unknown>[]): string[] {
  const scalar = (value: unknown) => ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
  const names = [...new Set(items.flatMap((item) => Object.keys(item).filter((key) => key !== 'text' && scalar(item[key]))))].slice(
    0,
    mostColumns,
  );
  const rows = items.map((item) => names.map((name) => (scalar(item[name]) ? cleanText(String(item[name])).slice(0, widest) : '')));
  const widths = names.map((name, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), name.length));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(names), ...rows.map(line)];
}
