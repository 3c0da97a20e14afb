import { z } from 'zod';
import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

export interface TcQdisc extends HasLine {
  text: string;
  /** noqueue, fq_codel, netem, clsact… */
  kind: string;
  handle: string;
  dev?: string;
  /** `root`, `ingress`, or the parent class. */
  parent: string;
  /** Options as printed, such as `limit 1000 delay 5ms loss 10%`. */
  options: string;
  counters?: TcCounters;
}

export interface TcCounters {
  bytes: number;
  packets: number;
  /** What the discipline dropped: not counted by `ip -s link`. */
  dropped: number;
  overlimits: number;
  requeues: number;
}

export interface TcFilter extends HasLine {
  /** Heading and all indented lines. */
  text: string;
  /** bpf, flower, u32, matchall… */
  kind: string;
  dev?: string;
  /** `ingress`, `egress`, or the parent class; undefined where tc leaves it out. */
  attach?: string;
  protocol?: string;
  preference?: number;
  /** Words behind the kind, as printed: `chain 0 handle 0x1 cil_from_netdev-eth0.o:[from-netdev] direct-action …`. */
  options: string;
  /** Kinds of its actions in order: gact, mirred, nat, bpf… */
  actions: string[];
}

/**
 * `tc qdisc [show]`, `tc -s qdisc` and `tc -j qdisc` (there `line` is the number of the item), iproute2 3.10 to 6.15. Grammar: print_qdisc() in
 * tc/tc_qdisc.c. Options and the statistics of a discipline of its own are kept as printed.
 */
export const parseTcQdisc = (text: string): Parsed<TcQdisc[]> =>
  looksLikeJson(text) ? parseJsonItems(text, qdiscSchema, qdiscFromJson) : parseBlocks(text, parseQdiscLine, readCountersLine);

/** `tc [-s] filter show dev X [ingress|egress]`, iproute2 3.10 to 6.15 (print_filter() in tc/tc_filter.c). Text only. An empty text means no filter. */
export const parseTcFilter = (text: string): Parsed<TcFilter[]> => parseBlocks(text, parseFilterLine, readActionLine);

const parseBlocks = <T extends { text: string }>(
  text: string,
  parseHead: (line: TextLine) => Attempt<T>,
  readIndented: (item: T, line: TextLine) => string | undefined,
): Parsed<T[]> => {
  const { lines, whole } = readText(text);
  const value: T[] = [];
  const unparsed: UnparsedLine[] = [];
  let open: T | undefined;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    if (/^\s/.test(line.text)) {
      const why = open === undefined ? 'continues nothing' : readIndented(open, line);
      if (open !== undefined && why === undefined) open.text += `\n${line.text}`;
      if (why !== undefined) unparsed.push(unparsedLine(line, why));
      continue;
    }
    const attempt = parseHead(line);
    open = 'ok' in attempt ? attempt.ok : undefined;
    if ('ok' in attempt) value.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 };
};

/** `qdisc netem 8001: dev eth0 root refcnt 2 limit 1000 delay 5ms`. */
const parseQdiscLine = (line: TextLine): Attempt<TcQdisc> => {
  const [word, kind = '', handle = '', ...rest] = wordsOf(line.text);
  if (word !== 'qdisc' || !/^[0-9a-f]{1,4}:$/.test(handle)) return { why: 'not a queueing discipline' };
  const deleted = rest[0] === '[Unknown' ? undefined : rest;
  if (deleted === undefined) return { why: 'not a queueing discipline' };
  const dev = rest[0] === 'dev' ? rest.splice(0, 2)[1] : undefined;
  const parent = rest[0] === 'parent' ? rest.splice(0, 2)[1] : rest.shift();
  if (parent === undefined || (parent !== 'root' && parent !== 'ingress' && !/^[0-9a-f]*:[0-9a-f]*$/.test(parent)))
    return { why: 'no parent' };
  const qdisc: TcQdisc = { ...line, kind, handle, parent, options: rest.join(' ') };
  if (dev !== undefined) qdisc.dev = dev;
  return { ok: qdisc };
};

/** ` Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0)`; other indented lines are kept as text. */
const readCountersLine = (qdisc: TcQdisc, line: TextLine): string | undefined => {
  const match = /^\s+Sent ([0-9]+) bytes ([0-9]+) pkts? \(dropped ([0-9]+), overlimits ([0-9]+) requeues ([0-9]+)\)\s*$/.exec(line.text);
  if (match === null) return /^\s+Sent /.test(line.text) ? 'counters of an unknown form' : undefined;
  const [bytes, packets, dropped, overlimits, requeues] = match.slice(1).map(toCount);
  if (bytes === undefined || packets === undefined || dropped === undefined || overlimits === undefined || requeues === undefined)
    return 'a counter is larger than 2^53';
  qdisc.counters = { bytes, packets, dropped, overlimits, requeues };
  return undefined;
};

const filterKinds: ReadonlySet<string> = new Set([
  'basic',
  'bpf',
  'cgroup',
  'flow',
  'flower',
  'fw',
  'matchall',
  'route',
  'rsvp',
  'tcindex',
  'u32',
]);

/** `filter dev eth0 ingress protocol all pref 1 bpf chain 0 …`; `filter parent ffff: …`; `filter protocol all …`. */
const parseFilterLine = (line: TextLine): Attempt<TcFilter> => {
  const words = wordsOf(line.text);
  if (words.shift() !== 'filter') return { why: 'not a filter' };
  const filter: TcFilter = { ...line, kind: '', options: '', actions: [] };
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === 'dev') filter.dev = words.shift() ?? '';
    else if (word === 'parent') filter.attach = words.shift() ?? '';
    else if (word === 'ingress' || word === 'egress' || word === 'root') filter.attach = word;
    else if (word === 'block') filter.attach = `block ${words.shift() ?? ''}`;
    else if (word === 'protocol') filter.protocol = words.shift() ?? '';
    else if (word === 'pref') {
      const preference = toCount(words.shift());
      if (preference === undefined) return { why: 'pref is no number' };
      filter.preference = preference;
    } else if (filterKinds.has(word)) {
      filter.kind = word;
      filter.options = words.splice(0).join(' ');
    } else return { why: `unknown word "${word}"` };
  }
  return filter.kind === '' ? { why: 'no kind' } : { ok: filter };
};

/** `\taction order 1: gact action drop`; matches and statistics are kept as text. */
const readActionLine = (filter: TcFilter, line: TextLine): undefined => {
  const action = /^\s+action order [0-9]+: +([a-z0-9_]+)/.exec(line.text)?.[1];
  if (action !== undefined) filter.actions.push(action);
};

const qdiscSchema = z.looseObject({
  kind: z.string(),
  handle: z.string(),
  dev: z.string().optional(),
  root: z.boolean().optional(),
  ingress: z.boolean().optional(),
  parent: z.string().optional(),
  options: z.record(z.string(), z.unknown()).default({}),
  bytes: z.number().optional(),
  packets: z.number().optional(),
  drops: z.number().optional(),
  overlimits: z.number().optional(),
  requeues: z.number().optional(),
});

const qdiscFromJson = (item: z.output<typeof qdiscSchema>, line: number): TcQdisc | undefined => {
  const parent = item.root === true ? 'root' : item.ingress === true ? 'ingress' : item.parent;
  if (parent === undefined) return undefined;
  const options = Object.entries(item.options).map(([key, value]) => `${key} ${typeof value === 'object' ? '…' : String(value)}`);
  const text = [`qdisc ${item.kind} ${item.handle}`, `dev ${item.dev ?? '?'}`, parent, ...options].join(' ');
  const qdisc: TcQdisc = { line, text, kind: item.kind, handle: item.handle, parent, options: options.join(' ') };
  if (item.dev !== undefined) qdisc.dev = item.dev;
  const { bytes, packets, drops, overlimits, requeues } = item;
  if (bytes !== undefined && packets !== undefined && drops !== undefined && overlimits !== undefined && requeues !== undefined)
    qdisc.counters = { bytes, packets, dropped: drops, overlimits, requeues };
  return qdisc;
};
