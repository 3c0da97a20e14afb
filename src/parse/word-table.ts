import { jsonText } from './json-items.ts';
import { type Attempt, emptyRecord, toCount } from './text-lines.ts';

/**
 * Keyword grammar: most tools of iproute2 print a line as words where a keyword takes a fixed number of values. A word that is in no table stops
 * the line: it is never taken for a flag, since a missing restriction would make a route or rule read wider than it is.
 */
export class Words {
  readonly list: readonly string[];
  at = 0;

  constructor(list: readonly string[]) {
    this.list = list;
  }

  get peek(): string | undefined {
    return this.list[this.at];
  }

  get atEnd(): boolean {
    return this.at >= this.list.length;
  }

  next(): string | undefined {
    const word = this.list[this.at];
    this.at += 1;
    return word;
  }
}

/** Takes the keyword's values off `words` and writes them to `draft`; returns false when they have an unknown form. */
export type KeywordHandler<D> = (draft: D, words: Words) => boolean;
export type KeywordTable<D> = ReadonlyMap<string, KeywordHandler<D>>;

/** Reads words by the table until the end. */
export const readKeywords = <D>(words: Words, table: KeywordTable<D>, draft: D): Attempt<D> => {
  while (!words.atEnd) {
    const word = words.next() ?? '';
    const handler = table.get(word);
    if (handler === undefined) return { why: `unknown word "${word}"` };
    if (!handler(draft, words)) return { why: `"${word}" is followed by something unknown` };
  }
  return { ok: draft };
};

/** Names of the properties of `D` that a value of type `V` may be written to. */
type FieldsOf<D, V> = { [K in keyof D]-?: V extends D[K] ? K : never }[keyof D] & string;

/** A keyword with one value of any form, written to `field`. */
export const textField =
  <D extends object>(field: FieldsOf<D, string>): KeywordHandler<D> =>
  (draft, words) => {
    const value = words.next();
    return value !== undefined && Object.assign(draft, { [field]: value }) === draft;
  };

/** A keyword with one decimal number, written to `field`. */
export const countField =
  <D extends object>(field: FieldsOf<D, number>): KeywordHandler<D> =>
  (draft, words) => {
    const value = toCount(words.next());
    return value !== undefined && Object.assign(draft, { [field]: value }) === draft;
  };

/** A word that stands alone and sets `field`. */
export const trueField =
  <D extends object>(field: FieldsOf<D, true>): KeywordHandler<D> =>
  (draft) =>
    Object.assign(draft, { [field]: true }) === draft;

/** Keywords with one value that is kept as printed in `other`. */
export const otherValues = <D extends { other: Record<string, string> }>(...names: string[]): [string, KeywordHandler<D>][] =>
  names.map((name) => [
    name,
    (draft, words) => {
      const value = words.next();
      if (value !== undefined) draft.other[name] = value;
      return value !== undefined;
    },
  ]);

/** Words that stand alone and are kept in `flags`. */
export const flagWords = <D extends { flags: string[] }>(...names: string[]): [string, KeywordHandler<D>][] =>
  names.map((name) => [name, (draft) => draft.flags.push(name) > 0]);

/** A record of strings from unknown JSON values, for the parts of `-j` outputs that are kept as printed. */
export const textRecord = (values: Record<string, unknown>, known: ReadonlySet<string> = new Set()): Record<string, string> => {
  const record = emptyRecord<string>();
  for (const [key, value] of Object.entries(values)) {
    if (known.has(key) || value === undefined) continue;
    record[key] = value === null ? '' : typeof value === 'object' ? jsonText(value) : String(value);
  }
  return record;
};
