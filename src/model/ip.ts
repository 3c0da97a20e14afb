import { Address4, Address6 } from 'ip-address';

/**
 * IPv4 and IPv6 addresses and prefixes: strict parsing and the arithmetic that routes, policies and pod ranges need.
 * Wraps the library `ip-address`; stricter than it, because "010.0.0.1", "10.0.0/8" or a zone would mean different things to different tools.
 */
export type IpFamily = 4 | 6;

/** One address. `text` is the canonical form (dotted quad; RFC 5952 for IPv6, IPv4-mapped addresses as `::ffff:10.0.0.1`). */
export interface IpAddress {
  family: IpFamily;
  text: string;
  value: bigint;
}

/** A prefix. `address` is what was written (host bits may be set, as in `10.0.0.5/24`); `first` and `last` bound the prefix. */
export interface Cidr {
  family: IpFamily;
  address: IpAddress;
  length: number;
  first: bigint;
  last: bigint;
}

/** An address with the interface that it is bound to: `fe80::1%eth0`, `10.0.0.1%eth0`. */
export interface ScopedAddress {
  address: IpAddress;
  zone?: string;
}

/** Parses a bare address. No prefix, zone, brackets, blanks or leading zeros; anything else gives `undefined`. */
export const parseAddress = (text: string): IpAddress | undefined => {
  if (/^[0-9.]{7,15}$/.test(text)) return parseAddress4(text);
  // At least two colons: what is no address should not come as far as the library's exception.
  return /^[0-9a-fA-F:.]{2,45}$/.test(text) && text.indexOf(':') !== text.lastIndexOf(':') ? parseAddress6(text) : undefined;
};

/** Parses `ADDRESS/LENGTH`. A bare address is taken as a host prefix (/32, /128), as `ip route` and NetworkPolicy tools print them. */
export const parseCidr = (text: string): Cidr | undefined => {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return makeCidr(address, bitsOf(address.family));
  const length = text.slice(slash + 1);
  return /^(0|[1-9][0-9]{0,2})$/.test(length) ? makeCidr(address, Number(length)) : undefined;
};

/** Parses an address that may carry a zone after `%`. */
export const parseScopedAddress = (text: string): ScopedAddress | undefined => {
  const percent = text.indexOf('%');
  const address = parseAddress(percent < 0 ? text : text.slice(0, percent));
  if (address === undefined) return undefined;
  if (percent < 0) return { address };
  const zone = text.slice(percent + 1);
  return zone === '' ? undefined : { address, zone };
};

/** The prefix of `length` bits around `address`; `undefined` when the length does not fit the family. */
export const makeCidr = (address: IpAddress, length: number): Cidr | undefined => {
  const bits = bitsOf(address.family);
  if (!Number.isInteger(length) || length < 0 || length > bits) return undefined;
  const hostBits = BigInt(bits - length);
  const first = (address.value >> hostBits) << hostBits;
  return { family: address.family, address, length, first, last: first | ((1n << hostBits) - 1n) };
};

/** The prefix length of a dotted netmask such as `255.255.255.0`; `undefined` when the mask is no address or has holes. */
export const maskLength = (mask: string): number | undefined => {
  const address = parseAddress(mask);
  if (address === undefined || address.family !== 4) return undefined;
  const inverted = address.value ^ 0xffffffffn;
  if ((inverted & (inverted + 1n)) !== 0n) return undefined;
  return 32 - inverted.toString(2).replace('0', '').length;
};

/** The address of `value` in canonical text; `undefined` when the value does not fit the family. */
export const addressFromValue = (family: IpFamily, value: bigint): IpAddress | undefined => {
  if (value < 0n || value >= 1n << BigInt(bitsOf(family))) return undefined;
  if (family === 4) return { family, value, text: dotted(value) };
  return { family, value, text: text6(Address6.fromBigInt(value).correctForm(), value) };
};

/** True when `address` lies in `cidr`; false across families (an IPv4-mapped IPv6 address is IPv6 here: see {@link unmapped}). */
export const cidrContains = (cidr: Cidr, address: IpAddress): boolean =>
  cidr.family === address.family && address.value >= cidr.first && address.value <= cidr.last;

/** True when every address of `inner` lies in `outer`. */
export const cidrContainsCidr = (outer: Cidr, inner: Cidr): boolean =>
  outer.family === inner.family && inner.first >= outer.first && inner.last <= outer.last;

/** True when at least one address lies in both. */
export const cidrsOverlap = (a: Cidr, b: Cidr): boolean => a.family === b.family && a.first <= b.last && b.first <= a.last;

/** Order for sorting: IPv4 before IPv6, then by value. 0 means the same address. */
export const compareAddresses = (a: IpAddress, b: IpAddress): number =>
  a.family === b.family ? compareValues(a.value, b.value) : a.family - b.family;

/** `10.0.0.0/24` for `10.0.0.5/24`: the prefix without host bits. */
export const networkText = (cidr: Cidr): string => `${addressFromValue(cidr.family, cidr.first)?.text ?? cidr.address.text}/${cidr.length}`;

/** `10.0.0.5/24`: the prefix as it was written, canonical. */
export const cidrText = (cidr: Cidr): string => `${cidr.address.text}/${cidr.length}`;

/** The IPv4 address inside `::ffff:a.b.c.d`, or the address itself. Sockets of dual-stack listeners show IPv4 peers this way. */
export const unmapped = (address: IpAddress): IpAddress =>
  isMapped(address) ? (addressFromValue(4, address.value & 0xffffffffn) ?? address) : address;

export const anyCidr = (family: IpFamily): Cidr => {
  const address: IpAddress = { family, value: 0n, text: family === 4 ? '0.0.0.0' : '::' };
  return { family, address, length: 0, first: 0n, last: (1n << BigInt(bitsOf(family))) - 1n };
};

const bitsOf = (family: IpFamily): number => (family === 4 ? 32 : 128);

const compareValues = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const dotted = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => ((value >> shift) & 0xffn).toString()).join('.');

const isMapped = ({ family, value }: { family: IpFamily; value: bigint }): boolean => family === 6 && value >> 32n === 0xffffn;

const text6 = (correct: string, value: bigint): string =>
  isMapped({ family: 6, value }) ? `::ffff:${dotted(value & 0xffffffffn)}` : correct;

const parseAddress4 = (text: string): IpAddress | undefined => {
  try {
    const address = new Address4(text);
    return { family: 4, text: address.correctForm(), value: address.bigInt() };
  } catch {
    return undefined; // the library throws AddressError on what is no address
  }
};

const parseAddress6 = (text: string): IpAddress | undefined => {
  try {
    const address = new Address6(text);
    const value = address.bigInt();
    return { family: 6, text: text6(address.correctForm(), value), value };
  } catch {
    return undefined;
  }
};
