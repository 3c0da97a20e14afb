import type { AddressMask, NumberRange } from '../../model/netfilter.ts';
import { addressNumber, isUnder } from './addresses.ts';
import { type Certainty, cannotTell, certain, yes } from './certainty.ts';
import { isUnknown, type State } from './types.ts';

/** Tests an address of the packet, unless NAT has made it unknown. */
export function packetAddress(state: State, end: 'source' | 'destination', test: (address: string) => boolean | undefined): Certainty {
  if (isUnknown(state, end)) return cannotTell(`the ${end} address that NAT chose is not known`);
  const result = test(end === 'source' ? state.packet.source : state.packet.destination);
  return result === undefined ? cannotTell(`the ${end} address is not readable`) : certain(result);
}

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
