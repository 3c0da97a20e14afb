import { z } from 'zod';
import type { HasLine, Parsed } from '../model/parsed.ts';
import { jsonText, looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, emptyRecord, parseEachLine, type TextLine, toCount, wordsOf } from './text-lines.ts';
import { countField, flagWords, type KeywordTable, otherValues, readKeywords, textField, textRecord, Words } from './word-table.ts';

/** A nexthop object, which routes refer to by `nhid`. */
export interface NexthopObject extends HasLine {
  text: string;
  id: number;
  via?: string;
  dev?: string;
  scope?: string;
  protocol?: string;
  /** Members of a group with their weights (1 where none is printed). */
  group: { id: number; weight: number }[];
  /** `resilient` or `mpath`. */
  type?: string;
  /** onlink, blackhole, fdb, offload, dead, linkdown… */
  flags: string[];
  /** Timers and buckets of a resilient group, `encap`, `master`. */
  other: Record<string, string>;
}

/** `ip nexthop show`, also with `-d`, and `ip -j nexthop`, iproute2 5.3 to 6.15 (ip/ipnexthop.c, print_nexthop()). */
export const parseIpNexthop = (text: string): Parsed<NexthopObject[]> =>
  looksLikeJson(text) ? parseJsonItems(text, schema, fromJson) : parseEachLine(text, parseRow);

const parseRow = (line: TextLine): Attempt<NexthopObject> => {
  const words = new Words(wordsOf(line.text));
  const id = words.next() === 'id' ? toCount(words.next()) : undefined;
  return id === undefined ? { why: 'not a nexthop object' } : readKeywords(words, nexthopWords, newNexthop(line, id));
};

const newNexthop = (line: TextLine, id: number): NexthopObject => ({ ...line, id, group: [], flags: [], other: emptyRecord<string>() });

const nexthopWords: KeywordTable<NexthopObject> = new Map([
  ['via', textField<NexthopObject>('via')],
  ['dev', textField<NexthopObject>('dev')],
  ['scope', textField<NexthopObject>('scope')],
  ['proto', textField<NexthopObject>('protocol')],
  ['protocol', textField<NexthopObject>('protocol')],
  ['type', textField<NexthopObject>('type')],
  ['id', countField<NexthopObject>('id')],
  [
    'group',
    (draft: NexthopObject, words: Words) => {
      const members = (words.next() ?? '').split('/').map(memberOf);
      draft.group = members.filter((member) => member !== undefined);
      return draft.group.length === members.length;
    },
  ],
  [
    'encap',
    (draft: NexthopObject, words: Words) => {
      const taken: string[] = [];
      while (words.peek !== undefined && words.peek !== 'via' && words.peek !== 'dev') taken.push(words.next() ?? '');
      draft.other.encap = taken.join(' ');
      return taken.length > 0;
    },
  ],
  ...otherValues<NexthopObject>('buckets', 'idle_timer', 'unbalanced_timer', 'unbalanced_time', 'master'),
  ...flagWords<NexthopObject>('blackhole', 'onlink', 'fdb', 'offload', 'trap', 'dead', 'pervasive', 'linkdown'),
]);

/** `1` or `2,3`: number and weight. */
const memberOf = (text: string): { id: number; weight: number } | undefined => {
  const [id, weight = '1', ...more] = text.split(',');
  const numbers = [toCount(id), toCount(weight)];
  const [number, parts] = numbers;
  return number === undefined || parts === undefined || more.length > 0 ? undefined : { id: number, weight: parts };
};

const schema = z.looseObject({
  id: z.number(),
  gateway: z.string().optional(),
  dev: z.string().optional(),
  scope: z.string().optional(),
  protocol: z.string().optional(),
  type: z.string().optional(),
  group: z.array(z.looseObject({ id: z.number(), weight: z.number().optional() })).optional(),
  flags: z.array(z.string()).optional(),
  resilient_args: z.record(z.string(), z.unknown()).optional(),
});

const known = new Set(['id', 'gateway', 'dev', 'scope', 'protocol', 'type', 'group', 'flags', 'resilient_args', 'blackhole', 'fdb']);

const fromJson = (item: z.output<typeof schema>, line: number): NexthopObject => {
  const { gateway, dev, scope, protocol, type } = item;
  const alone = ['blackhole', 'fdb'].filter((flag) => flag in item);
  return {
    ...newNexthop({ line, text: jsonText(item) }, item.id),
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(dev === undefined ? {} : { dev }),
    ...(scope === undefined ? {} : { scope }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(type === undefined ? {} : { type }),
    group: (item.group ?? []).map(({ id, weight = 1 }) => ({ id, weight })),
    flags: [...alone, ...(item.flags ?? [])],
    other: { ...textRecord(item.resilient_args ?? {}), ...textRecord(item, known) },
  };
};
