import type { Link, LinkPeer } from '../model/link.ts';
import type { OpenCounters } from './link-counters.ts';
import { commonWords } from './link-words.ts';
import { type Attempt, emptyRecord, type TextLine, wordsOf } from './text-lines.ts';
import { countField, type KeywordTable, otherValues, readKeywords, textField, Words } from './word-table.ts';

/** An interface whose block is being read. */
export interface OpenLink {
  link: Link;
  /** Headings of the counters whose numbers stand on the next line. */
  counters?: OpenCounters | undefined;
}

export const newLink = (line: TextLine, name: string): Link => ({
  line: line.line,
  lastLine: line.line,
  text: line.text,
  name,
  flags: undefined,
  altNames: [],
  details: emptyRecord(),
  portDetails: emptyRecord(),
  addresses: [],
  other: emptyRecord(),
});

/** `2: eth0@if7: <BROADCAST,UP> mtu 1500 qdisc noqueue master cni0 state UP mode DEFAULT group default qlen 1000`. The index may have been cut off. */
export const parseHeadLine = (line: TextLine): Attempt<Link> => {
  const match = /^(?:([0-9]{1,10}): *)?([^\s@]+)(?:@(\S+))?: +<([^<>\s]*)>(.*)$/.exec(line.text);
  if (match === null) return { why: 'not the first line of an interface' };
  const [, index, name = '', peer, flags = '', rest = ''] = match;
  const link = newLink(line, name);
  link.flags = splitFlags(flags);
  if (index !== undefined) link.index = Number(index);
  const at = peerOf(peer);
  if (at !== undefined) link.peer = at;
  const attempt = readKeywords(new Words(wordsOf(rest)), headWords, link);
  return 'ok' in attempt ? { ok: link } : attempt;
};

/** `if7` is an index; `NONE` and `(null)` are no peer. */
export const peerOf = (text: string | undefined): LinkPeer | undefined => {
  if (text === undefined || text === 'NONE' || text === '(null)') return undefined;
  const index = /^if([0-9]{1,10})$/.exec(text)?.[1];
  return index === undefined ? { name: text } : { index: Number(index) };
};

/** Flags by comma. iproute2 prints unknown bits as a part of their own in hexadecimal, BusyBox glues them to the last flag: `UP400`. */
export const splitFlags = (text: string): string[] =>
  text.split(',').flatMap((flag) => {
    if (flag === '') return [];
    const glued = /^([A-Z_-]*[A-Z])([0-9a-f]+)$/.exec(flag);
    if (/^[0-9a-f]+$/.test(flag)) return [`0x${flag}`];
    return glued === null || isFlagWithDigit(flag) ? [flag] : [glued[1] ?? '', `0x${glued[2]}`];
  });

const isFlagWithDigit = (flag: string): boolean => flag === 'LOWER_UP1';

/** `link/ether 02:00:… brd ff:ff:… link-netnsid 0 promiscuity 0 …`; with `-d` the details may stand on the same line. */
export const readHardwareLine = (link: Link, words: string[]): string | undefined => {
  const list = new Words(words);
  link.linkType = (list.next() ?? '').slice('link/'.length);
  if (isHardwareAddress(list.peek)) link.address = list.next() ?? '';
  const attempt = readKeywords(list, hardwareWords, link);
  return 'ok' in attempt ? undefined : attempt.why;
};

/** A MAC address, or the address of a tunnel; every one holds a dot or a colon, which no keyword does. */
const isHardwareAddress = (word: string | undefined): boolean => word !== undefined && /^[0-9a-fA-F:.]+$/.test(word) && /[:.]/.test(word);

const headWords: KeywordTable<Link> = new Map([
  ['mtu', countField<Link>('mtu')],
  ['qdisc', textField<Link>('qdisc')],
  ['master', textField<Link>('master')],
  ['state', textField<Link>('state')],
  ['group', textField<Link>('group')],
  ['qlen', countField<Link>('qlen')],
  ...otherValues<Link>('mode', 'vrf', 'event', 'new-netns', 'new-netnsid', 'new-ifindex'),
  ...otherValues<Link>('protodown'),
  // `ip -4 addr` prints no line of the hardware, and what would stand at its end stands here
  ['link-netnsid', textField<Link>('netns')],
  ['link-netns', textField<Link>('netns')],
]);

const hardwareWords: KeywordTable<Link> = new Map([
  ['brd', textField<Link>('broadcast')],
  ['peer', textField<Link>('peerAddress')],
  ['permaddr', textField<Link>('permanentAddress')],
  ['link-netnsid', textField<Link>('netns')],
  ['link-netns', textField<Link>('netns')],
  ...otherValues<Link>('protodown'),
  ...otherValues<Link>('xdp'),
  ...commonWords,
]);
