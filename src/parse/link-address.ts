import { parseAddress, parseCidr } from '../model/ip.ts';
import type { LinkAddress } from '../model/link.ts';
import { type Attempt, type TextLine, toCount, wordsOf } from './text-lines.ts';
import { countField, flagWords, type KeywordHandler, type KeywordTable, readKeywords, textField, Words } from './word-table.ts';

const addressFlags = [
  ...[
    'secondary',
    'temporary',
    'deprecated',
    'tentative',
    'dadfailed',
    'dynamic',
    'noprefixroute',
    'nodad',
    'optimistic',
    'home',
    'mngtmpaddr',
  ],
  ...['autojoin', 'stable-privacy', 'anycast', 'permanent'],
];

/**
 * `inet 10.81.0.1 peer 10.81.0.2/32 brd … scope global secondary eth0:vip` of iproute2 and BusyBox (whose `flags 102` is kept as a flag). The word at
 * the end of an IPv4 line that is no keyword is the label.
 */
export const parseAddressLine = (line: TextLine): Attempt<LinkAddress> => {
  const words = wordsOf(line.text);
  const family = words.shift() === 'inet' ? 4 : 6;
  const local = words.shift() ?? '';
  const last = words[words.length - 1];
  const label = family === 4 && last !== undefined && isLabel(words) ? words.pop() : undefined;
  const draft: LinkAddress = { line: line.line, family, address: '', prefixLength: family === 4 ? 32 : 128, flags: [] };
  if (!setLocal(draft, local)) return { why: `"${local}" is no address of its family` };
  if (label !== undefined) draft.label = label;
  const inline = words.indexOf('valid_lft');
  const attempt = readKeywords(new Words(inline < 0 ? words : words.slice(0, inline)), addressWords, draft);
  if (!('ok' in attempt)) return attempt;
  const why = inline < 0 ? undefined : readLifetimes(draft, words.slice(inline));
  return why === undefined ? { ok: draft } : { why };
};

/** `valid_lft 599sec preferred_lft forever`, the line under an address. */
export const readLifetimes = (address: LinkAddress | undefined, words: readonly string[]): string | undefined => {
  const [first, valid, second, preferred, ...rest] = words;
  if (address === undefined || first !== 'valid_lft' || second !== 'preferred_lft' || rest.length > 0) return 'lifetimes of no address';
  const lifetimes = [valid, preferred].map(lifetimeOf);
  const [validLifetime, preferredLifetime] = lifetimes;
  if (validLifetime === undefined || preferredLifetime === undefined) return 'unknown lifetime';
  address.validLifetime = validLifetime;
  address.preferredLifetime = preferredLifetime;
  return undefined;
};

const lifetimeOf = (text: string | undefined): number | 'forever' | undefined =>
  text === 'forever' ? text : toCount(text?.replace(/sec$/, ''));

/** The last word is the label unless it belongs to a keyword before it or is a flag. */
const isLabel = (words: readonly string[]): boolean => {
  const [before, last] = words.slice(-2);
  if (words.length === 1) return last === undefined && before !== undefined && !addressWords.has(before);
  if (last === undefined || addressWords.has(last)) return false;
  return before === undefined || !valueWords.has(before);
};

const setLocal = (draft: LinkAddress, text: string): boolean => {
  const cidr = parseCidr(text);
  if (cidr === undefined || cidr.family !== draft.family) return false;
  draft.address = text.split('/')[0] ?? text;
  draft.prefixLength = cidr.length;
  return true;
};

/** With `peer`, the prefix length belongs to the far end and to the address. */
const peer: KeywordHandler<LinkAddress> = (draft, words) => {
  const text = words.next() ?? '';
  const cidr = parseCidr(text);
  if (cidr === undefined) return false;
  draft.peer = text.split('/')[0] ?? text;
  draft.prefixLength = cidr.length;
  return true;
};

const broadcast: KeywordHandler<LinkAddress> = (draft, words) => {
  draft.broadcast = words.next() ?? '';
  return parseAddress(draft.broadcast) !== undefined;
};

const numericFlags: KeywordHandler<LinkAddress> = (draft, words) => {
  const bits = words.next() ?? '';
  draft.flags.push(`0x${bits}`);
  return /^[0-9a-f]{1,8}$/.test(bits);
};

const valueWords: ReadonlySet<string> = new Set(['brd', 'any', 'scope', 'peer', 'metric', 'proto', 'flags']);

const addressWords: KeywordTable<LinkAddress> = new Map([
  ['peer', peer],
  ['brd', broadcast],
  ['flags', numericFlags],
  ['scope', textField<LinkAddress>('scope')],
  ['metric', countField<LinkAddress>('metric')],
  ['proto', textField<LinkAddress>('protocol')],
  ...flagWords<LinkAddress>(...addressFlags),
]);
