import type { Action, Match, Rule, Statement } from '../../model/netfilter.ts';
import { addressMatch, interfaceMatch, protocolMatch } from './generic.ts';
import { readTail } from './listed-tail.ts';
import { targetAction } from './targets.ts';

interface Columns {
  number?: number;
  counters?: { packets: number; bytes: number };
  target: string;
  protocol: string;
  fragment?: boolean;
  in?: string;
  out?: string;
  source: string;
  destination: string;
  tail: string;
}

/** One rule of `iptables -L`; `headings` are the words of the chain's second line. Undefined when the columns can't be told apart. */
export function listedRule(text: string, line: number, headings: readonly string[], chains: ReadonlySet<string>): Rule | undefined {
  const columns = splitColumns(text, headings);
  if (columns === undefined) return undefined;
  const tail = readTail(columns.tail, columns.target);
  const statements: Statement[] = [...genericMatches(columns), ...tail.matches, ...actionOf(columns, tail.action, tail.isGoto, chains)];
  return {
    line,
    text: text.trim(),
    ...(columns.number === undefined ? {} : { handle: columns.number }),
    ...(columns.counters === undefined ? {} : { counters: columns.counters }),
    ...(tail.comment === undefined ? {} : { comment: tail.comment }),
    statements,
  };
}

const address = /^!?(?:[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*(?:\/[0-9a-fA-F.:]+)?|anywhere)$/;

/**
 * Long names push the columns, a rule without a target leaves its column empty, and older ip6tables leaves `opt` empty: the line is
 * taken apart from the first address on, to both sides.
 */
function splitColumns(text: string, headings: readonly string[]): Columns | undefined {
  const words = text.trim().split(/\s+/);
  const source = sourceIndex(words, headings);
  const destination = words[source + 1];
  if (source < 0 || destination === undefined) return undefined;
  const before = words.slice(0, source);
  const number = headings.includes('num') ? Number(before.shift()) : undefined;
  const packets = headings.includes('pkts') ? before.shift() : undefined;
  const bytes = headings.includes('pkts') ? before.shift() : undefined;
  const devices = headings.includes('in') ? before.splice(-2) : undefined;
  const option = /^(--|-f|!f|!-f)$/.test(before.at(-1) ?? '') ? before.pop() : undefined;
  const protocol = before.pop()?.replace(/--$/, '');
  if (protocol === undefined || before.length > 1 || (number !== undefined && Number.isNaN(number)) || devices?.length === 1)
    return undefined;
  const isExact = /^\d+$/.test(packets ?? '') && /^\d+$/.test(bytes ?? '');
  return {
    ...(number === undefined ? {} : { number }),
    ...(isExact ? { counters: { packets: Number(packets), bytes: Number(bytes) } } : {}),
    target: before[0] ?? '',
    protocol,
    ...(option === undefined || option === '--' ? {} : { fragment: option === '-f' }),
    ...(devices === undefined ? {} : { in: devices[0] ?? '', out: devices[1] ?? '' }),
    source: words[source] ?? '',
    destination,
    tail: tailOf(text, words, source + 2),
  };
}

/**
 * Where the source stands: behind the option column, whatever is in it (a host's name, `!loopback/8`); where that column is empty (ip6tables up to 1.8.8) or has grown
 * together with the protocol (`ipencap--`), it is the first word that reads like an address.
 */
function sourceIndex(words: readonly string[], headings: readonly string[]): number {
  const before = (headings.includes('num') ? 1 : 0) + (headings.includes('pkts') ? 2 : 0);
  const option = words.findIndex((word, index) => index > before && index <= before + 2 && /^(--|-f|!f|!-f)$/.test(word));
  const source = option + 1 + (headings.includes('in') ? 2 : 0);
  const isName = option > 0 && /^!?\w[\w.:/-]*$/.test(words[source] ?? '') && /^!?\w[\w.:/-]*$/.test(words[source + 1] ?? '');
  return isName ? source : words.findIndex((word, index) => index > 0 && address.test(word));
}

/** The rest of the line as it stands, because comments may hold several blanks. */
function tailOf(text: string, words: readonly string[], count: number): string {
  let position = 0;
  for (const word of words.slice(0, count)) position = text.indexOf(word, position) + word.length;
  return text.slice(position).trim();
}

function genericMatches(columns: Columns): Match[] {
  const matches: Match[] = [];
  addAddress(matches, 'source', columns.source);
  addAddress(matches, 'destination', columns.destination);
  const protocol = columns.protocol.startsWith('!')
    ? protocolMatch(columns.protocol.slice(1), true)
    : protocolMatch(columns.protocol, false);
  if (protocol !== undefined) matches.push(protocol);
  if (columns.fragment !== undefined) matches.push({ role: 'match', kind: 'fragment', negated: !columns.fragment });
  if (columns.in === undefined) {
    matches.push({ role: 'match', kind: 'opaque', text: '(interfaces)', why: 'iptables -L without -v does not show the interfaces' });
  } else {
    addInterface(matches, 'in', columns.in);
    addInterface(matches, 'out', columns.out ?? '*');
  }
  return matches;
}

function addAddress(matches: Match[], end: 'source' | 'destination', text: string): void {
  const negated = text.startsWith('!');
  const plain = negated ? text.slice(1) : text;
  if (!negated && ['0.0.0.0/0', '::/0', 'anywhere'].includes(plain)) return;
  matches.push(addressMatch(end, plain, negated));
}

function addInterface(matches: Match[], direction: 'in' | 'out', text: string): void {
  const negated = text.startsWith('!');
  const plain = negated ? text.slice(1) : text;
  if (plain !== '*' && plain !== 'any') matches.push(interfaceMatch(direction, plain, negated));
}

function actionOf(columns: Columns, told: Action | undefined, isGoto: boolean, chains: ReadonlySet<string>): Action[] {
  if (columns.target === '') return [];
  if (told !== undefined) return [told];
  return [targetAction(columns.target, isGoto, [], chains, columns.source.includes(':') ? 'ip6' : 'ip')];
}
