import { cidrContains, makeCidr, parseAddress } from '../../model/ip.ts';
import type { LinkAddress } from '../../model/link.ts';
import type { Packet } from '../../model/packet.ts';
import { parseIpset } from '../../parse/ipset.ts';
import { ipsetLookups } from '../netfilter/ipset.ts';
import type { WalkContext } from '../netfilter.ts';
import { contextOf } from '../node-rules.ts';
import { ownerOf } from './stations.ts';
import type { Station } from './way.ts';

/** What rules look at besides the packet, and the addresses that masquerading and REDIRECT choose on this station. */
export function contextAt(station: Station, gateway: string | undefined): WalkContext {
  const sets = setsOf(station);
  return {
    ...contextOf(station.net),
    ...(sets === undefined ? {} : { ipsets: sets }),
    masqueradeAddress: (out, packet) => masqueradeOn(station, out, packet, gateway),
    interfaceAddress: (device, { family }) =>
      device === undefined ? undefined : addressesOn(station, device, family === 'ip' ? 4 : 6)[0]?.address,
  };
}

/** IPv6 chooses for the destination itself, whatever the next hop is, and for an address of its own that address (nf_nat_masquerade_ipv6). */
function masqueradeOn(station: Station, out: string | undefined, packet: Packet, gateway: string | undefined): string | undefined {
  if (out === undefined) return undefined;
  const { family, destination } = packet;
  if (family === 'ip') return sourceOn(station, out, gateway ?? destination);
  return ownerOf(station, destination) ? destination : sourceOn(station, out, destination);
}

const known = new WeakMap<Station['net'], ReturnType<typeof ipsetLookups> | null>();

function setsOf(station: Station): ReturnType<typeof ipsetLookups> | undefined {
  const before = known.get(station.net);
  if (before !== undefined) return before ?? undefined;
  const entry = station.net.entry('ipset');
  const parsed = entry && !entry.failure && entry.exit === 0 ? parseIpset(entry.stdout) : undefined;
  const sets = parsed?.complete ? ipsetLookups(parsed.value) : undefined;
  known.set(station.net, sets ?? null);
  return sets;
}

/**
 * The source address towards a next hop (inet_select_addr in net/ipv4/devinet.c): the first primary address of the device whose prefix holds the next
 * hop, else its first one; secondary, host-scope and link-scope addresses are not taken. A device without one borrows from the first device that has.
 */
export function sourceOn(station: Station, device: string, nextHop: string): string | undefined {
  const to = parseAddress(nextHop);
  const family = to?.family ?? 4;
  const addresses = addressesOn(station, device, family);
  const near = addresses.find((item) => {
    const address = parseAddress(item.address);
    const prefix = address && makeCidr(address, item.prefixLength);
    return prefix !== undefined && to !== undefined && cidrContains(prefix, to);
  });
  return (near ?? addresses[0] ?? addressesOn(station, undefined, family)[0])?.address;
}

/** Addresses of one device, or of all in the order of their index. */
function addressesOn(station: Station, device: string | undefined, family: 4 | 6): LinkAddress[] {
  const links = station.net.addresses();
  if (links.state !== 'seen') return [];
  return links.value
    .filter((link) => device === undefined || link.name === device)
    .flatMap((link) => link.addresses)
    .filter((item) => item.family === family && !item.flags.includes('secondary') && item.scope !== 'host' && item.scope !== 'link');
}
