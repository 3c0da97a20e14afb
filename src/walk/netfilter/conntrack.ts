import type { Match } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import { type Certainty, cannotTell, certain, negatedIf, no, yes } from './certainty.ts';
import { inAnyMask } from './primitives.ts';

export type ConntrackMatch = Extract<
  Match,
  {
    kind: 'conntrackState' | 'conntrackStatus' | 'conntrackAddress' | 'conntrackPort' | 'conntrackProtocol' | 'conntrackDirection';
  }
>;

/**
 * xt_conntrack (conntrack_mt in net/netfilter/xt_conntrack.c). Of a packet without a connection only the state is looked at: other conditions under
 * the same `-m` then hold, and without a state among them they don't, negated or not.
 */
export function conntrackMatch(match: ConntrackMatch, packet: Packet): Certainty {
  if (match.kind === 'conntrackState') return conntrackState(match, packet);
  if (!isTracked(packet)) return match.joined === true ? yes : no;
  switch (match.kind) {
    case 'conntrackStatus':
      return conntrackStatus(match, packet);
    case 'conntrackAddress':
      return conntrackAddress(match, packet);
    case 'conntrackPort':
      return conntrackPort(match, packet);
    case 'conntrackProtocol':
      return negatedIf(match.negated, certain(match.protocol === packet.protocol));
    case 'conntrackDirection':
      return certain(match.direction === packet.conntrack.direction);
  }
}

/** Whether the packet has a connection: at raw tables, and where a rule or the packet's own form prevents it, it has none. */
export const isTracked = (packet: Packet): boolean => packet.conntrack.state !== 'invalid' && packet.conntrack.state !== 'untracked';

/** The state, and SNAT or DNAT for a connection that is translated; one of the names must hold. */
function conntrackState(match: Extract<Match, { kind: 'conntrackState' }>, packet: Packet): Certainty {
  const { state, status } = packet.conntrack;
  const held = [state.toUpperCase()];
  if (isTracked(packet)) {
    if (status.includes('snat')) held.push('SNAT');
    if (status.includes('dnat')) held.push('DNAT');
  }
  return negatedIf(match.negated, certain(match.states.some((name) => held.includes(name))));
}

/** `NONE` asks for no bit at all, which no connection is found by. */
function conntrackStatus(match: Extract<Match, { kind: 'conntrackStatus' }>, packet: Packet): Certainty {
  const held = packet.conntrack.status.map((name) => name.toUpperCase().replace('-', '_'));
  return negatedIf(match.negated, certain(match.statuses.some((name) => held.includes(name))));
}

function conntrackAddress(match: Extract<Match, { kind: 'conntrackAddress' }>, packet: Packet): Certainty {
  const tuple = packet.conntrack[match.tuple];
  if (tuple === undefined) return cannotTell(`the ${match.tuple} conntrack tuple is not known`);
  const inside = inAnyMask(match.end === 'source' ? tuple.source : tuple.destination, match.addresses);
  return inside === undefined ? cannotTell('the conntrack tuple is not readable') : negatedIf(match.negated, certain(inside));
}

function conntrackPort(match: Extract<Match, { kind: 'conntrackPort' }>, packet: Packet): Certainty {
  const tuple = packet.conntrack[match.tuple];
  const port = match.end === 'source' ? tuple?.sourcePort : tuple?.destinationPort;
  if (port === undefined) return cannotTell(`the ${match.tuple} conntrack tuple is not known`);
  return negatedIf(match.negated, certain(port >= match.ports.first && port <= match.ports.last));
}
