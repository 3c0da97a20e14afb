import type { DirectionCounters, Link } from '../model/link.ts';
import { emptyRecord, toCount, wordsOf } from './text-lines.ts';

/** A heading line of `-s` whose numbers follow on the next line. */
export interface OpenCounters {
  target: DirectionCounters;
  names: string[];
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
  return { target: match[1] === 'RX' ? link.counters.rx : link.counters.tx, names };
};

/** The line of numbers; `not-numbers` when the line is something else and has to be read anew. */
export const continueCounters = (open: OpenCounters, text: string): 'not-numbers' | string | undefined => {
  const numbers = wordsOf(text).map(toCount);
  if (numbers.includes(undefined)) return 'not-numbers';
  if (numbers.length !== open.names.length) return `${numbers.length} numbers under ${open.names.length} headings`;
  open.names.forEach((name, index) => {
    const value = numbers[index];
    if (value !== undefined && !Object.hasOwn(open.target, name)) open.target[name] = value;
  });
  return undefined;
};
