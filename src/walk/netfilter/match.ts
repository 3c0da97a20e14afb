import type { Match } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import { addressTypeIs, addressTypeIs6 } from './address-type.ts';
import { any, type Certainty, cannotTell, certain, negatedIf, no, random, yes } from './certainty.ts';
import { compare } from './compare.ts';
import { type ConntrackMatch, conntrackMatch, isTracked } from './conntrack.ts';
import { moduleMatch, physdevMatch } from './module.ts';
import { inAddressRange, inAnyMask, inRanges, interfaceIs, protocolsWithPorts } from './primitives.ts';
import { recentMatch } from './recent.ts';
import { hasChanged, isUnknown, type Place, type State, type WalkContext } from './types.ts';

/** Whether one match of a rule holds for the packet. Follows the kernel's match functions (net/netfilter/xt_*.c, ip_tables.c) of Linux 6.x. */
export function evaluateMatch(match: Match, state: State, context: WalkContext, place: Place): Certainty {
  const { packet } = state;
  switch (match.kind) {
    case 'comment':
      return yes;
    case 'address':
    case 'addressRange':
      return addressMatch(match, state);
    case 'interface':
      return negatedIf(match.negated, interfaceIs(match.direction === 'in' ? packet.inInterface : packet.outInterface, match.name));
    case 'protocol':
      return negatedIf(match.negated, certain(packet.protocol === match.protocol));
    case 'fragment':
      return negatedIf(match.negated, certain(packet.fragment === true));
    case 'ports':
      return portsMatch(packet, match);
    case 'tcpFlags':
      return tcpFlagsMatch(packet, match);
    case 'icmpType':
      return icmpMatch(packet, match);
    case 'mark':
      return markMatch(match, state);
    case 'statistic':
      return negatedIf(match.negated, random(match.mode === 'random' ? match.probability : 1 / match.every));
    case 'recent':
      return recentMatch(match, state, context);
    case 'ipset':
      return ipsetMatch(match, state, context);
    case 'addressType':
      return addressTypeMatch(match, state, context);
    case 'compare':
      return compare(match, state, context, place);
    case 'opaque':
      return cannotTell(`${match.text}: ${match.why}`);
    default:
      return otherMatch(match, state);
  }
}

type OtherMatch = ConntrackMatch | Extract<Match, { kind: 'physdev' | 'module' }>;

function otherMatch(match: OtherMatch, state: State): Certainty {
  if (match.kind === 'physdev') return physdevMatch(match.options, state.packet);
  return match.kind === 'module' ? moduleMatch(match, state.packet) : conntrackMatch(match, state.packet);
}

function addressMatch(match: Extract<Match, { kind: 'address' | 'addressRange' }>, state: State): Certainty {
  if (isUnknown(state, match.end)) return cannotTell(`the ${match.end} address that NAT chose is not known`);
  const address = match.end === 'source' ? state.packet.source : state.packet.destination;
  const result = match.kind === 'address' ? inAnyMask(address, match.addresses) : inAddressRange(address, match.from, match.to);
  return result === undefined ? cannotTell(`the ${match.end} address is not readable`) : negatedIf(match.negated, certain(result));
}

function portsMatch(packet: Packet, match: Extract<Match, { kind: 'ports' }>): Certainty {
  if (!protocolsWithPorts.has(packet.protocol) || packet.fragment === true) return no;
  const test = (port: number | undefined): Certainty =>
    port === undefined ? cannotTell('the port is not known') : certain(inRanges(port, match.ranges));
  const source = test(packet.sourcePort);
  const destination = test(packet.destinationPort);
  const result = match.end === 'source' ? source : match.end === 'destination' ? destination : any([source, destination]);
  return negatedIf(match.negated, result);
}

function tcpFlagsMatch(packet: Packet, match: Extract<Match, { kind: 'tcpFlags' }>): Certainty {
  if (packet.protocol !== 'tcp') return no;
  const flags = packet.tcpFlags;
  if (flags === undefined) return cannotTell('the TCP flags are not known');
  const holds = match.mask.every((flag) => flags.includes(flag) === match.set.includes(flag));
  return negatedIf(match.negated, certain(holds));
}

function icmpMatch(packet: Packet, match: Extract<Match, { kind: 'icmpType' }>): Certainty {
  if (packet.protocol !== 'icmp' && packet.protocol !== 'icmpv6') return no;
  if (match.icmpType === undefined) return negatedIf(match.negated, yes);
  if (packet.icmpType === undefined) return cannotTell('the ICMP type is not known');
  if (packet.icmpType !== match.icmpType) return negatedIf(match.negated, no);
  if (match.codes === undefined) return negatedIf(match.negated, yes);
  if (packet.icmpCode === undefined) return cannotTell('the ICMP code is not known');
  return negatedIf(match.negated, certain(inRanges(packet.icmpCode, [match.codes])));
}

/** xt_connmark: without a connection nothing holds, negated or not. */
function markMatch(match: Extract<Match, { kind: 'mark' }>, state: State): Certainty {
  if (match.of === 'connection' && !isTracked(state.packet)) return no;
  return negatedIf(match.negated, markIs(state, match.of === 'packet' ? 'mark' : 'connectionMark', match.value, match.mask));
}

function markIs(state: State, field: 'mark' | 'connectionMark', value: number, mask: number): Certainty {
  const mark = isUnknown(state, field) ? undefined : state.packet[field];
  return mark === undefined ? cannotTell('the mark is not known') : certain((mark & mask) >>> 0 === value >>> 0);
}

function ipsetMatch(match: Extract<Match, { kind: 'ipset' }>, state: State, context: WalkContext): Certainty {
  if (hasChanged(state, `ipset ${match.set}`)) return cannotTell(`a rule before has changed the ipset ${match.set}`);
  const set = context.ipsets?.get(match.set);
  if (set === undefined) return cannotTell(`the ipset ${match.set} is not known`);
  // Counter conditions and --return-nomatch change the answer in ways that the listing does not show.
  if (match.options.length > 0) return cannotTell(`options of the ipset match on ${match.set}`);
  const contains = set.contains(state.packet, match.directions);
  return contains === undefined
    ? cannotTell(`whether the ipset ${match.set} holds the packet`)
    : negatedIf(match.negated, certain(contains));
}

function addressTypeMatch(match: Extract<Match, { kind: 'addressType' }>, state: State, context: WalkContext): Certainty {
  if (match.limitInterface !== undefined) return cannotTell('addrtype with an interface limit');
  if (isUnknown(state, match.end)) return cannotTell(`the ${match.end} address that NAT chose is not known`);
  const address = match.end === 'source' ? state.packet.source : state.packet.destination;
  const isOf = state.packet.family === 'ip' ? addressTypeIs : addressTypeIs6;
  return negatedIf(match.negated, isOf(address, match.types, context));
}
