import { z } from 'zod';
import { parseAddress } from '../model/ip.ts';
import type { FdbEntry } from '../model/link.ts';
import type { Parsed } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, parseEachLine, type TextLine, toCount, wordsOf } from './text-lines.ts';
import { countField, flagWords, type KeywordHandler, type KeywordTable, readKeywords, textField, Words } from './word-table.ts';

/**
 * `bridge fdb [show]` (also `-s`, `-d`, one device or bridge), iproute2 3.10 to 6.15, and `bridge -j fdb` (there `line` is the number of the item).
 * Grammar: print_fdb() in iproute2's bridge/fdb.c. The same MAC may stand several times: in the bridge (`master`), of the interface itself
 * (`self`), per VLAN. An empty text is an empty table. `state` is empty for an entry that the bridge learned.
 */
export const parseBridgeFdb = (text: string): Parsed<FdbEntry[]> =>
  looksLikeJson(text) ? parseJsonItems(text, fdbSchema, entryFromJson) : parseEachLine(text, parseFdbLine);

/** Six octets: what every entry of an Ethernet bridge begins with. */
export const isMac = (text: string): boolean => /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text);

const parseFdbLine = ({ line, text }: TextLine): Attempt<FdbEntry> => {
  const words = new Words(wordsOf(text));
  const mac = words.next() ?? '';
  if (!isMac(mac)) return { why: `"${mac}" is no MAC address` };
  const attempt = readKeywords<FdbEntry>(words, fdbWords, { line, text, mac, flags: [], state: '' });
  if (!('ok' in attempt)) return attempt;
  const { dst } = attempt.ok;
  return dst !== undefined && parseAddress(dst) === undefined ? { why: 'dst is no address' } : attempt;
};

const used: KeywordHandler<FdbEntry> = (draft, words) => {
  const numbers = (words.next() ?? '').split('/').map(toCount);
  const [usedAgo, updated] = numbers;
  if (numbers.length !== 2 || usedAgo === undefined || updated === undefined) return false;
  draft.used = { used: usedAgo, updated };
  return true;
};

const stateWord = (state: string): [string, KeywordHandler<FdbEntry>] => [
  state,
  (draft) => {
    if (draft.state !== '') return false;
    draft.state = state;
    return true;
  },
];

const flagNames = [
  'self',
  'router',
  'sticky',
  'extern_learn',
  'offload',
  'local',
  'dynamic',
  'proxy',
  'locked',
  'dynamic_learn',
  'activity_notify',
  'inactive',
];

const fdbWords: KeywordTable<FdbEntry> = new Map([
  ['dev', textField<FdbEntry>('dev')],
  ['dst', textField<FdbEntry>('dst')],
  ['via', textField<FdbEntry>('via')],
  ['master', textField<FdbEntry>('master')],
  ['vlan', countField<FdbEntry>('vlan')],
  ['port', countField<FdbEntry>('port')],
  ['vni', countField<FdbEntry>('vni')],
  ['src_vni', countField<FdbEntry>('srcVni')],
  ['nhid', countField<FdbEntry>('nexthopId')],
  ['used', used],
  ...flagWords<FdbEntry>(...flagNames),
  ...['permanent', 'static', 'stale'].map(stateWord),
]);

/** An item of `bridge -j fdb`, iproute2 4.15 to 6.15. */
const fdbSchema = z.looseObject({
  mac: z.string().refine(isMac),
  ifname: z.string().optional(),
  dst: z.string().optional(),
  vlan: z.number().optional(),
  vni: z.number().optional(),
  src_vni: z.number().optional(),
  port: z.number().optional(),
  viaIf: z.string().optional(),
  viaIfIndex: z.number().optional(),
  nhid: z.number().optional(),
  flags: z.array(z.string()).default([]),
  master: z.string().optional(),
  state: z.string().default(''),
  used: z.number().optional(),
  updated: z.number().optional(),
});

const entryFromJson = (item: z.output<typeof fdbSchema>, line: number): FdbEntry | undefined => {
  if (item.dst !== undefined && parseAddress(item.dst) === undefined) return undefined;
  const entry: FdbEntry = { line, text: '', mac: item.mac, flags: item.flags, state: item.state };
  const via = item.viaIf ?? (item.viaIfIndex === undefined ? undefined : String(item.viaIfIndex));
  if (item.ifname !== undefined) entry.dev = item.ifname;
  if (item.dst !== undefined) entry.dst = item.dst;
  if (item.vlan !== undefined) entry.vlan = item.vlan;
  if (item.vni !== undefined) entry.vni = item.vni;
  if (item.src_vni !== undefined) entry.srcVni = item.src_vni;
  if (item.port !== undefined) entry.port = item.port;
  if (via !== undefined) entry.via = via;
  if (item.nhid !== undefined) entry.nexthopId = item.nhid;
  if (item.master !== undefined) entry.master = item.master;
  if (item.used !== undefined && item.updated !== undefined) entry.used = { used: item.used, updated: item.updated };
  entry.text = renderEntry(entry);
  return entry;
};

const renderEntry = (entry: FdbEntry): string =>
  [
    entry.mac,
    ...(['dev', 'dst', 'port', 'vlan', 'vni', 'via', 'master'] as const).map((key) =>
      entry[key] === undefined ? undefined : `${key} ${entry[key]}`,
    ),
    ...entry.flags,
    entry.state === '' ? undefined : entry.state,
  ]
    .filter((word) => word !== undefined)
    .join(' ');
