import type { ConntrackFlow } from '../../model/conntrack.ts';
import { evidence } from '../../model/evidence.ts';
import type { ConntrackTuple, ConntrackView, Packet } from '../../model/packet.ts';
import { type Connection, freshPort, type Station, type Way, type World, withPort, withStep } from './way.ts';

/**
 * What the connection tracking of a namespace makes of a packet that comes to it (nf_conntrack_in): a connection that this way has opened there,
 * one that its table already held, or a new one.
 */
export function trackPacket(world: World, way: Way, station: Station): Way {
  const bare = untracked(way.packet);
  const own = way.tracked.get(station.key) ?? [];
  const known = [...own, ...inTable(world, station, bare)];
  for (const connection of known) {
    for (const direction of ['original', 'reply'] as const) {
      if (connection.protocol !== bare.protocol || !isTuple(bare, connection[direction])) continue;
      const there = own.includes(connection) ? way : { ...way, tracked: remember(way, station, connection) };
      const packet = { ...bare, connectionMark: connection.mark ?? 0, conntrack: viewOf(connection, direction) };
      const moved = { ...there, packet };
      if (own.includes(connection)) return moved;
      return withStep({ ...moved, chosenBy: [...moved.chosenBy, ...connection.evidence] }, entryStep(connection));
    }
  }
  const view = way.direction === 'reply' && world.flow.packet === 'reply' ? answerView(bare) : firstView(bare);
  return { ...way, packet: { ...bare, conntrack: view } };
}

/** Where only the answer is asked for, its question is taken to have passed wherever the answer does. */
const answerView = (packet: Packet): ConntrackView => ({
  state: 'established',
  status: ['seen-reply', 'confirmed'],
  direction: 'reply',
  original: reversed(packet),
  natSettled: ['source', 'destination'],
});

/** Enters a connection into the table of the namespace that has accepted its first packet (nf_conntrack_confirm). */
export function confirm(way: Way, station: Station): Way {
  const { packet } = way;
  const { original, state, direction } = packet.conntrack;
  if (state !== 'new' || direction !== 'original' || original === undefined || !isWhole(packet)) return way;
  const reply = reversed(packet);
  const { masqueradedBy = null } = packet.conntrack;
  const mark = packet.connectionMark;
  const connection: Connection = { protocol: packet.protocol, original, reply, mark, masqueradedBy, replied: false, evidence: [] };
  return { ...way, tracked: remember(way, station, connection) };
}

const remember = (way: Way, station: Station, connection: Connection): Way['tracked'] =>
  new Map([...way.tracked, [station.key, [...(way.tracked.get(station.key) ?? []), connection]]]);

/** The packet as it is on the wire: no mark, and nothing known of a connection. */
function untracked(packet: Packet): Packet {
  const { bridgeIn: _in, bridgeOut: _out, inInterface: _from, outInterface: _to, ...rest } = packet;
  return { ...rest, connectionMark: 0, conntrack: { state: 'untracked', status: [], direction: 'original', natSettled: [] } };
}

const isWhole = (packet: Packet): boolean =>
  packet.unknown === undefined || !(packet.unknown.includes('source') || packet.unknown.includes('destination'));

/** ICMP has no ports; its id is the same in both directions. */
function isTuple(packet: Packet, tuple: ConntrackTuple): boolean {
  return (
    packet.source === tuple.source &&
    packet.destination === tuple.destination &&
    packet.sourcePort === tuple.sourcePort &&
    packet.destinationPort === tuple.destinationPort
  );
}

/** A packet's own direction, as connection tracking writes it. */
export const tupleOf = (packet: Packet): ConntrackTuple => ({
  source: packet.source,
  destination: packet.destination,
  ...(packet.sourcePort === undefined ? {} : { sourcePort: packet.sourcePort }),
  ...(packet.destinationPort === undefined ? {} : { destinationPort: packet.destinationPort }),
});

/** The packet that answers this one. */
export const reversed = (packet: Pick<Packet, 'source' | 'destination' | 'sourcePort' | 'destinationPort'>): ConntrackTuple => ({
  source: packet.destination,
  destination: packet.source,
  ...(packet.destinationPort === undefined ? {} : { sourcePort: packet.destinationPort }),
  ...(packet.sourcePort === undefined ? {} : { destinationPort: packet.sourcePort }),
});

/** The first packet that a namespace sees of a connection: an answer without its question is invalid (tcp_new, icmp_new in nf_conntrack_proto_*.c). */
function firstView(packet: Packet): ConntrackView {
  const isAnswer =
    (packet.protocol === 'tcp' && packet.tcpFlags?.includes('ACK') === true) ||
    (packet.protocol === 'icmp' && packet.icmpType === 0) ||
    (packet.protocol === 'icmpv6' && packet.icmpType === 129);
  return { state: isAnswer ? 'invalid' : 'new', status: [], direction: 'original', natSettled: [], original: tupleOf(packet) };
}

function viewOf(connection: Connection, direction: 'original' | 'reply'): ConntrackView {
  const { original, reply, replied, masqueradedBy } = connection;
  const answered = replied || direction === 'reply';
  const status = [
    ...(answered ? ['seen-reply'] : []),
    'confirmed',
    ...(reply.source === original.destination && reply.sourcePort === original.destinationPort ? [] : ['dnat']),
    ...(reply.destination === original.source && reply.destinationPort === original.sourcePort ? [] : ['snat']),
  ];
  const known = masqueradedBy === undefined ? {} : { masqueradedBy };
  return { state: answered ? 'established' : 'new', status, direction, original, reply, ...known, natSettled: ['source', 'destination'] };
}

/** Whether the packet belongs to a connection that is translated in this namespace. */
export const isTranslated = ({ conntrack }: Packet): boolean => conntrack.status.includes('dnat') || conntrack.status.includes('snat');

/** Entries of the namespace's own table; only a flow with a source port of its own can be one of them. */
function inTable(world: World, station: Station, packet: Packet): Connection[] {
  if (world.flow.sourcePort === undefined || packet.sourcePort === freshPort) return [];
  const table = station.net.conntrack();
  if (table.state !== 'seen') return [];
  return table.value.flows
    .filter((flow) => flow.protocol === packet.protocol && flow.reply !== undefined)
    .map((flow) => connectionOf(flow, `${station.key}/conntrack`));
}

const connectionOf = (flow: ConntrackFlow, entry: string): Connection => ({
  protocol: flow.protocol,
  original: fromEntry(flow.original),
  reply: fromEntry(flow.reply),
  mark: flow.mark,
  replied: !flow.unreplied,
  evidence: [evidence(entry, flow.line)],
});

const fromEntry = (tuple: ConntrackFlow['original']): ConntrackTuple => ({
  source: tuple.src,
  destination: tuple.dst,
  ...(tuple.sport === undefined ? {} : { sourcePort: tuple.sport }),
  ...(tuple.dport === undefined ? {} : { destinationPort: tuple.dport }),
});

const entryStep = ({ reply, evidence: refs }: Connection) => ({
  kind: 'conntrack' as const,
  says: `an entry of connection tracking decides, and no nat rule is asked: it goes to ${withPort(reply.source, reply.sourcePort)}`,
  brief: 'conntrack entry',
  evidence: refs,
});
