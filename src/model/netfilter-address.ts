import type { AddressMask } from './netfilter-statements.ts';

export interface AddressValue {
  family: 'ip' | 'ip6';
  value: bigint;
}

/** The number behind an IPv4 or IPv6 address (also `::ffff:1.2.3.4`), or undefined when the text is no address. */
export function addressValue(text: string): AddressValue | undefined {
  if (text.includes(':')) {
    const value = ipv6Value(text);
    return value === undefined ? undefined : { family: 'ip6', value };
  }
  const value = ipv4Number(text);
  return value === undefined ? undefined : { family: 'ip', value: BigInt(value) };
}

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.1/255.0.0.255`, `fd00::/64`; undefined when it is none of these. */
export function addressMask(text: string): AddressMask | undefined {
  const slash = text.indexOf('/');
  const address = addressValue(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const mask = slash < 0 ? fullMask(address.family) : maskOf(text.slice(slash + 1), address.family);
  if (mask === undefined) return undefined;
  return { family: address.family, text, value: address.value & mask, mask };
}

/** The mask of a prefix length. */
export const prefixMask = (length: number, family: 'ip' | 'ip6'): bigint => {
  const bits = BigInt(family === 'ip' ? 32 : 128);
  return ((1n << BigInt(length)) - 1n) << (bits - BigInt(length));
};

/** The usual text of an address, IPv6 as in RFC 5952. */
export function addressText({ family, value }: AddressValue): string {
  if (family === 'ip') return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16));
  const runs = [...groups.join(':').matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0];
  const joined = groups.join(':');
  if (longest === undefined) return joined;
  return `${joined.slice(0, longest.index).replace(/:$/, '')}::${joined.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
}

const fullMask = (family: 'ip' | 'ip6'): bigint => prefixMask(family === 'ip' ? 32 : 128, family);

function maskOf(text: string, family: 'ip' | 'ip6'): bigint | undefined {
  if (/^\d+$/.test(text)) {
    const length = Number(text);
    return length <= (family === 'ip' ? 32 : 128) ? prefixMask(length, family) : undefined;
  }
  const mask = addressValue(text);
  return mask?.family === family ? mask.value : undefined;
}

function ipv4Number(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (let index = 1; index <= 4; index++) {
    const byte = Number(match[index]);
    if (byte > 255) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

function ipv6Value(text: string): bigint | undefined {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) {
    const embedded = ipv4Number(tail);
    if (embedded === undefined) return undefined;
    const groups = `${(embedded >>> 16).toString(16)}:${(embedded & 0xffff).toString(16)}`;
    return ipv6Value(`${text.slice(0, lastColon + 1)}${groups}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '');
  const rest = halves.length === 2 ? groupsOf(halves[1] ?? '') : [];
  if (head === undefined || rest === undefined) return undefined;
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...rest]) value = (value << 16n) | BigInt(group);
  return value;
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
}
