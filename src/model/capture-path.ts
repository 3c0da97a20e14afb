/** A network namespace that is captured in: a pod's, or a node's own. */
export interface CapturePlace {
  kind: 'pod' | 'node';
  namespace?: string;
  name: string;
  /** The node that a pod runs on; for a node, itself. */
  node: string;
}

/** The key that a place's entries of a snapshot begin with, and the place in words. */
export const placeKey = (place: CapturePlace): string =>
  place.kind === 'node' ? `capture/node/${place.name}` : `capture/pod/${place.namespace}/${place.name}`;
export const placeText = (place: CapturePlace): string =>
  place.kind === 'node' ? `node ${place.name}` : `pod ${place.namespace}/${place.name}`;

/** What a device is on the way of a pod's packets. `underlay` is every device that is none of the others: it leads out of the node. */
export type DeviceRole = 'pod' | 'veth' | 'bridge' | 'tunnel' | 'underlay' | 'loopback';

/** A device of a place, as `ip -d link` shows it. */
export interface CaptureDevice {
  index: number;
  name: string;
  role: DeviceRole;
  /** Index of a veth's other end, in another namespace. */
  peerIndex: number | undefined;
}

/** One connection that was made to be watched, known by a source port that nothing else on the machine uses. */
export interface MarkedTry {
  stage: 'service' | 'endpoint';
  protocol: 'TCP' | 'UDP';
  sourcePort: number;
  target: { address: string; port: number };
  /** Where HTTP is spoken: the request is longer than a packet, so that full-size ones have to pass. */
  full: boolean;
  /** UDP that is no question to a DNS server: one short datagram, to which no answer is owed. */
  datagram?: true;
}

/** An endpoint that a try may end at. */
export interface CaptureBackend {
  address: string;
  port: number;
  /** Null for an endpoint that is no pod, or whose node is unknown. */
  place: CapturePlace | null;
}

/** A capture ends by itself after so many packets; what came later was not seen. */
export const mostPackets = 4000;

/** What was to be watched, and where: the start of every judgement on a capture. */
export interface CapturePlan {
  client: { place: CapturePlace; address: string };
  backends: CaptureBackend[];
  /** Addresses of nodes, by name. */
  nodes: { name: string; address: string }[];
  places: CapturePlace[];
  tries: MarkedTry[];
}

/**
 * What a try over UDP carries, whatever addresses and ports become: the first label of the name that a DNS server is asked for (in the answer too), and all that
 * is in a datagram to another port.
 */
export const tryMark = (sourcePort: number | string): string => `k8snet-${sourcePort}`;

/** Which packet of a connection (of UDP: `syn` is the question or datagram, `syn-ack` the answer): the request's way is judged by the first two, the answer's by the others. */
export type PacketPart = 'syn' | 'request-data' | 'syn-ack' | 'reset' | 'reply-data' | 'icmp-error' | 'other';

/** A packet of a try, seen at a device. Several sightings of one packet are its way. */
export interface Sighting {
  place: CapturePlace;
  device: string;
  role: DeviceRole;
  direction: 'in' | 'out';
  /** Microseconds since 1970 by the clock of its node. */
  at: number;
  leg: 'request' | 'reply';
  part: PacketPart;
  /** `address:port`, as it was at this device. */
  source: string;
  destination: string;
  ipId: number | undefined;
  sequence: number | undefined;
  /** The tunnel's own addresses where it was seen inside of one. */
  outer: { source: string; destination: string; vni: number | undefined } | undefined;
  /** ICMP errors: which. */
  icmp: string | undefined;
}

/** A device that a packet has to pass, in order. Where `needed` is false a way without it is no loss. */
export interface PathPoint {
  place: CapturePlace;
  role: DeviceRole;
  /** Undefined = any device of that role. */
  device: string | undefined;
  direction: 'in' | 'out';
  needed: boolean;
}

/** Where a packet was lost, as far as captures tell. */
export type LossPlace =
  | { kind: 'pod'; place: CapturePlace }
  | { kind: 'node'; place: CapturePlace }
  /** Between a pod's device and its node's end of it. */
  | { kind: 'pod-link'; place: CapturePlace }
  /** It left one node and did not come to the other; `unseen` when the other could not be captured on, so that it may be lost there. */
  | { kind: 'between'; from: string; to: string; unseen: boolean };

/** A drop that the kernel reported (tracepoint skb:kfree_skb) right after the packet's last sighting. */
export interface DropReason {
  node: string;
  reason: string;
  /** The kernel's function. */
  location: string;
  /** How many of the lost packets had it. */
  count: number;
}

/** What became of one try. */
export type Outcome =
  | { kind: 'answered' }
  /** A datagram that came to its endpoint, which sent no answer and owes none. */
  | { kind: 'arrived' }
  | { kind: 'lost'; leg: 'request' | 'reply'; lastSeen: PathPoint | undefined; firstUnseen: PathPoint; where: LossPlace; says: string }
  | { kind: 'refused'; leg: 'request'; by: CapturePlace; with: string; where: LossPlace; says: string }
  | { kind: 'unknown'; why: string };

export interface FollowedTry {
  try: MarkedTry;
  /** The endpoint that it was sent on to; undefined when no packet shows it. */
  backend: CaptureBackend | undefined;
  /** In the order of the path. */
  sightings: Sighting[];
  outcome: Outcome;
}
