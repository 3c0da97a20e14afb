import type { Action, Match } from '../../model/netfilter.ts';
import { fixedTarget, portRange } from '../nat-target.ts';
import { portRanges, valueAndMask } from './generic.ts';

export interface Tail {
  matches: Match[];
  action?: Action;
  comment?: string;
  isGoto: boolean;
}

type Take = (
  tail: string,
  target: string,
) => { length: number; matches?: Match[]; action?: Action; comment?: string; isGoto?: boolean } | undefined;

/**
 * Reads what stands behind the columns of `iptables -L`: the words that each extension's print function writes. A comment stands in slashes and
 * stars and may hold anything, the end mark included, so that it is taken up to the last end mark that leaves something known behind it.
 * From the first words on that are not known, the rest is one opaque match.
 */
export function readTail(text: string, target: string): Tail {
  const tail: Tail = { matches: [], isGoto: false };
  let rest = text;
  while (rest !== '') {
    const found = takes.map((take) => take(rest, target)).find((result) => result !== undefined);
    if (found === undefined) {
      tail.matches.push({ role: 'match', kind: 'opaque', text: rest, why: 'the words of iptables -L are not understood' });
      return tail;
    }
    tail.matches.push(...(found.matches ?? []));
    if (found.action !== undefined) tail.action = found.action;
    if (found.comment !== undefined) tail.comment = tail.comment === undefined ? found.comment : `${tail.comment} ${found.comment}`;
    tail.isGoto ||= found.isGoto === true;
    rest = rest.slice(found.length).trim();
  }
  return tail;
}

const pattern =
  (regex: RegExp, make: (match: RegExpExecArray, target: string) => Omit<NonNullable<ReturnType<Take>>, 'length'> | undefined): Take =>
  (tail, target) => {
    const match = regex.exec(tail);
    const made = match === null ? undefined : make(match, target);
    return match === null || made === undefined ? undefined : { ...made, length: match[0].length };
  };

const comment: Take = pattern(/^\/\* (.*?) \*\/(?=\s|$)/, (match) => {
  const text = match[1] ?? '';
  return { comment: text, matches: [{ role: 'match', kind: 'comment', text }] };
});

/** `tcp dpt:22`, `udp spt:67 dpt:68`, `tcp dpts:!1024:65535`, and the bare word of an extension without options. */
const ports: Take = pattern(/^(tcp|udp|udplite|dccp|sctp)((?: [sd]pts?:\s?!?[\d:]+)*)(?=\s|$)/, (match) => {
  const matches = [...(match[2] ?? '').matchAll(/([sd])pts?:\s?(!?)([\d:]+)/g)].map((found): Match | undefined => {
    const ranges = portRanges(found[3] ?? '');
    return (
      ranges && {
        role: 'match',
        kind: 'ports',
        module: match[1] ?? '',
        end: found[1] === 's' ? 'source' : 'destination',
        negated: found[2] === '!',
        ranges,
      }
    );
  });
  return matches.every((one) => one !== undefined) ? { matches } : undefined;
});

const multiport: Take = pattern(/^multiport (sports|dports|ports)\s+(!?)([\d:,]+)(?=\s|$)/, (match) => {
  const ranges = portRanges(match[3] ?? '');
  const end = match[1] === 'sports' ? 'source' : match[1] === 'dports' ? 'destination' : 'either';
  return ranges && { matches: [{ role: 'match', kind: 'ports', module: 'multiport', end, negated: match[2] === '!', ranges }] };
});

const state: Take = pattern(/^(!\s?)?(ctstate|state) ([A-Z,]+)(?=\s|$)/, (match) => ({
  matches: [
    {
      role: 'match',
      kind: 'conntrackState',
      negated: match[1] !== undefined,
      states: (match[3] ?? '').split(','),
      module: match[2] === 'state' ? 'state' : 'conntrack',
    },
  ],
}));

const mark: Take = pattern(/^(mark|connmark) match (!\s?)?(0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)(?=\s|$)/, (match) => {
  const value = valueAndMask(match[3] ?? '');
  const of = match[1] === 'mark' ? 'packet' : 'connection';
  return value && { matches: [{ role: 'match', kind: 'mark', of, negated: match[2] !== undefined, ...value }] };
});

const addressType: Take = pattern(/^ADDRTYPE match(?: src-type (!?)([A-Z,]+))?(?: dst-type (!?)([A-Z,]+))?(?=\s|$)/, (match) => {
  const side = (end: 'source' | 'destination', negated: string | undefined, types: string | undefined): Match[] =>
    types === undefined ? [] : [{ role: 'match', kind: 'addressType', end, negated: negated === '!', types: types.split(',') }];
  return { matches: [...side('source', match[1], match[2]), ...side('destination', match[3], match[4])] };
});

const statistic: Take = pattern(/^statistic mode random (!\s?)?probability ([\d.]+)(?=\s|$)/, (match) => ({
  matches: [{ role: 'match', kind: 'statistic', mode: 'random', negated: match[1] !== undefined, probability: Number(match[2]) }],
}));

const ipset: Take = pattern(/^(!\s?)?match-set (\S+) ((?:src|dst)(?:,(?:src|dst))*)(?=\s|$)/, (match) => ({
  matches: [
    {
      role: 'match',
      kind: 'ipset',
      negated: match[1] !== undefined,
      set: match[2] ?? '',
      directions: (match[3] ?? '').split(',').map((word) => (word === 'src' ? 'src' : 'dst')),
      options: [],
    },
  ],
}));

const translation: Take = pattern(/^to:(\S+)((?: (?:random|random-fully|persistent))*)(?=\s|$)/, (match, target) => {
  const to = fixedTarget([match[1] ?? '']);
  if (to === undefined || (target !== 'DNAT' && target !== 'SNAT')) return undefined;
  return {
    action: { role: 'action', kind: target === 'DNAT' ? 'dnat' : 'snat', to, flags: (match[2] ?? '').trim().split(' ').filter(Boolean) },
  };
});

const reject: Take = pattern(/^reject-with (\S+)(?=\s|$)/, (match) => ({
  action: { role: 'action', kind: 'reject', with: match[1] ?? '' },
}));

const randomly: Take = pattern(/^random-fully|^random(?=\s|$)/, (match, target) =>
  target === 'MASQUERADE' ? { action: { role: 'action', kind: 'masquerade', flags: [match[0]] } } : undefined,
);

const setMark: Take = pattern(/^(MARK|CONNMARK) (set|or|xor|and) (0x[0-9a-f]+)(?=\s|$)/, (match, target) => {
  const value = Number(match[3]);
  if (match[1] !== target) return undefined;
  const operations: Record<string, { value: number; mask: number }> = {
    set: { value, mask: 0xffffffff },
    or: { value, mask: value },
    xor: { value, mask: 0 },
    and: { value: 0, mask: ~value >>> 0 },
  };
  const operation = operations[match[2] ?? ''];
  return operation && { action: { role: 'action', kind: 'setMark', of: target === 'MARK' ? 'packet' : 'connection', ...operation } };
});

/** What a target that only notes something prints about itself. */
const noted: Take = (tail, target) =>
  ['LOG', 'NFLOG', 'TCPMSS', 'CHECKSUM', 'TRACE'].includes(target) && (/^(LOG|TCPMSS|CHECKSUM|TRACE) /.test(tail) || /^nflog-/.test(tail))
    ? { length: tail.length }
    : undefined;

const goes: Take = pattern(/^\[goto\]/, () => ({ isGoto: true }));

const flags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const flagNames = (bits: number): string[] => flags.filter((_, index) => (bits & (1 << index)) !== 0);

const tcpFlags: Take = pattern(/^(?:tcp )?flags:\s?(!?)(0x[0-9A-F]{2})\/(0x[0-9A-F]{2})(?=\s|$)/, (match) => ({
  matches: [
    { role: 'match', kind: 'tcpFlags', negated: match[1] === '!', mask: flagNames(Number(match[2])), set: flagNames(Number(match[3])) },
  ],
}));

/** `icmptype 8`, `icmptype 3 code 4`, `ipv6-icmptype 135`, `icmp !type 5` */
const icmpType: Take = pattern(/^(ipv6-)?icmp ?(!)?type (\d+)(?: code (\d+))?(?=\s|$)/, (match) => ({
  matches: [
    {
      role: 'match',
      kind: 'icmpType',
      module: match[1] === undefined ? 'icmp' : 'icmp6',
      negated: match[2] === '!',
      ...(match[3] === '255' ? {} : { icmpType: Number(match[3]) }),
      ...(match[4] === undefined ? {} : { codes: { first: Number(match[4]), last: Number(match[4]) } }),
    },
  ],
}));

const accounting: Take = pattern(/^nfacct-name\s+\S+/, (match) => ({
  matches: [{ role: 'match', kind: 'module', module: 'nfacct', options: [], text: match[0] }],
}));

const recentActions = new Map<string, 'set' | 'rcheck' | 'update' | 'remove'>(
  Object.entries({
    SET: 'set',
    CHECK: 'rcheck',
    UPDATE: 'update',
    REMOVE: 'remove',
  }),
);
const recent: Take = pattern(/^(!\s?)?recent: (SET|CHECK|UPDATE|REMOVE)(?:.*?) name: (\S+) side: \w+(?: mask: \S+)?(?=\s|$)/, (match) => {
  const action = recentActions.get(match[2] ?? '');
  return (
    action && { matches: [{ role: 'match', kind: 'recent', negated: match[1] !== undefined, action, name: match[3] ?? '', options: [] }] }
  );
});

const addressRange: Take = pattern(/^(source|destination) IP range (! )?([^\s-]+)-(\S+)(?=\s|$)/, (match) => {
  const end = match[1] === 'source' ? 'source' : 'destination';
  return {
    matches: [{ role: 'match', kind: 'addressRange', end, negated: match[2] !== undefined, from: match[3] ?? '', to: match[4] ?? '' }],
  };
});

const redirected: Take = pattern(/^(?:redir|masq) ports:? (\S+)((?: (?:random|random-fully))*)(?=\s|$)/, (match, target) => {
  const range = portRange(match[1] ?? '');
  if (range === undefined || (target !== 'REDIRECT' && target !== 'MASQUERADE')) return undefined;
  const said = (match[2] ?? '').trim().split(' ').filter(Boolean);
  return { action: { role: 'action', kind: target === 'REDIRECT' ? 'redirect' : 'masquerade', ports: range, flags: said } };
});

const takes: Take[] = [
  tcpFlags,
  icmpType,
  accounting,
  recent,
  addressRange,
  redirected,
  comment,
  ports,
  multiport,
  state,
  mark,
  addressType,
  statistic,
  ipset,
  translation,
  reject,
  randomly,
  setMark,
  noted,
  goes,
];
