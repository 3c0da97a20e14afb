import { z } from 'zod';
import type { BridgePort } from '../model/link.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { splitFlags } from './link-lines.ts';
import { type Attempt, emptyRecord, readText, type TextLine, unparsedLine, wordsOf } from './text-lines.ts';
import { countField, type KeywordTable, readKeywords, textField, textRecord, Words } from './word-table.ts';

/**
 * `bridge link` (also `-d`, `-s`, `-j`: there `line` is the number of the item), iproute2 3.10 to 6.15. Grammar: print_linkinfo() in
 * bridge/link.c. The name behind `@` is looked up in the wrong namespace for a veth (`p2@p1`), so it is not kept. A bridge without ports prints nothing.
 */
export const parseBridgeLink = (text: string): Parsed<BridgePort[]> =>
  looksLikeJson(text) ? parseJsonItems(text, portSchema, portFromJson) : parsePortText(text);

const parsePortText = (text: string): Parsed<BridgePort[]> => {
  const { lines, whole } = readText(text);
  const value: BridgePort[] = [];
  const unparsed: UnparsedLine[] = [];
  let open: BridgePort | undefined;
  // `-o` puts a backslash where the newline would be
  for (const line of lines.flatMap(({ line, text: content }) => content.split('\\').map((part) => ({ line, text: part })))) {
    if (line.text.trim() === '') continue;
    if (/^\s/.test(line.text)) {
      const why = open === undefined ? 'continues a line that is not a port' : readOptions(open, line);
      if (why !== undefined) unparsed.push(unparsedLine(line, why));
      continue;
    }
    const attempt = parsePortLine(line);
    open = 'ok' in attempt ? attempt.ok : undefined;
    if ('ok' in attempt) value.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 };
};

/** `10: p1@br0: <FLAGS> mtu …`; iproute2 3.x: `10: p1 state UP @(null): <FLAGS> mtu …`. */
const parsePortLine = (line: TextLine): Attempt<BridgePort> => {
  const match = /^([0-9]{1,10}): ([^\s@:]+)(?: state \S+)? ?(?:@[^\s:]+)?: <([^<>\s]*)>(.*)$/.exec(line.text);
  if (match === null) return { why: 'not the first line of a port' };
  const [, index, name = '', flags = '', rest = ''] = match;
  const port: BridgePort = { ...line, index: Number(index), name, flags: splitFlags(flags), options: emptyRecord() };
  return readKeywords(new Words(wordsOf(rest)), portWords, port);
};

/** Pairs of `-d`: `hairpin on guard off …`. */
const readOptions = (port: BridgePort, line: TextLine): string | undefined => {
  const words = wordsOf(line.text);
  if (words.length % 2 !== 0 || !words.every((word) => /^[A-Za-z0-9_.:/-]+$/.test(word))) return 'details are no pairs of name and value';
  for (let at = 0; at < words.length; at += 2) port.options[words[at] ?? ''] = words[at + 1] ?? '';
  port.text += `\n${line.text}`;
  return undefined;
};

const portWords: KeywordTable<BridgePort> = new Map([
  ['mtu', countField<BridgePort>('mtu')],
  ['master', textField<BridgePort>('master')],
  ['state', textField<BridgePort>('state')],
  ['priority', countField<BridgePort>('priority')],
  ['cost', countField<BridgePort>('cost')],
  [
    'hwmode',
    (draft: BridgePort, words: Words) => {
      draft.options.hwmode = words.next() ?? '';
      return true;
    },
  ],
]);

const portSchema = z.looseObject({
  ifindex: z.number(),
  ifname: z.string(),
  link: z.string().nullable().optional(),
  flags: z.array(z.string()).default([]),
  mtu: z.number().optional(),
  master: z.string().optional(),
  state: z.string().optional(),
  priority: z.number().optional(),
  cost: z.number().optional(),
});

const knownKeys: ReadonlySet<string> = new Set(Object.keys(portSchema.shape));

const portFromJson = (item: z.output<typeof portSchema>, line: number): BridgePort => {
  const onOff = Object.fromEntries(
    Object.entries(item).map(([key, value]) => [key, typeof value === 'boolean' ? (value ? 'on' : 'off') : value]),
  );
  const port: BridgePort = {
    line,
    text: '',
    index: item.ifindex,
    name: item.ifname,
    flags: item.flags,
    options: textRecord(onOff, knownKeys),
  };
  if (item.mtu !== undefined) port.mtu = item.mtu;
  if (item.master !== undefined) port.master = item.master;
  if (item.state !== undefined) port.state = item.state;
  if (item.priority !== undefined) port.priority = item.priority;
  if (item.cost !== undefined) port.cost = item.cost;
  const words = (['mtu', 'master', 'state', 'priority', 'cost'] as const).map((key) =>
    port[key] === undefined ? undefined : `${key} ${port[key]}`,
  );
  const options = Object.entries(port.options).map(([key, value]) => `${key} ${value}`);
  port.text = [`${port.index}: ${port.name}: <${port.flags.join(',')}>`, ...words, ...options]
    .filter((word) => word !== undefined)
    .join(' ');
  return port;
};
