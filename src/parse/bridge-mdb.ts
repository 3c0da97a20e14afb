import { z } from 'zod';
import type { MdbEntry } from '../model/link.ts';
import type { Parsed } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, emptyRecord, parseEachLine, type TextLine, toCount, wordsOf } from './text-lines.ts';
import {
  countField,
  flagWords,
  type KeywordHandler,
  type KeywordTable,
  otherValues,
  readKeywords,
  textField,
  textRecord,
  Words,
} from './word-table.ts';

/**
 * `bridge mdb` (also `-d`, `-s`, `-j`: there `line` is the number of the item), iproute2 4.1 to 6.15. Grammar: print_mdb_entry() in
 * bridge/mdb.c. An empty text is an empty table.
 */
export const parseBridgeMdb = (text: string): Parsed<MdbEntry[]> => {
  if (looksLikeJson(text)) return parseJsonItems(text, mdbSchema, entriesFromJson);
  const parsed = parseEachLine(text, parseMdbLine);
  return { ...parsed, value: parsed.value.flat() };
};

const parseMdbLine = (line: TextLine): Attempt<MdbEntry[]> => {
  const router = /^router ports on (\S+): (.*)$/.exec(line.text);
  if (router !== null) return readRouterPorts(line, router[1] ?? '', wordsOf(router[2] ?? ''));
  const words = new Words(wordsOf(line.text));
  if (words.next() !== 'dev') return { why: 'no entry' };
  const draft: MdbEntry = { ...line, bridge: words.next() ?? '', group: '', flags: [], kind: 'entry', other: emptyRecord() };
  const attempt = readKeywords(words, mdbWords, draft);
  if (!('ok' in attempt)) return attempt;
  return attempt.ok.group === '' ? { why: 'no group' } : { ok: [attempt.ok] };
};

/** `router ports on br0: v1 v2`; with `-d` each port is followed by its timer and type. */
const readRouterPorts = (line: TextLine, bridge: string, words: readonly string[]): Attempt<MdbEntry[]> => {
  const entries: MdbEntry[] = [];
  for (const word of words) {
    const last = entries[entries.length - 1];
    if (/^[0-9]+\.[0-9]+$/.test(word) && last !== undefined) last.other.timer = word;
    else if (/^(temp|permanent|disabled)$/.test(word) && last !== undefined) last.state = word;
    else entries.push({ ...line, bridge, port: word, group: '', flags: [], kind: 'router', other: emptyRecord() });
  }
  return { ok: entries };
};

const state = (name: string): [string, KeywordHandler<MdbEntry>] => [
  name,
  (draft, words) => {
    draft.state = name;
    takeTimer(draft, words);
    return true;
  },
];

/** `-s` prints the seconds left without a keyword, at the end of the line. */
const takeTimer = (draft: MdbEntry, words: Words): void => {
  if (words.at === words.list.length - 1 && /^[0-9]+\.[0-9]+$/.test(words.peek ?? '')) draft.other.timer = words.next() ?? '';
};

const withTimer =
  (handler: KeywordHandler<MdbEntry>): KeywordHandler<MdbEntry> =>
  (draft, words) => {
    const done = handler(draft, words);
    if (done) takeTimer(draft, words);
    return done;
  };

const others = otherValues<MdbEntry>(
  'proto',
  'protocol',
  'filter_mode',
  'source_list',
  'dst',
  'dst_port',
  'vni',
  'src_vni',
  'via',
  'host_joined',
);
const flags = flagWords<MdbEntry>('offload', 'fast_leave', 'added_by_star_ex', 'blocked', 'offload_failed');

const mdbWords: KeywordTable<MdbEntry> = new Map([
  ['port', textField<MdbEntry>('port')],
  ['grp', textField<MdbEntry>('group')],
  ['src', textField<MdbEntry>('source')],
  ['vid', withTimer(countField<MdbEntry>('vlan'))],
  ...['temp', 'permanent'].map(state),
  ...[...others, ...flags].map(([name, handler]): [string, KeywordHandler<MdbEntry>] => [name, withTimer(handler)]),
]);

const entrySchema = z.looseObject({
  dev: z.string(),
  port: z.string().optional(),
  grp: z.string(),
  src: z.string().optional(),
  state: z.string().optional(),
  timer: z.string().optional(),
  protocol: z.string().optional(),
  vid: z.number().optional(),
  flags: z.array(z.string()).default([]),
});
const routerSchema = z.record(
  z.string(),
  z.array(z.looseObject({ port: z.string(), timer: z.string().optional(), type: z.string().optional() })),
);
const mdbSchema = z.looseObject({ mdb: z.array(entrySchema), router: routerSchema.default({}) });
const known: ReadonlySet<string> = new Set([...Object.keys(entrySchema.shape), 'index']);

const entriesFromJson = (item: z.output<typeof mdbSchema>, line: number): MdbEntry[] => [
  ...item.mdb.map((raw) => entryFromJson(raw, line)),
  ...Object.entries(item.router).flatMap(([bridge, ports]) =>
    ports.map(
      ({ port, timer, type }): MdbEntry => ({
        line,
        text: `router ports on ${bridge}: ${port}`,
        bridge,
        port,
        group: '',
        flags: [],
        kind: 'router',
        ...(type === undefined ? {} : { state: type }),
        other: Object.assign(emptyRecord<string>(), timer === undefined ? {} : { timer: timer.trim() }),
      }),
    ),
  ),
];

const entryFromJson = (raw: z.output<typeof entrySchema>, line: number): MdbEntry => {
  const entry: MdbEntry = {
    line,
    text: '',
    bridge: raw.dev,
    group: raw.grp,
    flags: raw.flags,
    kind: 'entry',
    other: textRecord(raw, known),
  };
  if (raw.port !== undefined) entry.port = raw.port;
  if (raw.src !== undefined) entry.source = raw.src;
  if (raw.state !== undefined) entry.state = raw.state;
  if (raw.timer !== undefined) entry.other.timer = raw.timer.trim();
  if (raw.protocol !== undefined) entry.other.proto = raw.protocol;
  const vlan = toCount(raw.vid === undefined ? undefined : String(raw.vid));
  if (vlan !== undefined) entry.vlan = vlan;
  entry.text = `dev ${entry.bridge} port ${entry.port ?? '?'} grp ${entry.group} ${entry.state ?? ''}`.trim();
  return entry;
};
