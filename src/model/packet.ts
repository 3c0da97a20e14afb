/**
 * The packet whose way is predicted. A field that is left out is *not known*: a rule that looks at it can neither match nor not match
 * ("cannot tell"). Ports of a protocol without ports are left out too; the walk tells these cases apart by `protocol`.
 */
export interface Packet {
  family: 'ip' | 'ip6';
  source: string;
  destination: string;
  /** Lower-case name as in /etc/protocols (`tcp`, `udp`, `sctp`, `icmp`, `icmpv6`, …) or a decimal number. */
  protocol: string;
  sourcePort?: number;
  destinationPort?: number;
  icmpType?: number;
  icmpCode?: number;
  /** Names of the TCP flags that are set, upper-case: `SYN`, `ACK`, … */
  tcpFlags?: readonly string[];
  inInterface?: string;
  outInterface?: string;
  /** Bridge ports, set while a bridged frame passes the IP hooks (br_netfilter); null means that the packet did not come over a bridge. */
  bridgeIn?: string | null;
  bridgeOut?: string | null;
  /** skb mark at this point; 0 when nothing has set it. */
  mark: number;
  /** Fields that a rule has changed to a value that is not known; what they hold is not to be believed. */
  unknown?: readonly UnknownField[];
  /** Connection mark; 0 for a new connection. */
  connectionMark?: number;
  conntrack: ConntrackView;
  /** Layer-3 length in bytes. */
  length?: number;
  ttl?: number;
  dscp?: number;
  sourceMac?: string;
  fragment?: boolean;
  /** Who owns the socket that sent the packet; null: no socket of this namespace did. */
  owner?: SocketOwner | null;
}

export interface SocketOwner {
  uid: number;
  gid: number;
}

export type UnknownField = 'source' | 'destination' | 'mark' | 'connectionMark';

export type ConntrackState = 'new' | 'established' | 'related' | 'invalid' | 'untracked';

/** What connection tracking knows of the packet at this point. */
export interface ConntrackView {
  state: ConntrackState;
  /** Status bits that are set: `dnat`, `snat`, `seen-reply`, `assured`, `confirmed`, `expected`. */
  status: readonly string[];
  direction: 'original' | 'reply';
  /** The connection's first packet before any NAT; left out: not known. */
  original?: ConntrackTuple;
  /** The answer that the connection waits for. With it, packets of a known connection are translated as its entry says; left out: they are not. */
  reply?: ConntrackTuple;
  /** The connection was looked up at an earlier hook of this namespace (a packet that comes back by the loopback device). */
  attached?: boolean;
  /** Device that the connection was masqueraded for; null: it was not; left out: not known. */
  masqueradedBy?: string | null;
  /** NAT that is settled already for this connection, so that nat chains are not asked again (nf_nat_initialized in the kernel). */
  natSettled: readonly ('source' | 'destination')[];
}

export interface ConntrackTuple {
  source: string;
  destination: string;
  sourcePort?: number;
  destinationPort?: number;
}

/**
 * A packet that opens a connection, as the first hook of a node sees it: state new, no mark, no NAT yet.
 * A TCP packet gets the SYN flag unless `tcpFlags` says otherwise.
 */
export function newConnection(fields: Omit<Packet, 'mark' | 'conntrack'> & { mark?: number }): Packet {
  const original: ConntrackTuple = {
    source: fields.source,
    destination: fields.destination,
    ...(fields.sourcePort === undefined ? {} : { sourcePort: fields.sourcePort }),
    ...(fields.destinationPort === undefined ? {} : { destinationPort: fields.destinationPort }),
  };
  const packet = packetOf(fields, fields.mark ?? 0, { state: 'new', status: [], direction: 'original', original, natSettled: [] });
  packet.connectionMark ??= 0;
  if (packet.protocol === 'tcp') packet.tcpFlags ??= ['SYN'];
  return packet;
}

/** A copy to be changed. */
export const copyPacket = (packet: Packet): Packet => packetOf(packet, packet.mark, packet.conntrack);

/**
 * Written out field by field because a spread takes Node 20 some twenty times as long, and a walk copies a packet at every translation; what is
 * left out stays left out.
 */
function packetOf(packet: Omit<Packet, 'mark' | 'conntrack'>, mark: number, conntrack: ConntrackView): Packet {
  const copy: Packet = {
    family: packet.family,
    source: packet.source,
    destination: packet.destination,
    protocol: packet.protocol,
    mark,
    conntrack,
  };
  if (packet.sourcePort !== undefined) copy.sourcePort = packet.sourcePort;
  if (packet.destinationPort !== undefined) copy.destinationPort = packet.destinationPort;
  if (packet.icmpType !== undefined) copy.icmpType = packet.icmpType;
  if (packet.icmpCode !== undefined) copy.icmpCode = packet.icmpCode;
  if (packet.tcpFlags !== undefined) copy.tcpFlags = packet.tcpFlags;
  if (packet.inInterface !== undefined) copy.inInterface = packet.inInterface;
  if (packet.outInterface !== undefined) copy.outInterface = packet.outInterface;
  if (packet.bridgeIn !== undefined) copy.bridgeIn = packet.bridgeIn;
  if (packet.bridgeOut !== undefined) copy.bridgeOut = packet.bridgeOut;
  if (packet.unknown !== undefined) copy.unknown = packet.unknown;
  if (packet.connectionMark !== undefined) copy.connectionMark = packet.connectionMark;
  if (packet.length !== undefined) copy.length = packet.length;
  if (packet.ttl !== undefined) copy.ttl = packet.ttl;
  if (packet.dscp !== undefined) copy.dscp = packet.dscp;
  if (packet.sourceMac !== undefined) copy.sourceMac = packet.sourceMac;
  if (packet.fragment !== undefined) copy.fragment = packet.fragment;
  if (packet.owner !== undefined) copy.owner = packet.owner;
  return copy;
}

/** A copy to be changed, written out like that of a packet. */
export function copyConntrack(view: ConntrackView): ConntrackView {
  const copy: ConntrackView = { state: view.state, status: view.status, direction: view.direction, natSettled: view.natSettled };
  if (view.original !== undefined) copy.original = view.original;
  if (view.reply !== undefined) copy.reply = view.reply;
  if (view.attached !== undefined) copy.attached = view.attached;
  if (view.masqueradedBy !== undefined) copy.masqueradedBy = view.masqueradedBy;
  return copy;
}
