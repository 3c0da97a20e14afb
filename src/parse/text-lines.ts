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

/** Splits text into numbered lines; carriage returns before the newline are taken off. An empty text has no lines and is whole. */
export const readText = (text: string): InputText => {
  if (text === '') return { lines: [], whole: true };
  const pieces = text.split('\n');
  if (pieces[pieces.length - 1] === '') pieces.pop();
  const lines = pieces.map((piece, index) => ({ line: index + 1, text: piece.endsWith('\r') ? piece.slice(0, -1) : piece }));
  return { lines, whole: text.endsWith('\n') && !/[\r\0\x1b\ufffd]/.test(text) };
};

export const unparsedLine = ({ line, text }: TextLine, why: string): UnparsedLine => ({ line, text, why });

/** The words of a line. */
export const wordsOf = (text: string): string[] => text.split(/[\s\0]+/).filter((word) => word !== '');

/** A decimal number of at most 2^53; anything else (sign, blanks, hexadecimal, too large to be exact) is `undefined`. */
export const toCount = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[0-9]{1,20}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
};

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
