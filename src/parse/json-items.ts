import type { z } from 'zod';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { readText } from './text-lines.ts';

/** True when the text is JSON output (`-j`, `-J`): it begins with a bracket or brace. */
export const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text.slice(0, 4096));

/**
 * Parses the JSON array that iproute2's tools print with `-j`, item by item. An item that `schema` refuses is listed as unparsed and the others are
 * kept. `ip -j` prints `{}` for interfaces that it left out (wrong family, filtered): these are skipped. Newlines between several arrays
 * (`ip -j route; ip -j rule`) and cut JSON are refused as a whole.
 */
export const parseJsonItems = <S extends z.ZodType, T>(
  text: string,
  schema: S,
  convert: (item: z.output<S>, line: number) => T | T[] | undefined,
): Parsed<T[]> => {
  const items = jsonArray(text);
  if (items === undefined) return { value: [], unparsed: wholeText(text, 'not a whole JSON array'), complete: false };
  const value: T[] = [];
  const unparsed: UnparsedLine[] = [];
  items.forEach((item, index) => {
    if (isEmptyObject(item)) return;
    const checked = schema.safeParse(item);
    const converted = checked.success ? convert(checked.data, index + 1) : undefined;
    if (converted !== undefined) value.push(...(Array.isArray(converted) ? converted : [converted]));
    else
      unparsed.push({
        line: index + 1,
        text: jsonText(item),
        why: checked.success ? 'values of an unknown form' : firstIssue(checked.error),
      });
  });
  return { value, unparsed, complete: unparsed.length === 0 };
};

/** The array behind the text; `undefined` when it is not exactly one whole JSON array. An array of arrays (`ip -j addr` of 4.x) stays as it is. */
export const jsonArray = (text: string): unknown[] | undefined => {
  const parsed = wholeJson(text);
  return Array.isArray(parsed) ? parsed : undefined;
};

/** The value of a text that is JSON from end to end; undefined where it is cut, mixed with other output, or nested deeper than any tool's. */
export const wholeJson = (text: string): unknown => {
  try {
    return isTooDeep(text) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What reads JSON calls itself for each level. */
const deepest = 500;

function isTooDeep(text: string): boolean {
  let depth = 0;
  const { length } = text;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) index = stringEnd(text, index + 1);
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((code & 0xdf) === 0x5b) depth++;
    else if ((code & 0xdf) === 0x5d) depth--;
    if (depth > deepest) return true;
  }
  return false;
}

/** Where the quote stands that ends a string, or the text's length. */
function stringEnd(text: string, start: number): number {
  const { length } = text;
  for (let index = start; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) return index;
    if (code === 0x5c) index++;
  }
  return length;
}

/** Every line of the text, listed as unparsed. */
export const wholeText = (text: string, why: string): UnparsedLine[] =>
  readText(text)
    .lines.filter((line) => line.text.trim() !== '')
    .map(({ line, text: content }) => ({ line, text: content, why }));

/** JSON of a value, for quoting; nesting too deep for the engine gives a stand-in. */
export const jsonText = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '(nested too deeply to be shown)';
  }
};

const isEmptyObject = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && !Array.isArray(item) && Object.keys(item).length === 0;

export const firstIssue = (error: z.ZodError): string => {
  const [issue] = error.issues;
  return issue === undefined ? 'unknown form' : `${issue.path.join('.')}: ${issue.message}`;
};
