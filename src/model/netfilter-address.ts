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
export const prefixMask = (length: number, family: 'ip' | 'ip6'): bigint => prefixMasks[family][length] ?? maskOfLength(length, family);

const maskOfLength = (length: number, family: 'ip' | 'ip6'): bigint => {
  const bits = BigInt(family === 'ip' ? 32 : 128);
  return ((1n << BigInt(length)) - 1n) << (bits - BigInt(length));
};

/** Made once: a node has a hundred thousand rules with a prefix of full length. */
const prefixMasks = {
  ip: Array.from({ length: 33 }, (_, length) => maskOfLength(length, 'ip')),
  ip6: Array.from({ length: 129 }, (_, length) => maskOfLength(length, 'ip6')),
};

/** The usual text of an address, IPv6 as in RFC 5952. */
export function addressText({ family, value }: AddressValue): string {
  if (family === 'ip') return ipv4Text(Number(value));
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

const ipv4Text = (value: number): string => `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

/** Four numbers of one to three digits, up to 255 each. Read digit by digit, since no other text is read as often. */
function ipv4Number(text: string): number | undefined {
  let value = 0;
  let byte = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === dot && digits > 0 && dots < 3) {
      value = value * 256 + byte;
      byte = 0;
      digits = 0;
      dots += 1;
    } else if (code >= zero && code <= nine && digits < 3) {
      byte = byte * 10 + code - zero;
      digits += 1;
      if (byte > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && digits > 0 ? value * 256 + byte : undefined;
}

const [dot, zero, nine] = [46, 48, 57];

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
