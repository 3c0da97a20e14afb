import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { isMac } from './bridge-fdb.ts';
import { type Attempt, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/** What `brctl show` says about a bridge; `absent` for one that was asked for by name and does not exist. */
export type BrctlEntry = BrctlBridge | BrctlAbsent;

export interface BrctlAbsent extends HasLine {
  kind: 'absent';
  text: string;
  name: string;
}

export interface BrctlBridge extends HasLine {
  kind: 'bridge';
  text: string;
  name: string;
  /** Priority and MAC, for example `8000.46b2750e2c78`. */
  id: string;
  stp: boolean;
  ports: string[];
}

export interface BrctlMac extends HasLine {
  text: string;
  /** Number of the port, which `brctl showstp` names; not an interface index. */
  port: number;
  mac: string;
  /** An address of the port itself. */
  local: boolean;
  ageing: number;
}

/**
 * `brctl show [BRIDGE]` of bridge-utils 1.5 to 1.7 and BusyBox: a row per bridge, further ports on rows that begin with tabs. The
 * message `bridge x does not exist!` is an entry of its own; others (`can't get info …`) are unparsed. The heading is always there, so a text without it is not complete.
 */
export const parseBrctlShow = (text: string): Parsed<BrctlEntry[]> =>
  parseTable<BrctlEntry>(text, /^bridge name\s+bridge id\s+STP enabled\s+interfaces/, (line, value) => {
    const last = value[value.length - 1];
    const words = wordsOf(line.text);
    if (/^\s/.test(line.text)) {
      const [port, ...rest] = words;
      if (last?.kind !== 'bridge' || port === undefined || rest.length > 0) return { why: 'continues nothing' };
      last.ports.push(port);
      last.text += `\n${line.text}`;
      return { ok: undefined };
    }
    const absent = /^bridge (\S+) does not exist!$/.exec(line.text.trimEnd())?.[1];
    if (absent !== undefined) return { ok: { kind: 'absent', ...line, name: absent } };
    const [name = '', id = '', stp, port, ...rest] = words;
    if (!/^[0-9a-f]{4}\.[0-9a-f]{12}$/.test(id) || (stp !== 'yes' && stp !== 'no') || rest.length > 0) return { why: 'not a bridge' };
    return { ok: { kind: 'bridge', ...line, name, id, stp: stp === 'yes', ports: port === undefined ? [] : [port] } };
  });

/** `brctl showmacs BRIDGE` of bridge-utils 1.5 to 1.7. A MAC may stand several times, once per VLAN, without a word about why. */
export const parseBrctlShowmacs = (text: string): Parsed<BrctlMac[]> =>
  parseTable(text, /^port no\s+mac addr\s+is local\?\s+ageing timer/, (line) => {
    const [port, mac = '', local, ageing = '', ...rest] = wordsOf(line.text);
    const number = toCount(port);
    if (
      number === undefined ||
      !isMac(mac) ||
      !/^[0-9]{1,9}\.[0-9]{2}$/.test(ageing) ||
      rest.length > 0 ||
      (local !== 'yes' && local !== 'no')
    )
      return { why: 'not a row' };
    return { ok: { ...line, port: number, mac, local: local === 'yes', ageing: Number(ageing) } };
  });

const parseTable = <T>(text: string, heading: RegExp, readRow: (line: TextLine, value: T[]) => Attempt<T | undefined>): Parsed<T[]> => {
  const { lines, whole } = readText(text);
  const value: T[] = [];
  const unparsed: UnparsedLine[] = [];
  let headings = 0;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    if (heading.test(line.text)) {
      headings += 1;
      continue;
    }
    const attempt: Attempt<T | undefined> = headings === 0 ? { why: 'stands before the heading' } : readRow(line, value);
    if (!('ok' in attempt)) unparsed.push(unparsedLine(line, attempt.why));
    else if (attempt.ok !== undefined) value.push(attempt.ok);
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && headings > 0 };
};
