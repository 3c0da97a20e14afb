import type { AddressMask, Match, NumberRange } from '../../model/netfilter.ts';
import { addressMask } from '../../model/netfilter-address.ts';
import { protocolName } from '../../model/netfilter-protocol.ts';

/** `-s` and `-d`; several addresses with commas appear in commands of people only. */
export function addressMatch(end: 'source' | 'destination', text: string, negated: boolean): Match {
  const addresses = addressList(text);
  if (addresses === undefined) {
    return {
      role: 'match',
      kind: 'opaque',
      text: `${negated ? '! ' : ''}${end === 'source' ? '-s' : '-d'} ${text}`,
      why: 'not an address',
    };
  }
  return { role: 'match', kind: 'address', end, negated, addresses };
}

export function addressList(text: string): AddressMask[] | undefined {
  const addresses = text.split(',').map(addressMask);
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

export const interfaceMatch = (direction: 'in' | 'out', name: string, negated: boolean): Match => ({
  role: 'match',
  kind: 'interface',
  direction,
  negated,
  name,
});

/** `-p`; `all` and 0 match every packet and are no match at all, unless negated. */
export function protocolMatch(text: string, negated: boolean): Match | undefined {
  const protocol = protocolName(text);
  if (!negated && (protocol === 'all' || protocol === '0')) return undefined;
  const usual = negated ? undefined : usualProtocols.get(protocol);
  return usual ?? { role: 'match', kind: 'protocol', negated, protocol };
}

/** One object for all rules of a node: each Service and each endpoint has such a match. */
const usualProtocols = new Map<string, Match>(
  ['tcp', 'udp', 'sctp', 'icmp'].map((protocol) => [protocol, { role: 'match', kind: 'protocol', negated: false, protocol }]),
);

/** `80`, `30000:32767`, `:1023`, `1024:` and, for multiport, a list of them. */
export function portRanges(text: string): NumberRange[] | undefined {
  const ranges: NumberRange[] = [];
  for (const part of text.split(',')) {
    const range = numberRange(part, 65535);
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  return ranges;
}

export function numberRange(text: string, highest: number): NumberRange | undefined {
  const match = /^(\d*)(?::(\d*))?$/.exec(text);
  if (match === null || text === '' || text === ':') return undefined;
  const [, from = '', to] = match;
  const first = from === '' ? 0 : Number(from);
  const last = to === undefined ? first : to === '' ? highest : Number(to);
  return first <= last && last <= highest ? { first, last } : undefined;
}

/** `0x4000/0x4000`, `1`, `0x1`: value and mask (all ones when not given) as unsigned 32-bit numbers. */
export function valueAndMask(text: string): { value: number; mask: number } | undefined {
  const match = /^(0x[0-9a-fA-F]+|\d+)(?:\/(0x[0-9a-fA-F]+|\d+))?$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]);
  const mask = match[2] === undefined ? 0xffffffff : Number(match[2]);
  return value <= 0xffffffff && mask <= 0xffffffff ? { value, mask } : undefined;
}
