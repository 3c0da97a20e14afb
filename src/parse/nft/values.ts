import type { Expression, Value } from '../../model/netfilter.ts';
import type { NftToken } from './tokens.ts';

const number = String.raw`(?:0x[0-9a-fA-F]+|\d+)`;
const ipv4 = String.raw`\d+\.\d+\.\d+\.\d+`;
const ipv6 = '[0-9a-fA-F]*:[0-9a-fA-F:.]*';
const range = new RegExp(`^(?:(${number})-(${number})|(${ipv4})-(${ipv4})|(${ipv6})-(${ipv6}))$`);
const prefix = new RegExp(String.raw`^(${ipv4}|${ipv6})/(\d+)$`);

/** A constant: `80`, `30000-32767`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, `*`, a name, or a string in quotes. */
export function constantOf(token: Pick<NftToken, 'text' | 'quoted'>): Value {
  if (token.quoted) return { type: 'literal', text: token.text };
  if (token.text === '*') return { type: 'wildcard' };
  const interval = range.exec(token.text);
  if (interval !== null) {
    const [from, to] = interval.slice(1).filter((part) => part !== undefined);
    if (from !== undefined && to !== undefined) return { type: 'range', from: decimal(from), to: decimal(to) };
  }
  const network = prefix.exec(token.text);
  if (network?.[1] !== undefined) return { type: 'prefix', address: network[1], length: Number(network[2]) };
  return { type: 'literal', text: decimal(token.text) };
}

/** nft prints some numbers in hexadecimal digits in its text and all of them in decimal ones in its JSON. */
const decimal = (text: string): string => (text.startsWith('0x') && /^0x[0-9a-fA-F]{1,13}$/.test(text) ? String(Number(text)) : text);

/** `3600s`, `3h`, `1d2h3m4s500ms`; seconds, without what is left of one. */
export function durationSeconds(text: string): number | undefined {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:\d+ms)?$/.exec(text.trim());
  if (match === null || text.trim() === '') return /^\d+$/.test(text.trim()) ? Number(text) : undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** A constant as an expression; `established,related` and `fin|syn` are lists. */
export function constantExpression(token: NftToken): Expression {
  const parts = token.quoted ? [token.text] : token.text.split(/[,|]/);
  if (parts.length < 2) return { type: 'value', value: constantOf(token) };
  return { type: 'list', parts: parts.map((text) => ({ type: 'value', value: constantOf({ text, quoted: false }) })) };
}
