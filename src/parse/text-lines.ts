import type { Parsed, UnparsedLine } from '../model/parsed.ts';

/** One line of input without its end, numbered from 1. */
export interface TextLine {
  line: number;
  text: string;
}

/** Outcome of parsing one line or item: the thing, or why it was not understood. */
export type Attempt<T> = { ok: T } | { why: string };

export interface InputText {
  /** Every line, also empty ones. */
  lines: TextLine[];
  /**
   * False when the text cannot be what the tool wrote: no newline at the end (cut), carriage returns (it went through a terminal, which wraps
   * long lines), NUL bytes, escape sequences, U+FFFD (bytes lost).
   */
  whole: boolean;
}

/** The lines one after the other, as `readText` gives them, without all of them at once in memory. */
export function* eachLine(text: string): Generator<TextLine> {
  for (let line = 1, start = 0; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const isReturn = end > start && text.charCodeAt(end - 1) === 13;
    yield { line, text: text.slice(start, isReturn ? end - 1 : end) };
    start = end + 1;
  }
}

/** False when the last line was cut: these tools end every line. */
export const endsInLine = (text: string): boolean => text === '' || text.endsWith('\n');

/** See `InputText.whole`. */
export const isWholeText = (text: string): boolean => text === '' || (text.endsWith('\n') && !/[\r\0\x1b\ufffd]/.test(text));

/** Splits text into numbered lines; carriage returns before the newline are taken off. An empty text has no lines and is whole. */
export const readText = (text: string): InputText => {
  if (text === '') return { lines: [], whole: true };
  const pieces = text.split('\n');
  if (pieces[pieces.length - 1] === '') pieces.pop();
  const lines = pieces.map((piece, index) => ({ line: index + 1, text: piece.endsWith('\r') ? piece.slice(0, -1) : piece }));
  return { lines, whole: isWholeText(text) };
};

export const unparsedLine = ({ line, text }: TextLine, why: string): UnparsedLine => ({ line, text, why });

/** The words of a line. */
export const wordsOf = (text: string): string[] => text.split(/[\s\0]+/).filter((word) => word !== '');

/** A decimal number of at most 2^53; anything else (sign, blanks, hexadecimal, too large to be exact) is `undefined`. */
export const toCount = (text: string | undefined): number | undefined => {
  if (text === undefined || text === '' || text.length > 20) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
};

/** The form of an address of either family, for words that can't be names. */
export const isAddressLike = (text: string): boolean =>
  text.includes(':') ? /^[0-9a-fA-F:.]+$/.test(text) : /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(text);

/** An empty record that is safe for any key that an output may hold, `__proto__` included. */
export const emptyRecord = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

/** Parses text line by line; blank lines are skipped, what `parseLine` refuses is listed as unparsed. */
export const parseEachLine = <T>(text: string, parseLine: (line: TextLine) => Attempt<T>): Parsed<T[]> => {
  const { lines, whole } = readText(text);
  const value: T[] = [];
  const unparsed: UnparsedLine[] = [];
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const attempt = parseLine(line);
    if ('ok' in attempt) value.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 };
};
