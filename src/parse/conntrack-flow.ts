import type { ConntrackFlow, ConntrackTuple } from '../model/conntrack.ts';
import { type Attempt, emptyRecord, isAddressLike, type TextLine, toCount } from './text-lines.ts';

/**
 * Reads single entries of a table that may hold millions: addresses that were seen before are not kept again, and a flow takes no more memory than what its line says.
 * Returns why where a line is no entry.
 */
export function flowReader(): (line: TextLine) => Attempt<ConntrackFlow> {
  const known = new Map<string, string>();
  /** Addresses only: conntrack never prints names. */
  const address = (text: string): string | undefined => {
    const seen = known.get(text);
    if (seen !== undefined) return seen;
    if (!isAddressLike(text)) return undefined;
    known.set(text, text);
    return text;
  };
  return (line) => {
    const draft = newDraft();
    const why = readLine(draft, line.text, address);
    return why === undefined ? { ok: flowOf(line, draft) } : { why };
  };
}

type Address = (text: string) => string | undefined;

const numbers = ['sport', 'dport', 'packets', 'bytes', 'icmpType', 'icmpCode', 'icmpId', 'zone'] as const;
type TupleDraft = { src: string; dst: string; srckey: string | undefined; dstkey: string | undefined } & Record<
  (typeof numbers)[number],
  number | undefined
>;

interface FlowDraft {
  event: ConntrackFlow['event'] | undefined;
  layer3: number | undefined;
  protocol: string;
  protocolNumber: number;
  timeout: number | undefined;
  state: string | undefined;
  tuples: TupleDraft[];
  unreplied: boolean;
  assured: boolean;
  flags: string[] | undefined;
  mark: number | undefined;
  zone: number | undefined;
  use: number | undefined;
  id: string | undefined;
  other: Record<string, string> | undefined;
}

const newDraft = (): FlowDraft => ({
  event: undefined,
  layer3: undefined,
  protocol: '',
  protocolNumber: 0,
  timeout: undefined,
  state: undefined,
  tuples: [],
  unreplied: false,
  assured: false,
  flags: undefined,
  mark: undefined,
  zone: undefined,
  use: undefined,
  id: undefined,
  other: undefined,
});

const newTuple = (src: string): TupleDraft => ({
  src,
  dst: '',
  sport: undefined,
  dport: undefined,
  packets: undefined,
  bytes: undefined,
  icmpType: undefined,
  icmpCode: undefined,
  icmpId: undefined,
  zone: undefined,
  srckey: undefined,
  dstkey: undefined,
});

/** The usual flows are written out: what is added to an object later takes more memory. */
function flowOf({ line, text }: TextLine, draft: FlowDraft): ConntrackFlow {
  const { protocol, protocolNumber, state, unreplied, assured, event, layer3, timeout, mark, zone, use, id, flags, other } = draft;
  const original = tupleOf(draft.tuples[0]);
  const reply = tupleOf(draft.tuples[1]);
  const isUsual = [event, layer3, zone, id, flags, other].every((member) => member === undefined);
  if (isUsual && timeout !== undefined && mark !== undefined && use !== undefined) {
    return state === undefined
      ? { line, text, protocol, protocolNumber, timeout, original, reply, unreplied, assured, mark, use }
      : { line, text, protocol, protocolNumber, timeout, state, original, reply, unreplied, assured, mark, use };
  }
  const plain = { line, text, protocol, protocolNumber, original, reply, unreplied, assured };
  return Object.assign(plain, defined({ event, layer3, timeout, state, flags, mark, zone, use, id, other }));
}

function tupleOf(draft: TupleDraft | undefined): ConntrackTuple {
  if (draft === undefined) return { src: '', dst: '' };
  const { src, dst, sport, dport, packets, bytes } = draft;
  if (sport !== undefined && dport !== undefined && hasNoOther(draft)) {
    if (packets === undefined && bytes === undefined) return { src, dst, sport, dport };
    if (packets !== undefined && bytes !== undefined) return { src, dst, sport, dport, packets, bytes };
  }
  return { src, dst, ...defined(draft) };
}

const hasNoOther = ({ icmpType, icmpCode, icmpId, zone, srckey, dstkey }: TupleDraft): boolean =>
  icmpType === undefined &&
  icmpCode === undefined &&
  icmpId === undefined &&
  zone === undefined &&
  srckey === undefined &&
  dstkey === undefined;

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const defined = <T extends object>(members: T): Defined<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>;

/** Returns why the line is no entry. */
function readLine(draft: FlowDraft, line: string, address: Address): string | undefined {
  const words = wordsIn(takeTimes(draft, line));
  draft.event = events.find((name) => words[0] === `[${name}]`);
  let at = draft.event === undefined ? 0 : 1;
  if (words[at] === 'ipv4' || words[at] === 'ipv6') {
    draft.layer3 = toCount(words[at + 1]);
    at += 2;
  }
  const protocol = words[at] ?? '';
  const protocolNumber = toCount(words[at + 1]);
  if (!isProtocol(protocol) || protocolNumber === undefined || protocolNumber > 255) return 'no protocol at the beginning';
  draft.protocol = protocols.get(protocol) ?? protocol;
  draft.protocolNumber = protocolNumber;
  at += 2;
  draft.timeout = toCount(words[at]);
  if (draft.timeout !== undefined) at++;
  at += takeGreTimeouts(draft, words, at);
  const state = words[at] ?? '';
  draft.state = states.get(state) ?? (/^[A-Z][A-Z0-9_]*$/.test(state) ? state : undefined);
  if (draft.state !== undefined) at++;
  return readPairs(draft, words, at, address) ?? whyNotTwoTuples(draft.tuples);
}

/** Blanks between words; a tab or NUL where an editor or a broken copy left one. */
function wordsIn(text: string): string[] {
  const words: string[] = [];
  const plain = /[^ -~]/.test(text) ? text.replace(/[\s\0]/g, ' ') : text;
  for (let start = 0; start < plain.length; ) {
    const blank = plain.indexOf(' ', start);
    const end = blank < 0 ? plain.length : blank;
    if (end > start) words.push(plain.slice(start, end));
    start = end + 1;
  }
  return words;
}

/** `[NEW]`, `[UPDATE]` and `[DESTROY]` are right-aligned to nine characters: `    [NEW]`. */
const events = ['NEW', 'UPDATE', 'DESTROY'] as const;

/** The usual words once, instead of once for each line. */
const once = (...words: string[]): Map<string, string> => new Map(words.map((word) => [word, word]));
const protocols = once('tcp', 'udp', 'icmp', 'icmpv6', 'unknown', 'sctp', 'gre', 'dccp', 'udplite');
const isProtocol = (word: string): boolean => protocols.has(word) || /^[a-z][a-z0-9-]*$/.test(word);

/** The usual states (nf_conntrack_proto_tcp.c); others are told by their form. */
const states = once('ESTABLISHED', 'TIME_WAIT', 'SYN_SENT', 'SYN_RECV', 'CLOSE_WAIT', 'FIN_WAIT', 'LAST_ACK', 'CLOSE', 'NONE');

/** `[1700000000.123456]` in front (`-o timestamp`) and `[start=Sat Nov 21 07:03:05 2026]`: the only values with blanks in them. */
function takeTimes(draft: FlowDraft, line: string): string {
  if (!line.includes('[st') && !/^\s*\[[0-9]/.test(line)) return line;
  return line
    .replace(/^\s*\[([0-9]+\.[0-9]+\s*)\]/, (_, time: string) => {
      keep(draft, 'timestamp', time.trim());
      return ' ';
    })
    .replace(/\[(start|stop)=([^\][]{0,60})\]/g, (_, key: string, time: string) => {
      keep(draft, key, time);
      return ' ';
    });
}

function keep(draft: FlowDraft, key: string, value: string): void {
  draft.other ??= emptyRecord<string>();
  draft.other[key] = value;
}

/** /proc/net/nf_conntrack prints `timeout=0, stream_timeout=0` for GRE where a state would stand (gre_print_conntrack() in nf_conntrack_proto_gre.c). */
function takeGreTimeouts(draft: FlowDraft, words: readonly string[], at: number): number {
  const [first = '', second = ''] = draft.protocol === 'gre' ? words.slice(at, at + 2) : [];
  if (!/^timeout=[0-9]+,$/.test(first) || !/^stream_timeout=[0-9]+$/.test(second)) return 0;
  keep(draft, 'timeouts', `${first} ${second}`);
  return 2;
}

/** Flags in brackets and `key=value`; returns why a word is neither. */
function readPairs(draft: FlowDraft, words: readonly string[], start: number, address: Address): string | undefined {
  // Inside a tuple: `id` is the ICMP identifier there, and the id of the entry afterwards.
  let open = false;
  for (let at = start; at < words.length; at++) {
    const word = words[at] ?? '';
    const equals = word.indexOf('=');
    const flag = word.startsWith('[') ? /^\[([A-Z_]+)\]$/.exec(word)?.[1] : undefined;
    if (flag !== undefined) {
      setFlag(draft, flag);
      open = false;
    } else if (equals < 1) return `unknown word "${word}"`;
    else {
      const key = word.slice(0, equals);
      const outcome = setPair(draft, key, word.slice(equals + 1), open, address);
      if (outcome === 'bad') return `unknown value "${word}"`;
      if (outcome === 'unknown') return `unknown word "${word}"`;
      open = outcome === 'tuple';
    }
  }
  return undefined;
}

function setFlag(draft: FlowDraft, flag: string): void {
  if (flag === 'UNREPLIED') draft.unreplied = true;
  else if (flag === 'ASSURED') draft.assured = true;
  else {
    draft.flags ??= [];
    draft.flags.push(flag);
  }
}

type Outcome = 'tuple' | 'flow' | 'bad' | 'unknown';

function setPair(draft: FlowDraft, key: string, value: string, open: boolean, address: Address): Outcome {
  if (key === 'src') {
    draft.tuples.push(newTuple(address(value) ?? ''));
    return 'tuple';
  }
  const tuple = draft.tuples.at(-1);
  return (tuple && setInTuple(tuple, key, value, open, address)) ?? setInFlow(draft, key, value);
}

const tupleNumbers: ReadonlyMap<string, (typeof numbers)[number]> = new Map([
  ['sport', 'sport'],
  ['dport', 'dport'],
  ['packets', 'packets'],
  ['bytes', 'bytes'],
  ['type', 'icmpType'],
  ['code', 'icmpCode'],
  ['zone-orig', 'zone'],
  ['zone-reply', 'zone'],
] as const);

/** Undefined when the key is not one of a tuple. */
function setInTuple(tuple: TupleDraft, key: string, value: string, open: boolean, address: Address): Outcome | undefined {
  if (key === 'dst') {
    if (tuple.dst !== '') return 'bad';
    tuple.dst = address(value) ?? '';
    return 'tuple';
  }
  const name = key === 'id' && open && tuple.icmpType !== undefined && tuple.icmpId === undefined ? 'icmpId' : tupleNumbers.get(key);
  if (name !== undefined) {
    const number = toCount(value);
    if (number === undefined || tuple[name] !== undefined) return 'bad';
    tuple[name] = number;
    return open ? 'tuple' : 'flow';
  }
  if (!open || (key !== 'srckey' && key !== 'dstkey')) return undefined;
  tuple[key] = value;
  return 'tuple';
}

const flowTexts: ReadonlySet<string> = new Set(['secctx', 'helper', 'labels', 'delta-time', 'portid', 'progname', 'secmark', 'l3proto']);

function setInFlow(draft: FlowDraft, key: string, value: string): Outcome {
  if (key === 'mark' || key === 'zone' || key === 'use') {
    const number = toCount(value);
    if (number === undefined || draft[key] !== undefined) return 'unknown';
    draft[key] = number;
  } else if (key === 'id') {
    if (!/^[0-9]+$/.test(value)) return 'unknown';
    draft.id = value;
  } else if (flowTexts.has(key)) keep(draft, key, value);
  else return 'unknown';
  return 'flow';
}

function whyNotTwoTuples(tuples: readonly TupleDraft[]): string | undefined {
  if (tuples.length !== 2) return `${tuples.length} tuples instead of 2`;
  return tuples.every(({ src, dst }) => src !== '' && dst !== '') ? undefined : 'a tuple without addresses';
}
