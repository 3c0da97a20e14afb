import type { Doubt, Parsed, UnparsedLine } from '../model/parsed.ts';
import type { Kind } from './kind-list.ts';
import { cut, open } from './kinds/kind.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Why what was read of `text` is not known to be whole, the signs of a cut first; empty where it is. Lines that were not understood are a reason of their own, which the caller counts:
 * where they are the only one, nothing is said.
 */
export function doubtsOf({ missing, otherwise }: Kind, text: string, { value, unparsed, complete }: Parsed<unknown>): Doubt[] {
  if (complete) return [];
  const found = [...missing(value), ...doubtsOfText(text), ...unparsed.flatMap(doubtOfLine)];
  if (found.length === 0) return unparsed.length === 0 ? [otherwise] : [];
  return found.sort((a, b) => Number(a.is === 'open') - Number(b.is === 'open'));
}

function doubtsOfText(text: string): Doubt[] {
  return [
    ...(endsInLine(text) ? [] : [cut('the last line has no end')]),
    ...(text.includes('\ufffd') ? [cut('bytes that are no UTF-8 stood in it')] : []),
    ...(text.includes('\0') ? [cut('NUL bytes stand in it')] : []),
    ...(/\r\n/.test(text) ? [open('its lines end in carriage returns')] : []),
  ];
}

/** What people, trackers and terminals write in place of lines that they leave out. */
const omission =
  /^\W{0,12}(?:[[<(]? ?(?:\d+ (?:more )?lines? )?(?:output )?(?:truncated|snip(?:ped)?|omitted|cut|skipped|trimmed|redacted) ?[\])>]?|\.{3,6}|…|--More--)\W{0,12}$/i;

/** A line that says that others were left out. */
export const doubtOfLine = ({ line, text }: UnparsedLine): Doubt[] =>
  omission.test(text.slice(0, 80).trim()) || /\[truncated\]\s*$/i.test(text.slice(-40))
    ? [cut(`line ${line} says that something was left out`)]
    : [];
