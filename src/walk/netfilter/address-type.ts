import { addressMask, addressValue } from '../../model/netfilter-address.ts';
import { type Certainty, cannotTell, no, yes } from './certainty.ts';
import type { WalkContext } from './types.ts';

const loopback = ['127.0.0.0/8', '::1'].map(addressMask);
const multicast = ['224.0.0.0/4', 'ff00::/8'].map(addressMask);

/**
 * Whether an address is of one of the types (LOCAL, UNICAST, MULTICAST, BROADCAST, …), as the kernel's routing tables classify it
 * (xt_addrtype, nft fib). An address that is neither local nor multicast may still be a broadcast address, a blackhole or have no route,
 * so that only types beyond these can be denied without the routes.
 */
export function addressTypeIs(address: string, types: readonly string[], context: WalkContext): Certainty {
  const type = knownType(address, context);
  if (type !== undefined) return types.includes(type) ? yes : no;
  if (context.localAddresses === undefined) return cannotTell('the addresses of the node are not known');
  return types.every((wanted) => wanted === 'LOCAL' || wanted === 'MULTICAST') ? no : cannotTell(`the route to ${address} is not known`);
}

function knownType(address: string, context: WalkContext): string | undefined {
  const parsed = addressValue(address);
  if (parsed === undefined) return undefined;
  const isIn = (masks: typeof loopback): boolean =>
    masks.some((mask) => mask !== undefined && mask.family === parsed.family && (parsed.value & mask.mask) === mask.value);
  if (isIn(multicast)) return 'MULTICAST';
  if (isIn(loopback) || isLocal(parsed.family, parsed.value, context)) return 'LOCAL';
  return context.addressType?.(address);
}

function isLocal(family: 'ip' | 'ip6', value: bigint, context: WalkContext): boolean {
  const local = context.localAddresses ?? [];
  return local.some((text) => {
    const parsed = addressValue(text);
    return parsed?.family === family && parsed.value === value;
  });
}
