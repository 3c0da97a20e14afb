import type { AddressValue } from '../../model/netfilter-address.ts';
import { addressMask } from '../../model/netfilter-address.ts';
import { addressNumber, isLoopback, isUnder } from './addresses.ts';
import { type Certainty, cannotTell, no, yes } from './certainty.ts';
import type { WalkContext } from './types.ts';

const multicast = ['224.0.0.0/4', 'ff00::/8'].map(addressMask).filter((mask) => mask !== undefined);
/** 0.0.0.0/8 and 255.255.255.255 count as broadcast, whatever the tables say (__inet_dev_addr_type in net/ipv4/fib_frontend.c). */
const broadcast = ['0.0.0.0/8', '255.255.255.255'].map(addressMask).filter((mask) => mask !== undefined);

/**
 * Whether an address is of one of the types (LOCAL, UNICAST, MULTICAST, BROADCAST, …), as the kernel's local routing table classifies it
 * (xt_addrtype, nft fib). An address that is neither local nor multicast may still be a broadcast address, a blackhole or have no route,
 * so that only types beyond these can be denied without the routes.
 */
export function addressTypeIs(address: string, types: readonly string[], context: WalkContext): Certainty {
  const type = knownType(address, context);
  if (type !== undefined) return types.includes(type) ? yes : no;
  if (context.localAddresses === undefined) return cannotTell('the addresses of the node are not known');
  return types.every((wanted) => wanted === 'LOCAL' || wanted === 'MULTICAST') ? no : cannotTell(`the route to ${address} is not known`);
}

/**
 * The same match of ip6tables, which asks otherwise (match_type6 in net/netfilter/xt_addrtype.c): MULTICAST and UNICAST are forms of an address, of
 * which each that is named must hold (a local address is a unicast one), and one of the types that routes give must hold besides.
 */
export function addressTypeIs6(address: string, types: readonly string[], context: WalkContext): Certainty {
  const parsed = addressNumber(address);
  if (parsed === undefined) return cannotTell(`${address} is no address`);
  const isMulticast = multicast.some((mask) => isUnder(parsed, mask));
  if (types.includes(isMulticast ? 'UNICAST' : 'MULTICAST')) return no;
  const routed = types.filter((type) => type !== 'UNICAST' && type !== 'MULTICAST');
  if (routed.length === 0) return yes;
  const isOwn = isLoopback(parsed) || isLocal(parsed, context);
  if (isOwn && routed.includes('LOCAL')) return yes;
  if (context.localAddresses === undefined) return cannotTell('the addresses of the node are not known');
  return routed.every((type) => type === 'LOCAL') ? no : cannotTell(`the route to ${address} is not known`);
}

function knownType(address: string, context: WalkContext): string | undefined {
  const parsed = addressNumber(address);
  if (parsed === undefined) return undefined;
  if (broadcast.some((mask) => isUnder(parsed, mask))) return 'BROADCAST';
  if (multicast.some((mask) => isUnder(parsed, mask))) return 'MULTICAST';
  return isLoopback(parsed) || isLocal(parsed, context) ? 'LOCAL' : context.addressType?.(address);
}

const localNumbers = new WeakMap<readonly string[], ReadonlySet<bigint>>();

function isLocal({ value }: AddressValue, { localAddresses }: WalkContext): boolean {
  if (localAddresses === undefined) return false;
  let numbers = localNumbers.get(localAddresses);
  if (numbers === undefined) {
    numbers = new Set(localAddresses.flatMap((text) => addressNumber(text)?.value ?? []));
    localNumbers.set(localAddresses, numbers);
  }
  return numbers.has(value);
}
