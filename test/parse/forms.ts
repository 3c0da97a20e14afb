import type { Parsed } from '../../src/model/parsed.ts';

/** A part of a parsed value, by its path (`counters.rx.missed`, list items as `*`), that the two forms of an output do not share, and why. */
export interface Exception {
  path: RegExp;
  why: string;
}

/** What is about the text of an output and not about what it says. */
const aboutTheText = new Set(['line', 'lastLine', 'text']);

/**
 * Where the value that was parsed of an output's text and the one of its JSON differ, as `path: text … JSON …`. Lines and quoted text are left out, and what
 * an exception names.
 */
export function differences(text: Parsed<unknown>, json: Parsed<unknown>, exceptions: readonly Exception[]): string[] {
  const [fromText, fromJson] = [leaves(text.value), leaves(json.value)];
  const paths = new Set([...fromText.keys(), ...fromJson.keys()]);
  return [...paths]
    .filter((path) => fromText.get(path) !== fromJson.get(path))
    .filter((path) => !exceptions.some((exception) => exception.path.test(path.replace(/(^|\.)\d+(?=\.|$)/g, '$1*'))))
    .map((path) => `${path}: text ${fromText.get(path)}, JSON ${fromJson.get(path)}`);
}

/** How many plain values a parsed value holds: that nothing was compared must not pass for agreement. */
export const sizeOf = (parsed: Parsed<unknown>): number => leaves(parsed.value).size;

const leaves = (value: unknown): Map<string, string> => {
  const found = new Map<string, string>();
  collect(withoutText(value), '', found);
  return found;
};

function collect(value: unknown, path: string, found: Map<string, string>): void {
  if (typeof value !== 'object' || value === null) found.set(path, String(value));
  else for (const [key, inner] of Object.entries(value)) collect(inner, path === '' ? key : `${path}.${key}`, found);
}

/** Without lines and quoted text; elements of a set and its flags, which have no order, in one. */
function withoutText(value: unknown, name = ''): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (!Array.isArray(value)) return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => memberOf(value, key, inner)));
  const items = value.map((item) => withoutText(item));
  return name === 'elements' || name === 'flags' ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
}

function memberOf(value: object, key: string, inner: unknown): [string, unknown][] {
  // The `text` of a constant of nft is what it says.
  const isConstant = 'type' in value && value.type === 'literal';
  return aboutTheText.has(key) && !isConstant ? [] : [[key, withoutText(inner, key)]];
}

const leftOut = (path: string): Exception => ({ path: new RegExp(`^tables\\.\\*\\.${path}$`), why: 'left out of the JSON of nft 1.0.6' });

/** What the JSON of nft does not hold (libnftables-json(5), src/json.c of nftables 1.0.6). */
export const nftExceptions: Exception[] = [
  leftOut('comment'),
  leftOut('chains\\.\\*\\.comment'),
  leftOut('chains\\.\\*\\.base\\.devices\\.\\*'),
  leftOut('sets\\.\\*\\.autoMerge'),
  leftOut('sets\\.\\*\\.flags\\.\\*'),
  { path: /^tables\.\*\.sets\.\*\.(keyType|dataType)\.\*$/, why: 'the JSON says the type of a set that was made with typeof' },
  { path: /\.rules\.\*\.handle$/, why: 'the text has it with -a only' },
  { path: /\.elements\.\*\.expires$/, why: 'time goes on between the two' },
  { path: /^(warnings|otherLines|toolVersion)(\.|$)/, why: 'headings and the version stand in one of the forms' },
];
