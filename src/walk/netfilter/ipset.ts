import type { IpSet, IpSetMember } from '../../model/ipset.ts';
import { addressValue, prefixMask } from '../../model/netfilter-address.ts';
import { protocolName } from '../../model/netfilter-protocol.ts';
import type { Packet } from '../../model/packet.ts';
import { protocolsWithPorts } from './primitives.ts';
import type { IpsetLookup } from './types.ts';

type Direction = 'src' | 'dst';

/** Makes ipsets of a node ready for {@link WalkContext.ipsets}. */
export function ipsetLookups(sets: readonly IpSet[]): Map<string, IpsetLookup> {
  const byName = new Map(sets.map((set) => [set.name, set]));
  return new Map(sets.map((set) => [set.name, { contains: (packet, directions) => contains(set, packet, directions, byName) }]));
}

function contains(set: IpSet, packet: Packet, directions: readonly Direction[], byName: ReadonlyMap<string, IpSet>): boolean | undefined {
  if (set.type === 'list:set') return inList(set, packet, directions, byName);
  const kinds = set.type.replace(/^\w+:/, '').split(',');
  const familyMatters = !set.type.startsWith('bitmap:port') && set.type !== 'hash:mac';
  // ip_set_test: a rule that names fewer directions than the set has parts never matches, nor does another address family.
  if (directions.length < kinds.length || (familyMatters && set.family !== packet.family)) return false;
  let best: { member: IpSetMember; specific: number } | undefined;
  let unsure = false;
  for (const member of set.members) {
    const result = memberMatches(set, kinds, member, packet, directions);
    if (result === undefined) unsure = true;
    else if (result.matches && (best === undefined || result.specific > best.specific)) best = { member, specific: result.specific };
  }
  if (unsure) return undefined;
  return best === undefined ? false : !best.member.nomatch;
}

function inList(set: IpSet, packet: Packet, directions: readonly Direction[], byName: ReadonlyMap<string, IpSet>): boolean | undefined {
  const results = set.members.map((member) => {
    const inner = byName.get(member.parts[0] ?? '');
    return inner === undefined || inner.type === 'list:set' ? undefined : contains(inner, packet, directions, byName);
  });
  if (results.includes(true)) return true;
  return results.includes(undefined) ? undefined : false;
}

/** Whether a member holds, and how many address bits it fixes: the kernel tries longer prefixes first. */
function memberMatches(
  set: IpSet,
  kinds: readonly string[],
  member: IpSetMember,
  packet: Packet,
  directions: readonly Direction[],
): { matches: boolean; specific: number } | undefined {
  let specific = 0;
  let unsure = false;
  for (const [index, kind] of kinds.entries()) {
    const result = partMatches(set, kind, member.parts[index], packet, directions[index] ?? 'src');
    if (result === undefined) unsure = true;
    else if (!result.matches) return { matches: false, specific: 0 };
    else specific += result.specific;
  }
  return unsure ? undefined : { matches: true, specific };
}

function partMatches(
  set: IpSet,
  kind: string,
  text: string | undefined,
  packet: Packet,
  direction: Direction,
): { matches: boolean; specific: number } | undefined {
  if (text === undefined) return undefined;
  if (kind === 'ip' || kind === 'net') return addressMatches(set, text, direction === 'src' ? packet.source : packet.destination);
  if (kind === 'port') return portMatches(text, packet, direction);
  if (kind === 'mark') return { matches: Number(text) === packet.mark, specific: 0 };
  if (kind === 'iface') return interfaceMatches(text, direction === 'src' ? packet.inInterface : packet.outInterface);
  return undefined;
}

function addressMatches(set: IpSet, text: string, address: string): { matches: boolean; specific: number } | undefined {
  const [base = '', lengthText] = text.split('/');
  const [wanted, actual] = [addressValue(base), addressValue(address)];
  if (wanted === undefined || actual === undefined) return undefined;
  const length = Number(lengthText ?? set.header.netmask ?? (wanted.family === 'ip' ? 32 : 128));
  const mask = prefixMask(length, wanted.family);
  return { matches: wanted.family === actual.family && (wanted.value & mask) === (actual.value & mask), specific: length };
}

/** `tcp:80`, `udp:53`, `80` (bitmap:port: any protocol with ports), `tcp:80-82` and `icmp:ping` (any ICMP is left open). */
function portMatches(text: string, packet: Packet, direction: Direction): { matches: boolean; specific: number } | undefined {
  const match = /^(?:([\w-]+):)?(\d+)(?:-(\d+))?$/.exec(text);
  const protocol = text.includes(':') ? protocolName(text.slice(0, text.indexOf(':'))) : undefined;
  if (protocol !== undefined && protocol !== packet.protocol) return { matches: false, specific: 0 };
  if (!protocolsWithPorts.has(packet.protocol)) return protocol === undefined ? { matches: false, specific: 0 } : undefined;
  const port = direction === 'src' ? packet.sourcePort : packet.destinationPort;
  if (match === null || port === undefined) return undefined;
  const [first, last] = [Number(match[2]), Number(match[3] ?? match[2])];
  return { matches: port >= first && port <= last, specific: 0 };
}

function interfaceMatches(text: string, actual: string | undefined): { matches: boolean; specific: number } | undefined {
  if (actual === undefined || text.startsWith('physdev:')) return undefined;
  return { matches: text === actual, specific: 0 };
}
