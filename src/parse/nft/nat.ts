import type { Action, Expression, NatTarget, NumberRange, Statement } from '../../model/netfilter.ts';
import { fixedTarget, portRange } from '../nat-target.ts';
import { readMapped, startsExpression } from './expressions.ts';
import type { NftReader } from './tokens.ts';
import { constantExpression } from './values.ts';

/** `dnat [ip] to …`, `snat …`, `masquerade [to :1024-65535] [random]`, `redirect [to :8080]`; undefined when another statement stands here. */
export function readNat(reader: NftReader): Statement | undefined {
  const start = reader.position();
  const word = reader.take('dnat', 'snat', 'masquerade', 'redirect');
  if (word === undefined) return undefined;
  if (word === 'masquerade' || word === 'redirect') return readPorts(reader, word, start);
  return readTarget(reader, word === 'dnat' ? 'dnat' : 'snat', start);
}

const opaque = (reader: NftReader, start: number, why: string): Action => ({
  role: 'action',
  kind: 'opaqueAction',
  text: reader.since(start),
  why,
});

function readTarget(reader: NftReader, kind: 'dnat' | 'snat', start: number): Action {
  const family = reader.take('ip', 'ip6');
  let isPrefix = false;
  for (let word = takeShape(reader); word !== undefined; word = takeShape(reader)) isPrefix ||= word === 'prefix';
  if (!reader.take('to')) return opaque(reader, start, 'a translation without a target');
  const to = startsExpression(reader) ? readExpressionTarget(reader) : readFixed(reader);
  const flags = readFlags(reader);
  if (isPrefix || to === undefined) return opaque(reader, start, isPrefix ? 'a translation of prefixes' : 'the target is not understood');
  return { role: 'action', kind, to, flags, ...(family === 'ip' || family === 'ip6' ? { family } : {}) };
}

/** Words that say what a map gives; what it gives says it too. */
const takeShape = (reader: NftReader): string | undefined => reader.take('addr', '.', 'port', 'prefix', 'interval');

function readExpressionTarget(reader: NftReader): NatTarget {
  const start = reader.position();
  const address: Expression = readMapped(reader);
  // `ip saddr map { … }:8080`
  const port = /^:(\d[\d-]*)$/.exec(reader.peek()?.text ?? '')?.[1];
  if (port !== undefined) reader.next();
  const said = port === undefined ? {} : { port: constantExpression({ text: port, quoted: false, line: 0 }) };
  return { type: 'expression', address, ...said, text: reader.since(start) };
}

/** `10.0.0.5:80`, `10.0.0.5-10.0.0.9:8080-8090`, `:5353`, `[fd42::5]:8080`, and, in scripts, `10.0.0.5 . 80`. */
function readFixed(reader: NftReader): NatTarget | undefined {
  const address = reader.next()?.text ?? '';
  const port = reader.take('.') ? reader.next()?.text : undefined;
  return fixedTarget([port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`]);
}

function readPorts(reader: NftReader, kind: 'masquerade' | 'redirect', start: number): Action {
  let ports: NumberRange | undefined;
  let expression: Expression | undefined;
  if (reader.take('to')) {
    reader.take(':');
    if (startsExpression(reader)) expression = readMapped(reader);
    else ports = portRange((reader.next()?.text ?? '').replace(/^:/, ''));
    if (expression === undefined && ports === undefined) return opaque(reader, start, 'ports not understood');
  }
  const flags = readFlags(reader);
  if (kind === 'masquerade') return { role: 'action', kind, ...(ports ? { ports } : {}), flags };
  return { role: 'action', kind, ...(ports ? { ports } : {}), ...(expression ? { expression } : {}), flags };
}

function readFlags(reader: NftReader): string[] {
  const flags: string[] = [];
  for (let token = reader.peek(); token !== undefined && /^(random|fully-random|persistent)(,|$)/.test(token.text); token = reader.peek()) {
    flags.push(...token.text.split(','));
    reader.next();
    reader.take(',');
  }
  return flags;
}
