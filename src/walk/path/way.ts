import type { Facts } from '../../facts/facts.ts';
import type { NamespaceFacts } from '../../facts/node-facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import type { NetfilterRuleset } from '../../model/netfilter.ts';
import type { Observed } from '../../model/observed.ts';
import type { ConntrackTuple, Packet } from '../../model/packet.ts';
import type { Disposition, Flow, Hop, HopPlace, Step } from '../../model/trace.ts';
import type { Pod } from '../../schema/kubernetes.ts';

/** A network namespace that packets pass: a node's or a pod's. */
export interface Station {
  /** Prefix of its snapshot entries, `node/n1` or `pod/default/client`. */
  key: string;
  place: HopPlace;
  net: NamespaceFacts;
  pod: Pod | undefined;
}

/** What one walk is about. */
export interface World {
  facts: Facts;
  flow: Flow;
  /** Every namespace of which anything was read. */
  stations: readonly Station[];
  /** Where the flow starts; undefined for one from outside. */
  origin: Station | undefined;
  /** What the client asked: the address and port that the answer has to come from. */
  asked: { destination: string; destinationPort: number | undefined };
  /** ClusterIPs, external addresses and the like, which nobody outside of the cluster answers for. */
  virtualAddresses: ReadonlySet<string>;
  rulesets(station: Station, family: Packet['family']): Observed<NetfilterRuleset[]>;
}

/** A packet inside the one that is under way. */
export interface Inside {
  packet: Packet;
  /** Kind of the device that put it there. */
  kind: string;
  vni: number | undefined;
  /** Destination MAC of the frame inside; undefined for tunnels that carry no frames. */
  mac: string | undefined;
  /** Where the sender looked up the far end: what to quote when that turns out wrong. */
  evidence: EvidenceRef[];
}

/** A connection as one namespace's table holds it: its first packet, and the answer that it waits for. */
export interface Connection {
  protocol: string;
  original: ConntrackTuple;
  reply: ConntrackTuple;
  mark: number | undefined;
  /** See {@link ConntrackView}; left out for an entry of the table, which does not show it. */
  masqueradedBy?: string | null;
  /** An answer has come back already. */
  replied: boolean;
  /** The entry's line, for one that was in the table before. */
  evidence: EvidenceRef[];
}

/** What happens to the packet next. A stage takes one event and gives the ways on from it. */
export type Event =
  /** A process of the station sends it. */
  | { at: 'send'; station: Station }
  /** It is handed to a device, towards a next hop. */
  | { at: 'transmit'; station: Station; device: string; gateway: string }
  /** A frame is on a bridge; `from` is the port that it came by, undefined for the bridge's own. */
  | { at: 'bridge'; station: Station; bridge: string; from: string | undefined; mac: string | undefined }
  /** It is put into a tunnel; `mac` for tunnels that carry frames. */
  | { at: 'encapsulate'; station: Station; device: string; gateway: string; mac: string | undefined; evidence: EvidenceRef[] }
  /** It leaves for a network that no table describes. */
  | { at: 'wire'; station: Station; device: string; gateway: string; mac: string | undefined; evidence: EvidenceRef[] }
  /** A frame comes to a device. */
  | { at: 'arrive'; station: Station; device: string; mac: string | undefined }
  /** A packet comes to the IP layer; `prerouted` when PREROUTING was passed on the bridge already. */
  | { at: 'input'; station: Station; device: string; prerouted: boolean; port: string | undefined }
  /** It was accepted for the station itself. */
  | { at: 'deliver'; station: Station; device: string }
  /** `station`: where it was delivered. */
  | { at: 'end'; disposition: Disposition; why: string; station?: Station };

/** One way under way. Ways are never changed, only replaced. */
export interface Way {
  share: number;
  packet: Packet;
  /** Innermost first: the last one is directly inside the packet. */
  inside: readonly Inside[];
  direction: 'request' | 'reply';
  /** What each namespace's connection tracking learnt on this way, by station key. */
  tracked: ReadonlyMap<string, readonly Connection[]>;
  /** Set by OUTPUT: the packet as it was each time that it was routed again. */
  reroutes: readonly Packet[];
  hops: readonly Hop[];
  assumed: readonly string[];
  /** Where it was forwarded already, and as what. */
  visited: readonly string[];
  /** From which far ends VXLAN devices of a station have got frames on this way: they learn from the first one where to send the answer. */
  learnt: readonly { key: string; device: string; far: string }[];
  /** Translations, name and rules that led here: quoted where what they chose turns out not to exist. */
  chosenBy: readonly EvidenceRef[];
  next: Event;
}

/** A stage: what an event does to a way. */
export type Stage<At extends Event['at']> = (world: World, way: Way, event: Extract<Event, { at: At }>) => Way[];

export const withStep = (way: Way, step: Step): Way => {
  const last = way.hops.at(-1);
  if (last === undefined) return way;
  return { ...way, hops: [...way.hops.slice(0, -1), { ...last, leaves: describePacket(way.packet), steps: [...last.steps, step] }] };
};

/** Begins a hop at a station, unless the way is there already. */
export const atStation = (way: Way, { place }: Pick<Station, 'place'>): Way => {
  const last = way.hops.at(-1);
  const packet = describePacket(way.packet);
  if (last && samePlace(last.place, place) && last.direction === way.direction) return way;
  return { ...way, hops: [...way.hops, { place, direction: way.direction, arrives: packet, leaves: packet, steps: [] }] };
};

const samePlace = (a: HopPlace, b: HopPlace): boolean => a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;

export const going = (way: Way, next: Event): Way => ({ ...way, next });

/** Ends a way; the last step says why and on which lines it rests. */
export const ended = (way: Way, disposition: Disposition, step: Step): Way[] => [
  { ...withStep(way, step), next: { at: 'end', disposition, why: step.says } },
];

export const assuming = (way: Way, sentence: string): Way =>
  way.assumed.includes(sentence) ? way : { ...way, assumed: [...way.assumed, sentence] };

/** An answer to a ping has no "don't fragment", whatever the question had (icmp_sk_init in net/ipv4/icmp.c); what is cut counts by its longest part. */
export const mayBeCut = ({ protocol, icmpType }: Packet): boolean => protocol === 'icmp' && icmpType === 0;

/** `10.244.1.3 -> 10.96.0.10:53/udp`; the source port only where the flow names it or it tells something. */
export function describePacket(packet: Packet): string {
  const destination = packet.unknown?.includes('destination') ? 'an address that is not known' : packet.destination;
  const source = packet.unknown?.includes('source') ? 'an address that is not known' : packet.source;
  return `${withPort(source, packet.sourcePort)} -> ${withPort(destination, packet.destinationPort)} ${packet.protocol}`;
}

/** Ports that were made up for a packet without one are not shown. */
export const freshPort = 45_678;
export const withPort = (address: string, port: number | undefined): string => {
  if (port === undefined || port === freshPort) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
};

/** `node n1`, `pod default/client`. */
export const nameOf = ({ place }: Pick<Station, 'place'>): string =>
  place.kind === 'pod' ? `pod ${place.namespace}/${place.name}` : place.kind === 'node' ? `node ${place.name}` : place.name;
