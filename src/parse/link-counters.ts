import type { DirectionCounters, Link } from '../model/link.ts';
import { emptyRecord, toCount, wordsOf } from './text-lines.ts';

/** A heading line of `-s` whose numbers follow on the next line. */
export interface OpenCounters {
  target: DirectionCounters;
  names: string[];
  /** Takes the rounded numbers of `-h` and `-iec` (`1.44ki`) as printed, by direction and name: no counter is what it was rounded to. */
  rounded: Record<string, string>;
  direction: string;
}

const heading = /^\s*(RX|TX)( errors)?:\s*(.+)$/;

/**
 * `    RX:  bytes packets errors dropped  missed   mcast` and `    RX errors:  length crc frame fifo overrun`, iproute2 3.10 to 6.15 (older ones glue
 * `RX:` to the first name and call a column `overrun`). Returns the counters to fill, or `undefined` when the line is something else.
 */
export const startCounters = (link: Link, text: string): OpenCounters | undefined => {
  const match = heading.exec(text);
  if (match === null) return undefined;
  link.counters ??= { rx: emptyRecord(), tx: emptyRecord() };
  const names = wordsOf(match[3] ?? '');
  if (!names.every((name) => /^[a-z][a-z_]*$/.test(name))) return undefined;
  const target = match[1] === 'RX' ? link.counters.rx : link.counters.tx;
  return { target, names, rounded: link.other, direction: match[1] ?? '' };
};

/** The line of numbers; `not-numbers` when the line is something else and has to be read anew. */
export const continueCounters = (open: OpenCounters, text: string): 'not-numbers' | string | undefined => {
  const words = wordsOf(text);
  const numbers = words.map(toCount);
  if (!words.every((word, index) => numbers[index] !== undefined || /^[0-9]{1,4}(?:\.[0-9]{1,2})?[kMGTP]i?$/.test(word)))
    return 'not-numbers';
  if (numbers.length !== open.names.length) return `${numbers.length} numbers under ${open.names.length} headings`;
  open.names.forEach((name, index) => {
    const value = numbers[index];
    if (value === undefined) open.rounded[`${open.direction} ${name}`] = words[index] ?? '';
    else if (!Object.hasOwn(open.target, name)) open.target[name] = value;
  });
  return undefined;
};
