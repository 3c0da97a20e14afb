/**
 * What the kernel counts where a packet ends (net/ipv4/proc.c, Documentation/networking/snmp_counter.rst): by nstat's name.
 * Undefined = the counter does not tell of lost packets.
 */
export const lossCounters: Readonly<Record<string, string>> = {
  IpInHdrErrors: 'the IP header is wrong (checksum, version, length) or the time to live is over',
  IpInAddrErrors: 'the packet is for another address, and the node does not forward',
  IpInUnknownProtos: 'nothing takes its protocol',
  IpInDiscards: 'it was thrown away on the way in',
  IpOutDiscards: 'it was thrown away on the way out',
  IpOutNoRoutes: 'there was no route to send it by',
  IpReasmFails: 'its fragments were not put together',
  IpFragFails: 'it is longer than the MTU of the way, and may not be cut',
  IpExtInNoRoutes: 'there was no route to forward it by',
  IpExtInTruncatedPkts: 'it is shorter than its header says',
  IpExtInCsumErrors: 'the checksum of its IP header is wrong',
  TcpInCsumErrors: 'its TCP checksum is wrong',
  TcpInErrs: 'the TCP segment is wrong',
  UdpNoPorts: 'nothing listens on its UDP port',
  UdpInErrors: 'the UDP packet could not be taken',
  UdpRcvbufErrors: "the UDP socket's buffer was full",
  UdpInCsumErrors: 'its UDP checksum is wrong',
  TcpExtIPReversePathFilter: 'the way back does not leave by the device that it came in by (rp_filter)',
  TcpExtListenOverflows: "the listener's queue was full",
  TcpExtListenDrops: 'the listener did not take it',
  TcpExtTCPBacklogDrop: "the socket's backlog was full",
  TcpExtTCPReqQFullDrop: 'too many half-open connections, without SYN cookies',
};

/** What moves because something was lost, wherever that was: shown, and never taken for the place. */
export const symptomCounters: Readonly<Record<string, string>> = {
  TcpRetransSegs: 'segments were sent again',
  TcpAttemptFails: 'connections did not come about',
  TcpOutRsts: 'connections were reset from here',
  TcpExtTCPTimeouts: 'answers did not come in time',
  TcpExtTCPSynRetrans: 'SYNs were sent again',
  IcmpOutDestUnreachs: 'ICMP errors were sent from here',
  IcmpInDestUnreachs: 'ICMP errors came in',
};

/** Of a device, everything but what it passed. */
export const passedByDevice: ReadonlySet<string> = new Set([
  'bytes',
  'packets',
  'mcast',
  'collsns',
  'compressed',
  'nohandler',
  'heartbt',
  'transns',
]);

/** Of conntrack, what keeps packets from passing. */
export const conntrackLosses: Readonly<Record<string, string>> = {
  drop: 'no entry could be made (the table is full)',
  insert_failed: 'the entry of a connection was taken already (a clash)',
  early_drop: 'entries were thrown out to make room',
  error: 'the packet is no valid one of its protocol',
  chaintoolong: 'too many entries of one hash',
};

/** Which counter goes with a drop reason of the kernel (include/net/dropreason-core.h and the places that count them). */
export const counterOfReason: Readonly<Record<string, RegExp>> = {
  IP_CSUM: /^IpExtInCsumErrors$/,
  IP_INADDRERRORS: /^IpInAddrErrors$/,
  IP_INHDR: /^IpInHdrErrors$/,
  IP_INNOROUTES: /^IpExtInNoRoutes$/,
  IP_OUTNOROUTES: /^IpOutNoRoutes$/,
  IP_RPFILTER: /^TcpExtIPReversePathFilter$/,
  NEIGH_FAILED: /^neighbour /,
  NO_SOCKET: /^UdpNoPorts$/,
  NO_TX_TARGET: / tx (dropped|errors|carrier)$/,
  OTHERHOST: / rx otherhost$/,
  PKT_TOO_BIG: /^IpFragFails$/,
  QDISC_DROP: / (?!clsact)\S+ \S+ dropped$/,
  SOCKET_RCVBUFF: /^UdpRcvbufErrors$/,
  TC_EGRESS: / clsact .* dropped$/,
  TC_INGRESS: / clsact .* dropped$/,
  TCP_CSUM: /^TcpInCsumErrors$/,
  UDP_CSUM: /^UdpInCsumErrors$/,
  VXLAN_NO_REMOTE: / tx (dropped|errors|carrier)$/,
};
