import type { LinkCounters } from '../model/link.ts';
import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { type Attempt, emptyRecord, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/** One interface of `netstat -i`. */
export interface InterfaceRow extends HasLine {
  text: string;
  /** Cut to eight characters by net-tools up to 1.60: `flannel.`, `veth1640`. */
  name: string;
  mtu: number;
  counters: LinkCounters;
  /** B broadcast, M multicast, R running, U up, L loopback, O no ARP… */
  flags: string;
}

export interface InterfaceTable {
  interfaces: InterfaceRow[];
  headings: number[];
}

/**
 * `netstat -i` of net-tools 1.60 to 2.10 (lib/interface.c): words under a heading, whose columns do not stand under each other. Names of the counters are those of `ip -s link`.
 * Complete means that the heading is there and each line was read.
 */
export const parseNetstatInterfaces = (text: string): Parsed<InterfaceTable> => {
  const { lines, whole } = readText(text);
  const value: InterfaceTable = { interfaces: [], headings: [] };
  const unparsed: UnparsedLine[] = [];
  let columns: string[] | undefined;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const isHeading = /^Iface\s+MTU\s.*RX-OK\s/.test(line.text);
    if (isHeading) columns = wordsOf(line.text);
    if (isHeading || /^Kernel Interface table\s*$/.test(line.text)) {
      value.headings.push(line.line);
      continue;
    }
    const attempt = rowOf(line, columns ?? []);
    if ('ok' in attempt) value.interfaces.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && columns !== undefined };
};

const counterNames = new Map([
  ['OK', 'packets'],
  ['ERR', 'errors'],
  ['DRP', 'dropped'],
  ['OVR', 'over_errors'],
]);

const rowOf = (line: TextLine, columns: readonly string[]): Attempt<InterfaceRow> => {
  // a label such as eth0:1 has no counters of its own
  const label = /^(\S+) +([0-9]{1,10}) +- no statistics available - +([A-Zm]+)$/.exec(line.text);
  if (columns.length > 0 && label !== null) {
    const [, name = '', mtu, flags = ''] = label;
    return { ok: { ...line, name, mtu: Number(mtu), counters: { rx: emptyRecord(), tx: emptyRecord() }, flags } };
  }
  const words = wordsOf(line.text);
  const mtu = toCount(words[columns.indexOf('MTU')]);
  if (columns.length === 0 || words.length !== columns.length || mtu === undefined) return { why: 'not a word for each column' };
  const counters = { rx: emptyRecord<number>(), tx: emptyRecord<number>() };
  for (const [index, column] of columns.entries()) {
    const [, direction, kind] = /^([RT])X-(\w+)$/.exec(column) ?? [];
    const number = toCount(words[index]);
    if (direction === undefined) continue;
    if (number === undefined) return { why: `no number under ${column}` };
    counters[direction === 'R' ? 'rx' : 'tx'][counterNames.get(kind ?? '') ?? column] = number;
  }
  return { ok: { ...line, name: words[0] ?? '', mtu, counters, flags: words.at(-1) ?? '' } };
};
