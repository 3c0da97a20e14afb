import type { ConntrackExpectation, ConntrackFlow, ConntrackTable, ConntrackTuple } from '../model/conntrack.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { parseConntrackXml } from './conntrack-xml.ts';
import { type Attempt, emptyRecord, parseEachLine, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * `conntrack -L` and `-E` (plain, `-o extended`, `id`, `timestamp`, `ktimestamp`, `labels`, `userspace`, `xml`) of conntrack-tools 1.4.3 to 1.4.9, and
 * /proc/net/nf_conntrack of kernels 3.10 to 6.18. Grammar: snprintf_default.c of libnetfilter_conntrack, ct_seq_show() in the kernel's
 * nf_conntrack_standalone.c.
 *
 * The closing line of conntrack ("… 19 flow entries have been shown.") goes to its standard error; where it was recorded with the rest it may stand
 * anywhere, and its count must agree for the result to be complete. Without it, a text whose last line is whole counts as complete: an empty text is an
 * empty table, so keep the exit status beside it.
 */
export const parseConntrack = (text: string): Parsed<ConntrackTable> =>
  /^\s*(<\?xml|<conntrack>|<flow)/.test(text.slice(0, 200)) ? parseConntrackXml(text) : parsePlain(text);

/** `conntrack -C` and /proc/sys/net/netfilter/nf_conntrack_count: one number. */
export const parseConntrackCount = (text: string): Parsed<number | undefined> => {
  const { lines, whole } = readText(text);
  const filled = lines.filter((line) => line.text.trim() !== '');
  const [first, ...rest] = filled;
  const count = toCount(first?.text.trim());
  const strangers = count === undefined ? filled : rest;
  const unparsed = strangers.map((line) => unparsedLine(line, count === undefined ? 'not a number' : 'more than one line'));
  return { value: count, unparsed, complete: whole && count !== undefined && unparsed.length === 0 };
};

/** `conntrack -L expect` (conntrack-tools 1.4.3 to 1.4.9): connections that a helper such as FTP expects. */
export const parseConntrackExpectations = (text: string): Parsed<ConntrackExpectation[]> => parseEachLine(text, parseExpectation);

const parsePlain = (text: string): Parsed<ConntrackTable> => {
  const { lines, whole } = readText(text);
  const flows: ConntrackFlow[] = [];
  const unparsed: UnparsedLine[] = [];
  const announced: number[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? { line: 0, text: '' };
    if (line.text.trim() === '') continue;
    const count = announcedCount(line.text);
    const halved = count === undefined ? halvedLine(line, lines[at + 1]) : undefined;
    const attempt = parseFlowLine(halved?.joined ?? line);
    if (count !== undefined) announced.push(count);
    else if ('why' in attempt) unparsed.push(unparsedLine(line, attempt.why));
    else {
      flows.push(attempt.ok);
      if (halved) {
        announced.push(halved.count);
        attempt.ok.lines = [line.line, line.line + 1];
        at += 1;
      }
    }
  }
  const [count] = announced;
  const agrees = announced.length === 0 || (announced.length === 1 && count === flows.length);
  const value: ConntrackTable = count === undefined ? { flows } : { flows, announced: count };
  return { value, unparsed, complete: whole && agrees && unparsed.length === 0 };
};

/**
 * With `2>&1` into one file, the closing message is written in the middle of a buffered line: `…packets=0 byconntrack v1.4.7 (conntrack-tools): 23 flow
 * entries have been shown.` and `tes=0 …` on the next line. The halves are joined again; the announced count then tells whether all is there.
 */
const halvedLine = (line: TextLine, next: TextLine | undefined): { joined: TextLine; count: number } | undefined => {
  const start = line.text.indexOf('conntrack v', 1);
  const count = start < 0 ? undefined : announcedCount(line.text.slice(start));
  return count === undefined || next === undefined
    ? undefined
    : { joined: { line: line.line, text: line.text.slice(0, start) + next.text }, count };
};

const announcedCount = (text: string): number | undefined =>
  toCount(
    /^conntrack v[0-9.]+ \(conntrack-tools\): ([0-9]+) (?:flow entries|expectations|flow events) have been shown\.\s*$/.exec(text)?.[1],
  );

const parseFlowLine = (line: TextLine): Attempt<ConntrackFlow> => {
  const { text, other } = takeTimes(line.text);
  const words = wordsOf(text);
  const event = takeEvent(words);
  const layer3 = takeLayer3(words);
  const [protocol = '', number, ...rest] = words;
  const protocolNumber = toCount(number);
  if (!/^[a-z][a-z0-9-]*$/.test(protocol) || protocolNumber === undefined || protocolNumber > 255)
    return { why: 'no protocol at the beginning' };
  const flow = newFlow(line, protocol, protocolNumber, other);
  if (event !== undefined) flow.event = event;
  if (layer3 !== undefined) flow.layer3 = layer3;
  const why = readFlowWords(flow, rest);
  return why === undefined ? { ok: flow } : { why };
};

const newTuple = (src = ''): ConntrackTuple => ({ src, dst: '' });

const newFlow = (line: TextLine, protocol: string, protocolNumber: number, other: Record<string, string>): ConntrackFlow => ({
  ...line,
  protocol,
  protocolNumber,
  original: newTuple(),
  reply: newTuple(),
  unreplied: false,
  assured: false,
  flags: [],
  other,
});

/** `[1700000000.123456]` in front (`-o timestamp`) and `[start=Sat Nov 21 07:03:05 2026]`: the only values with blanks in them. */
const takeTimes = (line: string): { text: string; other: Record<string, string> } => {
  const other = emptyRecord<string>();
  if (!line.includes('[start=') && !line.includes('[stop=') && !/^\s*\[[0-9]/.test(line)) return { text: line, other };
  const text = line
    .replace(/^\s*\[([0-9]+\.[0-9]+\s*)\]/, (_, time: string) => {
      other.timestamp = time.trim();
      return ' ';
    })
    .replace(/\[(start|stop)=([^\][]{0,60})\]/g, (_, key: string, time: string) => {
      other[key] = time;
      return ' ';
    });
  return { text, other };
};

const events = ['NEW', 'UPDATE', 'DESTROY'] as const;

/** `[NEW]`, `[UPDATE]` and `[DESTROY]` are right-aligned to nine characters: `    [NEW]`. */
const takeEvent = (words: string[]): (typeof events)[number] | undefined => {
  const event = events.find((name) => words[0] === `[${name}]`);
  if (event !== undefined) words.shift();
  return event;
};

const takeLayer3 = (words: string[]): number | undefined => {
  if (words[0] !== 'ipv4' && words[0] !== 'ipv6') return undefined;
  words.shift();
  return toCount(words.shift());
};

/** Reads what follows the protocol; returns why it can't. */
const readFlowWords = (flow: ConntrackFlow, words: string[]): string | undefined => {
  if (toCount(words[0]) !== undefined) flow.timeout = Number(words.shift());
  takeGreTimeouts(flow, words);
  if (/^[A-Z][A-Z0-9_]*$/.test(words[0] ?? '')) flow.state = words.shift() ?? '';
  const tuples: ConntrackTuple[] = [];
  let open = false;
  for (const word of words) {
    const flag = word.startsWith('[') ? /^\[([A-Z_]+)\]$/.exec(word)?.[1] : undefined;
    const equals = word.indexOf('=');
    const key = word.slice(0, equals);
    const value = word.slice(equals + 1);
    if (flag !== undefined) {
      setFlag(flow, flag);
      open = false;
    } else if (equals < 1) return `unknown word "${word}"`;
    else if (key === 'src') {
      tuples.push(newTuple(value));
      open = true;
    } else {
      const tuple = tuples[tuples.length - 1];
      const inTuple = tuple !== undefined && setTupleKey(tuple, key, value, open);
      if (inTuple === 'bad') return `unknown value "${word}"`;
      if (inTuple === 'no' || inTuple === false) {
        open = false;
        if (!setFlowKey(flow, key, value)) return `unknown word "${word}"`;
      }
    }
  }
  const [original, reply, ...more] = tuples;
  if (original === undefined || reply === undefined || more.length > 0) return `${tuples.length} tuples instead of 2`;
  if (![original, reply].every(isWholeTuple)) return 'a tuple without addresses';
  flow.original = original;
  flow.reply = reply;
  return undefined;
};

/** /proc/net/nf_conntrack prints `timeout=0, stream_timeout=0` for GRE where a state would stand (gre_print_conntrack() in nf_conntrack_proto_gre.c). */
const takeGreTimeouts = (flow: ConntrackFlow, words: string[]): void => {
  if (flow.protocol !== 'gre' || !/^timeout=[0-9]+,$/.test(words[0] ?? '') || !/^stream_timeout=[0-9]+$/.test(words[1] ?? '')) return;
  flow.other.timeouts = words.splice(0, 2).join(' ');
};

const setFlag = (flow: ConntrackFlow, flag: string): void => {
  if (flag === 'UNREPLIED') flow.unreplied = true;
  else if (flag === 'ASSURED') flow.assured = true;
  else flow.flags.push(flag);
};

/** Addresses only: conntrack never prints names. A cheap test, since tables hold a hundred thousand lines. */
const isAddressLike = (text: string): boolean =>
  text.includes(':') ? /^[0-9a-fA-F:.]+$/.test(text) : /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(text);

const isWholeTuple = (tuple: ConntrackTuple): boolean => isAddressLike(tuple.src) && isAddressLike(tuple.dst);

type TupleNumber = 'sport' | 'dport' | 'icmpType' | 'icmpCode' | 'icmpId' | 'packets' | 'bytes' | 'zone';

const tupleNumbers: ReadonlyMap<string, TupleNumber> = new Map([
  ['sport', 'sport'],
  ['dport', 'dport'],
  ['type', 'icmpType'],
  ['code', 'icmpCode'],
  ['packets', 'packets'],
  ['bytes', 'bytes'],
  ['zone-orig', 'zone'],
  ['zone-reply', 'zone'],
] as const);

/** `no` when the key is not one of a tuple, `bad` when its value has an unknown form. */
const setTupleKey = (tuple: ConntrackTuple, key: string, value: string, open: boolean): 'yes' | 'no' | 'bad' => {
  if (key === 'dst') {
    if (tuple.dst !== '') return 'bad';
    tuple.dst = value;
    return 'yes';
  }
  // `id` is the ICMP identifier while the tuple is open, and the id of the entry afterwards
  const name = key === 'id' && open && tuple.icmpType !== undefined && tuple.icmpId === undefined ? 'icmpId' : tupleNumbers.get(key);
  if (name !== undefined) {
    const number = toCount(value);
    if (number === undefined || tuple[name] !== undefined) return 'bad';
    tuple[name] = number;
    return 'yes';
  }
  if (open && (key === 'srckey' || key === 'dstkey')) {
    tuple[key] = value;
    return 'yes';
  }
  return 'no';
};

const flowTexts: ReadonlySet<string> = new Set([
  'secctx',
  'helper',
  'labels',
  'delta-time',
  'portid',
  'progname',
  'secmark',
  'l3proto',
  'portid',
]);

const setFlowKey = (flow: ConntrackFlow, key: string, value: string): boolean => {
  if (key === 'mark' || key === 'zone' || key === 'use') {
    const number = toCount(value);
    if (number === undefined || flow[key] !== undefined) return false;
    flow[key] = number;
    return true;
  }
  if (key === 'id') {
    flow.id = value;
    return /^[0-9]+$/.test(value);
  }
  if (!flowTexts.has(key)) return false;
  flow.other[key] = value;
  return true;
};

const parseExpectation = (line: TextLine): Attempt<ConntrackExpectation> => {
  const words = wordsOf(line.text);
  const pairs = words
    .filter((word) => word.includes('='))
    .map((word): [string, string] => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]);
  const rest = words.filter((word) => !word.includes('='));
  const first = (key: string): string | undefined => pairs.find(([name]) => name === key)?.[1];
  const protocolNumber = toCount(first('proto'));
  const src = first('src') ?? '';
  const dst = first('dst') ?? '';
  if (protocolNumber === undefined || !isAddressLike(src) || !isAddressLike(dst)) return { why: 'no expectation' };
  const expectation: ConntrackExpectation = { ...line, protocolNumber, src, dst, other: emptyRecord() };
  const timeout = toCount(rest[0]);
  if (rest.some((word, index) => !(index === 0 && timeout !== undefined) && !/^[A-Z_,]+$/.test(word))) return { why: 'unknown word' };
  if (timeout !== undefined) expectation.timeout = timeout;
  setExpectationKeys(expectation, pairs);
  return { ok: expectation };
};

/** Ports stand three times: of the expected connection, of its mask, of the master connection. The first are the expected ones; all are kept. */
const setExpectationKeys = (expectation: ConntrackExpectation, pairs: [string, string][]): void => {
  const seen = new Map<string, number>();
  for (const [key, value] of pairs) {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    const port = toCount(value);
    if (count === 1 && (key === 'sport' || key === 'dport') && port !== undefined) expectation[key] = port;
    else if (key === 'master-src') expectation.masterSrc = value;
    else if (key === 'master-dst') expectation.masterDst = value;
    else if (key === 'helper') expectation.helper = value;
    else if (key !== 'src' && key !== 'dst' && key !== 'proto') expectation.other[count === 1 ? key : `${key}#${count}`] = value;
  }
};
