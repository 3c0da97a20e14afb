import type { Match } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import { type Certainty, cannotTell, certain, negatedIf } from './certainty.ts';
import { inAnyMask } from './primitives.ts';

/** xt_conntrack --ctstate: the state, and SNAT or DNAT for a connection that is translated; one of the names must hold. */
export function conntrackState(match: Extract<Match, { kind: 'conntrackState' }>, packet: Packet): Certainty {
  const { state, status } = packet.conntrack;
  const held = [state.toUpperCase()];
  if (state !== 'invalid' && state !== 'untracked') {
    if (status.includes('snat')) held.push('SNAT');
    if (status.includes('dnat')) held.push('DNAT');
  }
  return negatedIf(match.negated, certain(match.states.some((name) => held.includes(name))));
}

const isTracked = (packet: Packet): boolean => packet.conntrack.state !== 'invalid' && packet.conntrack.state !== 'untracked';

export function conntrackStatus(match: Extract<Match, { kind: 'conntrackStatus' }>, packet: Packet): Certainty {
  if (!isTracked(packet) || match.statuses.includes('NONE')) return cannotTell('ctstatus of this packet');
  const held = packet.conntrack.status.map((name) => name.toUpperCase().replace('-', '_'));
  return negatedIf(match.negated, certain(match.statuses.some((name) => held.includes(name))));
}

export function conntrackAddress(match: Extract<Match, { kind: 'conntrackAddress' }>, packet: Packet): Certainty {
  const original = packet.conntrack.original;
  if (match.tuple === 'reply' || original === undefined || !isTracked(packet))
    return cannotTell(`the ${match.tuple} conntrack tuple is not known`);
  const inside = inAnyMask(match.end === 'source' ? original.source : original.destination, match.addresses);
  return inside === undefined ? cannotTell('the conntrack tuple is not readable') : negatedIf(match.negated, certain(inside));
}

export function conntrackPort(match: Extract<Match, { kind: 'conntrackPort' }>, packet: Packet): Certainty {
  const original = packet.conntrack.original;
  const port = match.end === 'source' ? original?.sourcePort : original?.destinationPort;
  if (match.tuple === 'reply' || port === undefined || !isTracked(packet))
    return cannotTell(`the ${match.tuple} conntrack tuple is not known`);
  return negatedIf(match.negated, certain(port >= match.ports.first && port <= match.ports.last));
}
