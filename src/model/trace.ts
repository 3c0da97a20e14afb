import type { EvidenceRef } from './evidence.ts';

/** Protocols that a flow can be traced for. */
export const traceProtocols = ['tcp', 'udp', 'sctp', 'icmp'] as const;
export type TraceProtocol = (typeof traceProtocols)[number];

/** Where a flow starts: a pod's namespace, a process of a node (or of a hostNetwork pod), or an address outside of the cluster. */
export type FlowSource =
  | { kind: 'pod'; namespace: string; name: string }
  | { kind: 'node'; name: string }
  | { kind: 'outside'; address: string };

/** Where it is to go. Without a port, the Service's first port; of a pod or address, none (then ICMP is the only protocol that makes sense). */
export type FlowTarget =
  | { kind: 'service'; namespace: string; name: string; port: string | undefined }
  | { kind: 'pod'; namespace: string; name: string; port: number | undefined }
  | { kind: 'address'; address: string; port: number | undefined };

/** What is to be traced. */
export interface Flow {
  from: FlowSource;
  to: FlowTarget;
  protocol: TraceProtocol;
  /** Left out: a port that no connection has used, so that no entry of connection tracking exists. */
  sourcePort?: number;
  /** Layer-3 length in bytes of every packet of the flow, with "don't fragment"; `full`: as much as the sender's own device takes. Left out: small. */
  length?: number | 'full';
  /** `first`: the request and, where it is delivered, its answer. `reply`: the answer, whether or not the request gets through. */
  packet: 'first' | 'reply';
}

/** How a way ends (closed list). */
export const dispositions = [
  'delivered',
  'rejected',
  'dropped',
  'denied-in',
  'denied-out',
  'no-route',
  'neighbour-unreachable',
  'no-endpoint',
  'loop',
  'insufficient-info',
] as const;
/**
 * - `delivered`: the request reached a socket (or the pod, where no socket is asked for) and its answer came back.
 * - `rejected`: refused with an ICMP error or a TCP reset; `dropped`: gone without a word.
 * - `denied-in`, `denied-out`: by a chain in which a network policy agent keeps the rules of the receiving or the sending pod.
 * - `no-route`: no route, or a route or rule that refuses (blackhole, unreachable, prohibit), or forwarding is off.
 * - `neighbour-unreachable`: nobody answers for the next hop.
 * - `no-endpoint`: kube-proxy's own rule for a Service without endpoints.
 * - `loop`: it comes to a place again where it was already.
 * - `insufficient-info`: what decides was not read, or can't be told from tables.
 */
export type Disposition = (typeof dispositions)[number];

/** What becomes of packets, in a word: `lost` are those that end before they get there and back, wherever and however. */
export type Fate = 'delivered' | 'lost' | 'unknown';

export function fateOf(disposition: Disposition): Fate {
  if (disposition === 'delivered') return 'delivered';
  return disposition === 'insufficient-info' ? 'unknown' : 'lost';
}

export const stepKinds = [
  'name',
  'send',
  'rules',
  'conntrack',
  'route',
  'source-check',
  'neighbour',
  'device',
  'bridge',
  'encapsulate',
  'decapsulate',
  'wire',
  'deliver',
] as const;
export type StepKind = (typeof stepKinds)[number];

/** One thing that happens to the packet at a place. */
export interface Step {
  kind: StepKind;
  /** What happens, in one sentence with this cluster's names. */
  says: string;
  /** The same in a few words for the hop's one line; empty where it is not worth a word. */
  brief: string;
  /** The lines that decided it. */
  evidence: EvidenceRef[];
  /** The device that the packet passes here, as a capture on it would see it. */
  passes?: { device: string; direction: 'in' | 'out' };
  /** Set where the packet does not fit a device. */
  tooLong?: TooLong;
}

/** A device that a packet does not fit. Lengths are of layer 3, in bytes. */
export interface TooLong {
  device: string;
  mtu: number;
  /** Whose MTU it is: the device's own, or that of the route by which the packet leaves there. */
  by: 'device' | 'route';
  /** The longest packet of the flow itself, without the headers of tunnels around it, that would have fitted. */
  carries: number;
  /** Bytes that the tunnels' headers put around it there. */
  around: number;
  /**
   * What becomes of a longer one. `refused`: the sender's own kernel says so; `icmp`: a router drops it and tells the sender; `silent`: dropped without a
   * word; `fragments`: the tunnel's packet is cut up and goes on; `unclear`: the device's driver decides.
   */
  answer: 'refused' | 'icmp' | 'silent' | 'fragments' | 'unclear';
}

/** A pod or node on the way, or the network outside. */
export interface HopPlace {
  kind: 'pod' | 'node' | 'outside';
  namespace?: string;
  name: string;
  /** The node that a pod runs on. */
  node?: string;
}

export interface Hop {
  place: HopPlace;
  direction: 'request' | 'reply';
  /** The packet as it comes to the hop and as it leaves it, `10.244.1.3 -> 10.96.0.10:53 udp`. */
  arrives: string;
  leaves: string;
  steps: Step[];
}

/** One possible way of a flow. */
export interface Trace {
  flow: Flow;
  /** Share of packets that go this way, 0 to 1. */
  share: number;
  hops: Hop[];
  disposition: Disposition;
  /** Where and why it ends, in one sentence. */
  why: string;
  /** What was taken for granted because it was not read, in words. */
  assumed: string[];
}
