import type { AddressMask } from '../../model/netfilter.ts';
import { type AddressValue, addressMask, addressValue, prefixMask } from '../../model/netfilter-address.ts';

const known = new Map<string, AddressValue | undefined>();
/** As many as stay in the processor's own memory: a table of all addresses of a node is slower than to read one again. */
const mostKnown = 256;

/** {@link addressValue}, remembered: a walk asks for the same few addresses at every rule. */
export function addressNumber(text: string): AddressValue | undefined {
  const found = known.get(text);
  if (found !== undefined) return found;
  const value = addressValue(text);
  if (known.size >= mostKnown) known.clear();
  known.set(text, value);
  return value;
}

export function isUnder(address: AddressValue, mask: AddressMask): boolean {
  if (mask.family !== address.family) return false;
  // Most masks are of one address, and to compare makes no new number.
  return mask.mask === whole[mask.family] ? address.value === mask.value : (address.value & mask.mask) === mask.value;
}

const whole = { ip: prefixMask(32, 'ip'), ip6: prefixMask(128, 'ip6') };

const loopback = ['127.0.0.0/8', '::1'].map(addressMask).filter((mask) => mask !== undefined);

/** 127.0.0.0/8 or ::1. */
export const isLoopback = (address: AddressValue): boolean => loopback.some((mask) => isUnder(address, mask));
