import { z } from 'zod';
import { parseCidr } from '../model/ip.ts';
import type { Parsed } from '../model/parsed.ts';
import type { Rule, RuleAction } from '../model/route.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, emptyRecord, parseEachLine, type TextLine, toCount, wordsOf } from './text-lines.ts';
import { countField, type KeywordTable, otherValues, readKeywords, textField, textRecord, trueField, Words } from './word-table.ts';

export interface RuleOptions {
  /** BusyBox leaves out `not`, `oif`, ports and uidrange: its rules read wider than they are, so the result is never complete. */
  tool?: 'iproute2' | 'busybox';
}

/**
 * `ip rule` and `ip -6 rule` (also `-d`, `-N`), iproute2 3.10 to 6.15, and `ip -j rule` (there `line` is the number of the item).
 * Grammar: print_rule() in iproute2's ip/iprule.c. A rule with a word that is not known is unparsed as a whole, since a selector that is left out
 * would widen it. BusyBox' `lookup unspec …` (how it shows goto, nop and the like) is refused.
 */
export const parseIpRule = (text: string, options: RuleOptions = {}): Parsed<Rule[]> => {
  const parsed = looksLikeJson(text) ? parseJsonItems(text, ruleSchema, ruleFromJson) : parseEachLine(text, parseRuleLine);
  return options.tool === 'busybox' ? { ...parsed, complete: false } : parsed;
};

type Draft = Omit<Rule, 'action'> & { action?: RuleAction };

const parseRuleLine = (line: TextLine): Attempt<Rule> => {
  const match = /^\s*([0-9]{1,10}):\s+(.*)$/.exec(line.text);
  if (match === null) return { why: 'does not begin with a priority' };
  const draft = newDraft(line, Number(match[1]));
  const attempt = readKeywords(new Words(wordsOf(match[2] ?? '')), ruleWords, draft);
  return 'ok' in attempt ? finish(attempt.ok) : attempt;
};

const finish = (draft: Draft): Attempt<Rule> => {
  if (!isSelector(draft.from) || !isSelector(draft.to)) return { why: 'from or to is no prefix' };
  return draft.action === undefined ? { why: 'a rule without an action' } : { ok: { ...draft, action: draft.action } };
};

const newDraft = ({ line, text }: TextLine, priority: number): Draft => ({
  line,
  text,
  priority,
  not: false,
  from: 'all',
  to: 'all',
  other: emptyRecord(),
});

const isSelector = (text: string): boolean => text === 'all' || parseCidr(text) !== undefined;

const setAction = (draft: Draft, action: RuleAction): boolean => {
  if (draft.action !== undefined) return false;
  draft.action = action;
  return true;
};

const lookup = (draft: Draft, words: Words): boolean => {
  const table = words.next();
  if (table === undefined || table === 'unspec') return false;
  return setAction(draft, table === '[l3mdev-table]' ? { kind: 'l3mdev' } : { kind: 'lookup', table });
};

const goto = (draft: Draft, words: Words): boolean => {
  const target = words.next();
  const priority = target === 'none' ? undefined : toCount(target);
  const unresolved = words.peek === '[unresolved]';
  if (unresolved) words.next();
  return (target === 'none' || priority !== undefined) && setAction(draft, { kind: 'goto', priority, unresolved });
};

const fwmark = (draft: Draft, words: Words): boolean => {
  const mark = markOf(words.next() ?? '');
  if (mark === undefined) return false;
  draft.fwmark = mark;
  return true;
};

/** `0x200/0xf00`, `0x200` or a decimal number; without a mask all bits are compared. */
const markOf = (text: string): { value: number; mask: number } | undefined => {
  const [value, mask = '0xffffffff', rest] = text.split('/');
  const numbers = [value, mask].map((word) => (/^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(word ?? '') ? Number(word) : undefined));
  const [first, second] = numbers;
  return first === undefined || second === undefined || rest !== undefined ? undefined : { value: first, mask: second };
};

const detached = (words: Words): boolean => {
  if (words.peek !== '[detached]') return false;
  words.next();
  return true;
};

const plainAction = (kind: 'nop' | 'blackhole' | 'prohibit' | 'unreachable') => (draft: Draft) => setAction(draft, { kind });

const ruleWords: KeywordTable<Draft> = new Map([
  ['not', trueField<Draft>('not')],
  ['from', textField<Draft>('from')],
  ['to', textField<Draft>('to')],
  ['tos', textField<Draft>('tos')],
  ['dsfield', textField<Draft>('tos')],
  ['fwmark', fwmark],
  [
    'iif',
    (draft, words) => {
      draft.iif = words.next() ?? '';
      if (detached(words)) draft.iifDetached = true;
      return draft.iif !== '';
    },
  ],
  [
    'oif',
    (draft, words) => {
      draft.oif = words.next() ?? '';
      if (detached(words)) draft.oifDetached = true;
      return draft.oif !== '';
    },
  ],
  ['uidrange', textField<Draft>('uidrange')],
  ['ipproto', textField<Draft>('ipproto')],
  ['sport', textField<Draft>('sport')],
  ['dport', textField<Draft>('dport')],
  ['lookup', lookup],
  ['table', lookup],
  ['suppress_prefixlength', countField<Draft>('suppressPrefixLength')],
  ['suppress_ifgroup', textField<Draft>('suppressInterfaceGroup')],
  ['realms', textField<Draft>('realms')],
  ['proto', textField<Draft>('protocol')],
  ['goto', goto],
  ['nop', plainAction('nop')],
  ['blackhole', plainAction('blackhole')],
  ['prohibit', plainAction('prohibit')],
  ['unreachable', plainAction('unreachable')],
  ...otherValues<Draft>('tun_id', 'dscp', 'flowlabel', 'map-to'),
] satisfies [string, (draft: Draft, words: Words) => boolean][]);

const present = z.unknown().optional();
const portKeys = {
  sport: z.number(),
  sport_start: z.number(),
  sport_end: z.number(),
  sport_mask: z.string(),
  dport: z.number(),
  dport_start: z.number(),
  dport_end: z.number(),
  dport_mask: z.string(),
};

/** An item of `ip -j rule`, iproute2 4.17 to 6.15: words without a value are keys with null. */
const ruleSchema = z.looseObject({
  priority: z.number(),
  not: present,
  src: z.string(),
  srclen: z.number().optional(),
  dst: z.string().optional(),
  dstlen: z.number().optional(),
  tos: z.string().optional(),
  fwmark: z.string().optional(),
  fwmask: z.string().optional(),
  iif: z.string().optional(),
  iif_detached: present,
  oif: z.string().optional(),
  oif_detached: present,
  uid_start: z.number().optional(),
  uid_end: z.number().optional(),
  ipproto: z.string().optional(),
  ...z.object(portKeys).partial().shape,
  table: z.string().optional(),
  l3mdev: present,
  suppress_prefixlen: z.number().optional(),
  suppress_ifgroup: z.string().optional(),
  flow_from: z.string().optional(),
  flow_to: z.string().optional(),
  goto: z.union([z.number(), z.string()]).optional(),
  unresolved: present,
  nop: present,
  action: z.enum(['blackhole', 'prohibit', 'unreachable']).optional(),
  protocol: z.string().optional(),
});

type JsonRule = z.output<typeof ruleSchema>;

/** Selectors of newer versions that this parser does not know must not be lost: a rule with an unknown key is refused. */
const knownKeys: ReadonlySet<string> = new Set([
  ...Object.keys(ruleSchema.shape),
  'tun_id',
  'dscp',
  'dscp_mask',
  'flowlabel',
  'flowlabel_mask',
  'dsfield',
]);

/** Rebuilds the words of `ip rule` and reads those, so that both forms share one meaning. */
const ruleFromJson = (item: JsonRule, line: number): Rule | undefined => {
  if (Object.keys(item).some((key) => !knownKeys.has(key))) return undefined;
  const attempt = parseRuleLine({ line, text: renderRule(item) });
  return 'ok' in attempt ? attempt.ok : undefined;
};

const renderRule = (item: JsonRule): string => {
  const others = textRecord(item);
  return [
    `${item.priority}:\t${'not' in item ? 'not ' : ''}from ${prefixText(item.src, item.srclen)}`,
    item.dst === undefined ? undefined : `to ${prefixText(item.dst, item.dstlen)}`,
    pair('tos', item.tos ?? others.dsfield),
    item.fwmark === undefined ? undefined : `fwmark ${[item.fwmark, item.fwmask].filter((part) => part !== undefined).join('/')}`,
    item.iif === undefined ? undefined : `iif ${item.iif}${'iif_detached' in item ? ' [detached]' : ''}`,
    item.oif === undefined ? undefined : `oif ${item.oif}${'oif_detached' in item ? ' [detached]' : ''}`,
    item.uid_start === undefined ? undefined : `uidrange ${item.uid_start}-${item.uid_end ?? ''}`,
    pair('ipproto', item.ipproto),
    pair('sport', masked(item.sport, item.sport_mask) ?? range(item.sport_start, item.sport_end)),
    pair('dport', masked(item.dport, item.dport_mask) ?? range(item.dport_start, item.dport_end)),
    pair('dscp', masked(others.dscp, others.dscp_mask)),
    ...['tun_id', 'flowlabel'].map((key) => pair(key, others[key])),
    ...renderAction(item),
    pair('proto', item.protocol),
  ]
    .filter((part) => part !== undefined)
    .join(' ');
};

/** `0x50/0xf0` (iproute2 6.13 and later); a mask of all bits is not printed. */
const masked = (value: string | number | undefined, mask: string | undefined): string | number | undefined =>
  value === undefined || mask === undefined || mask === '0xffff' ? value : `0x${Number(value).toString(16)}/${mask}`;

const renderAction = (item: JsonRule): (string | undefined)[] => [
  'l3mdev' in item ? 'lookup [l3mdev-table]' : undefined,
  pair('lookup', item.table),
  pair('suppress_prefixlength', item.suppress_prefixlen),
  pair('suppress_ifgroup', item.suppress_ifgroup),
  item.flow_to === undefined ? undefined : `realms ${item.flow_from === undefined ? '' : `${item.flow_from}/`}${item.flow_to}`,
  item.goto === undefined ? undefined : `goto ${item.goto}${'unresolved' in item ? ' [unresolved]' : ''}`,
  'nop' in item ? 'nop' : undefined,
  item.action,
];

const prefixText = (address: string, length: number | undefined): string => (length === undefined ? address : `${address}/${length}`);

const range = (start: number | undefined, end: number | undefined): string | undefined =>
  start === undefined ? undefined : `${start}-${end ?? ''}`;

const pair = (key: string, value: string | number | undefined): string | undefined => (value === undefined ? undefined : `${key} ${value}`);
