import type { Parsed } from '../../src/model/parsed.ts';

/** Every line number that a value names: `line`, `lines`, `otherLines`, `comments` and the like, at any depth. */
export function linesNamedBy(value: unknown): Set<number> {
  const found = new Set<number>();
  const seen = new Set<object>();
  const visit = (thing: unknown): void => {
    if (typeof thing !== 'object' || thing === null || seen.has(thing)) return;
    seen.add(thing);
    if (Array.isArray(thing) || thing instanceof Set) for (const inner of thing) visit(inner);
    else if (thing instanceof Map) for (const [key, inner] of thing) take(key, inner);
    else for (const key of Object.keys(thing)) take(key, (thing as Record<string, unknown>)[key]);
  };
  const take = (key: unknown, inner: unknown): void => {
    if (typeof inner === 'number' && (key === 'line' || key === 'lastLine')) found.add(inner);
    else if (Array.isArray(inner) && typeof key === 'string' && lineLists.has(key)) for (const line of inner) found.add(line);
    else visit(inner);
  };
  visit(value);
  return found;
}

const lineLists = new Set(['lines', 'otherLines', 'comments', 'headings', 'headingLines', 'skipped']);

/** Non-blank lines of the input that are neither in the value nor in `unparsed`: always empty for a parser that drops nothing. */
export function linesLost(text: string, { value, unparsed }: Parsed<unknown>): number[] {
  const accounted = new Set([...linesNamedBy(value), ...unparsed.map(({ line }) => line)]);
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }));
  return lines.filter(({ line, number }) => line.trim() !== '' && !accounted.has(number)).map(({ number }) => number);
}

/**
 * Lines that are in no account and not looked at either: no value names them, and other words in their place give the same outcome. A heading, COMMIT, a brace or a further line
 * of one thing are named by no value and looked at.
 */
export function linesIgnored(text: string, parsed: Parsed<unknown>, parse: (text: string) => Parsed<unknown> | undefined): number[] {
  return linesLost(text, parsed).filter((line) => !isLookedAt(text, line, parsed, parse));
}

/** Whether the outcome is another with other words in a line's place. */
export function isLookedAt(
  text: string,
  line: number,
  before: Parsed<unknown>,
  parse: (text: string) => Parsed<unknown> | undefined,
): boolean {
  const lines = text.split('\n');
  lines[line - 1] = '@@ neither read nor known @@';
  const after = parse(lines.join('\n'));
  return after !== undefined && (unparsedLines(after) !== unparsedLines(before) || asText(after.value) !== asText(before.value));
}

const unparsedLines = ({ unparsed }: Parsed<unknown>): string => unparsed.map(({ line }) => line).join(' ');
const asText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
