import type { AddressMask, NumberRange } from '../../model/netfilter.ts';
import { addressNumber, isUnder } from './addresses.ts';
import { type Certainty, cannotTell, certain, yes } from './certainty.ts';

export function inAnyMask(address: string, masks: readonly AddressMask[]): boolean | undefined {
  const parsed = addressNumber(address);
  return parsed === undefined ? undefined : masks.some((mask) => isUnder(parsed, mask));
}

export function inAddressRange(address: string, from: string, to: string): boolean | undefined {
  const [parsed, first, last] = [address, from, to].map(addressNumber);
  if (!parsed || !first || !last) return undefined;
  return parsed.family === first.family && parsed.value >= first.value && parsed.value <= last.value;
}

/** A `+` at the end of an interface name stands for any rest (iptables); no device at this hook is the empty name. */
export function interfaceIs(actual: string | undefined, pattern: string): Certainty {
  if (actual === undefined) return pattern === '+' ? yes : cannotTell('the interface is not known');
  return certain(pattern.endsWith('+') ? actual.startsWith(pattern.slice(0, -1)) : actual === pattern);
}

export const inRanges = (value: number, ranges: readonly NumberRange[]): boolean =>
  ranges.some((range) => value >= range.first && value <= range.last);

export const protocolsWithPorts = new Set(['tcp', 'udp', 'sctp', 'dccp', 'udplite']);
