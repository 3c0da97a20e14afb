import type { Expression, SetReference } from '../../model/netfilter.ts';
import { anonymousElements } from './elements.ts';
import type { NftReader } from './tokens.ts';
import { constantExpression } from './values.ts';

/** Protocol headers whose fields are two words: `ip saddr`, `tcp dport`. */
const headers = new Set([
  'ip',
  'ip6',
  'tcp',
  'udp',
  'udplite',
  'sctp',
  'dccp',
  'th',
  'icmp',
  'icmpv6',
  'igmp',
  'ether',
  'vlan',
  'arp',
  'ah',
  'esp',
  'comp',
  'dst',
  'hbh',
  'frag',
  'mh',
  'rt',
  'exthdr',
  'socket',
  'osf',
  'gre',
  'gretap',
  'geneve',
  'vxlan',
  'tunnel',
]);

/** Keys of `meta` that nft prints without the word meta. */
const bareMeta = new Set([
  'iif',
  'iifname',
  'iiftype',
  'oif',
  'oifname',
  'oiftype',
  'mark',
  'iifgroup',
  'oifgroup',
  'skuid',
  'skgid',
  'nftrace',
  'rtclassid',
  'cpu',
  'pkttype',
  'ibrname',
  'obrname',
  'ibriport',
  'obriport',
  'cgroup',
  'length',
  'protocol',
  'priority',
  'l4proto',
  'nfproto',
]);

export const operators = new Map<string, '&' | '|' | '^' | '<<' | '>>'>(
  Object.entries({
    '&': '&',
    and: '&',
    '|': '|',
    or: '|',
    '^': '^',
    xor: '^',
    '<<': '<<',
    '>>': '>>',
  }),
);

/** Whether an expression of the left side can begin here. */
export function startsExpression(reader: NftReader): boolean {
  const token = reader.peek();
  if (token === undefined || token.quoted) return false;
  return (
    headers.has(token.text) ||
    bareMeta.has(token.text) ||
    ['meta', 'ct', 'fib', 'numgen', 'jhash', 'symhash', 'ipsec', '('].includes(token.text) ||
    token.text.startsWith('@')
  );
}

/** `ip saddr . meta l4proto . th dport`, `meta mark & 0x4000`, `numgen random mod 2`: what is compared, looked up or assigned. */
export function readExpression(reader: NftReader): Expression {
  const first = readOperand(reader);
  if (reader.peek()?.text !== '.') return first;
  const parts = [first];
  while (reader.take('.')) parts.push(readOperand(reader));
  return { type: 'concat', parts };
}

function readOperand(reader: NftReader): Expression {
  let left = readPrimary(reader);
  for (;;) {
    const token = reader.peek();
    const operator = token === undefined || token.quoted ? undefined : operators.get(token.text);
    if (operator === undefined) return left;
    reader.next();
    left = { type: 'binary', operator, left, right: readPrimary(reader) };
  }
}

function readPrimary(reader: NftReader): Expression {
  const token = reader.next();
  if (token === undefined) return { type: 'opaque', text: '' };
  if (token.quoted) return constantExpression(token);
  if (token.text === '(') return readParenthesis(reader);
  if (token.text === 'meta') return { type: 'field', name: `meta ${reader.next()?.text ?? ''}` };
  if (token.text === 'ct') return readConntrack(reader);
  if (token.text === 'fib') return readFib(reader);
  if (token.text === 'numgen') return readNumgen(reader);
  if (token.text === 'jhash' || token.text === 'symhash') return readHash(reader, token.text);
  if (bareMeta.has(token.text)) return { type: 'field', name: `meta ${token.text}` };
  if (token.text === 'ipsec') return readIpsec(reader);
  if (headers.has(token.text)) return readHeader(reader, token.text);
  // `@th,16,16`: so many bits of a header.
  if (token.text.startsWith('@')) return { type: 'field', name: token.text };
  return constantExpression(token);
}

function readParenthesis(reader: NftReader): Expression {
  const inner = asFlags(readOperand(reader));
  return reader.take(')') ? inner : { type: 'opaque', text: reader.rest() };
}

/** `fin | syn | rst` of constants is a list of flags, which newer versions write with commas. */
export function asFlags(expression: Expression): Expression {
  const parts = flagParts(expression);
  return parts === undefined || parts.length < 2 ? expression : { type: 'list', parts };
}

function flagParts(expression: Expression): Expression[] | undefined {
  if (expression.type === 'value') return [expression];
  if (expression.type !== 'binary' || expression.operator !== '|') return undefined;
  const [left, right] = [flagParts(expression.left), flagParts(expression.right)];
  return left && right && [...left, ...right];
}

/** Some fields have more words: `tcp option maxseg size`, `rt ip nexthop`, `socket cgroupv2 level 2`. */
function readHeader(reader: NftReader, header: string): Expression {
  const words = [header, reader.next()?.text ?? ''];
  if (words[1] === 'option' || words[1] === 'chunk') {
    words.push(reader.next()?.text ?? '');
    if (!['exists', 'missing', '!=', '=='].includes(reader.peek()?.text ?? '')) words.push(reader.next()?.text ?? '');
  }
  if (header === 'rt' && (words[1] === 'ip' || words[1] === 'ip6')) words.push(reader.next()?.text ?? '');
  if (words[1] === 'cgroupv2' && reader.take('level')) words.push('level', reader.next()?.text ?? '');
  if (header === 'arp' && (words[1] === 'saddr' || words[1] === 'daddr')) words.push(reader.next()?.text ?? '');
  return { type: 'field', name: words.join(' ') };
}

/** `ipsec in reqid`, `ipsec out spnum 1 ip saddr` */
function readIpsec(reader: NftReader): Expression {
  const words = ['ipsec', reader.next()?.text ?? ''];
  if (reader.take('spnum')) words.push('spnum', reader.next()?.text ?? '');
  words.push(reader.next()?.text ?? '');
  if (words.at(-1) === 'ip' || words.at(-1) === 'ip6') words.push(reader.next()?.text ?? '');
  return { type: 'field', name: words.join(' ') };
}

function readConntrack(reader: NftReader): Expression {
  const words = ['ct'];
  const direction = reader.take('original', 'reply');
  if (direction !== undefined) words.push(direction);
  words.push(reader.next()?.text ?? '');
  if (['ip', 'ip6'].includes(words.at(-1) ?? '')) words.push(reader.next()?.text ?? '');
  return { type: 'field', name: words.join(' ') };
}

function readFib(reader: NftReader): Expression {
  const words = ['fib'];
  for (;;) {
    const token = reader.next();
    if (token === undefined) return { type: 'opaque', text: words.join(' ') };
    words.push(token.text);
    const isFlag = words.at(-2) === '.' || words.length === 2;
    if (!isFlag && token.text !== '.') return { type: 'field', name: words.join(' ') };
  }
}

function readNumgen(reader: NftReader): Expression {
  const mode = reader.take('random', 'inc');
  const modulus = readNamed(reader, 'mod');
  if ((mode !== 'random' && mode !== 'inc') || modulus === undefined) return { type: 'opaque', text: `numgen ${reader.rest()}` };
  return { type: 'numgen', mode, modulus, offset: readNamed(reader, 'offset') ?? 0 };
}

function readHash(reader: NftReader, algorithm: 'jhash' | 'symhash'): Expression {
  const of = algorithm === 'jhash' ? { of: readExpression(reader) } : {};
  const modulus = readNamed(reader, 'mod');
  const seed = readNamed(reader, 'seed');
  if (modulus === undefined) return { type: 'opaque', text: `${algorithm} ${reader.rest()}` };
  const offset = readNamed(reader, 'offset') ?? 0;
  return { type: 'hash', algorithm, ...of, modulus, offset, ...(seed === undefined ? {} : { seed }) };
}

function readNamed(reader: NftReader, name: string): number | undefined {
  if (reader.take(name) === undefined) return undefined;
  const value = Number(reader.next()?.text ?? 'none');
  return Number.isNaN(value) ? undefined : value;
}

/** `@name` or `{ … }`; undefined when neither stands here. */
export function readSet(reader: NftReader): SetReference | undefined {
  const token = reader.peek();
  if (token === undefined || token.quoted) return undefined;
  if (token.text === '{') return { type: 'anonymous', elements: anonymousElements(reader) };
  if (!/^@[^,]+$/.test(token.text)) return undefined;
  reader.next();
  return { type: 'named', name: token.text.slice(1) };
}

/** An expression that may be looked up in a map: `ip saddr map @marks`. */
export function readMapped(reader: NftReader): Expression {
  const key = readExpression(reader);
  if (!reader.take('map')) return key;
  const map = readSet(reader);
  return map === undefined ? { type: 'opaque', text: reader.rest() } : { type: 'map', key, map };
}

/** The name of a counter, quota, limit or helper, or a map that gives it. */
export function takeObjectName(reader: NftReader): void {
  if (startsExpression(reader)) readMapped(reader);
  else reader.next();
}
