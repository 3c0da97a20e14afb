import type { ConntrackView, Packet } from '../../src/model/packet.ts';
import { newConnection } from '../../src/model/packet.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { type NodeSurroundings, type Passage, type RouteDecision, traverseNode } from '../../src/walk/netfilter/traverse.ts';
import type { WalkContext } from '../../src/walk/netfilter.ts';
import { rulesets6Of, rulesetsOf } from '../../src/walk/node-rules.ts';
import { contextAt, sourceOn } from '../../src/walk/path/context.ts';
import { checkSource } from '../../src/walk/path/source-check.ts';
import { ownerOf } from '../../src/walk/path/stations.ts';
import { reversed, tupleOf } from '../../src/walk/path/tracking.ts';
import type { Station } from '../../src/walk/path/way.ts';
import { lookupRoute } from '../../src/walk/route-lookup.ts';
import type { Flow } from './case.ts';
import { type DeviceName, deviceNames, devices } from './lab.ts';
import type { Seen } from './read.ts';
import { fieldsOf } from './wire.ts';

/** What may become of a packet, in the words of {@link import('./observe.ts')}; undefined: the walk can't tell, because of `why`. */
export interface Prediction {
  ends: string[];
  why: string | undefined;
  passages: Passage[];
}

/** Connection tracking's view of a packet that is not the first of its connection. */
export type View = ConntrackView & { mark: number };

/** Walks one packet through the router's rules and routes as they were read. */
export function predict(station: Station, flow: Flow, view?: View): Prediction {
  const first = packetOf(flow);
  const rulesets = first.family === 'ip' ? rulesetsOf(station.net) : rulesets6Of(station.net);
  if (rulesets.state !== 'seen' || !rulesets.complete) return { ends: [], why: unreadLine(station), passages: [] };
  const doubts: string[] = [];
  const around = surroundings(station, flow, doubts);
  const context: WalkContext = contextOn(station, flow);
  const packet = view === undefined ? first : { ...first, conntrack: view, connectionMark: view.mark };
  const passages = traverseNode(rulesets.value, packet, around, context);
  const ends = passages.flatMap((passage) => endsOf(passage, { flow, view }, station, rulesets.value, doubts));
  const open = passages.find(({ outcome }) => outcome.verdict === 'insufficient-info' || outcome.assumptions.length > 0);
  const why = open === undefined ? doubts[0] : `${open.outcome.why ?? open.outcome.assumptions[0]?.why}: ${open.outcome.decidedBy?.text}`;
  return { ends: [...new Set(ends)].sort(), why, passages };
}

/** nft's fib looks for an IPv4 address among local and broadcast ones only, for an IPv6 address in all routes, which may refuse it. */
function contextOn(station: Station, flow: Flow): WalkContext {
  const refuses = /\b(blackhole|prohibit|unreachable|throw)\b/;
  const isPlain = !['ip-route', 'ip-6-rule'].some((name) => refuses.test(station.net.entry(name)?.stdout ?? ''));
  const addressType = () => (isPlain || packetOf(flow).family === 'ip' ? 'UNICAST' : undefined);
  return { ...contextAt(station, undefined), addressType };
}

/** Names the first line that no parser understood. */
function unreadLine({ net }: Station): string {
  const outputs = [
    parseIptablesSave(net.entry('iptables-save')?.stdout ?? ''),
    parseIptablesSave(net.entry('ip6tables-save')?.stdout ?? '', { family: 'ip6' }),
    parseIptablesSave(net.entry('iptables-legacy-save')?.stdout ?? ''),
    parseNftText(net.entry('nft')?.stdout ?? ''),
  ];
  const [line] = outputs.flatMap(({ unparsed }) => unparsed);
  return line === undefined ? 'not all rules were read' : `not understood: ${line.text} (${line.why})`;
}

export const packetOf = (flow: Flow): Packet =>
  newConnection({
    ...fieldsOf(flow),
    mark: flow.mark,
    ...(flow.device === undefined ? { owner: { uid: 0, gid: 0 } } : { inInterface: flow.device, owner: null }),
    bridgeIn: null,
    bridgeOut: null,
  });

function surroundings(station: Station, flow: Flow, doubts: string[]): NodeSurroundings {
  return {
    origin: flow.device === undefined ? 'local' : 'network',
    route: (packet) => {
      if (flow.device !== undefined && !isSourceValid(station, packet, flow.device, doubts)) return { to: 'nowhere' };
      return routeOf(station, packet, flow.device, doubts);
    },
  };
}

/** Martians, and rp_filter. */
function isSourceValid(station: Station, packet: Packet, device: string, doubts: string[]): boolean {
  if (packet.destination.startsWith('127.')) return false;
  const way = {
    packet,
    hops: [],
    assumed: [],
    share: 1,
    inside: [],
    direction: 'request' as const,
    tracked: new Map(),
    reroutes: [],
    visited: [],
    learnt: [],
    chosenBy: [],
  };
  const checked = checkSource({ ...way, next: { at: 'send', station } }, station, device);
  if (!checked.passes && checked.ways.some(({ next }) => next.at === 'end' && next.disposition === 'insufficient-info'))
    doubts.push(`whether the source ${packet.source} is valid on ${device}`);
  return checked.passes;
}

function routeOf(station: Station, packet: Packet, iif: string | undefined, doubts: string[]): RouteDecision {
  const decision = lookupRoute(station.net, {
    to: packet.destination,
    from: packet.source,
    iif,
    mark: packet.mark,
    protocol: packet.protocol,
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
  });
  if (packet.unknown?.some((field) => field === 'mark' || field === 'destination')) doubts.push('the mark or destination is not known');
  if (decision.state !== 'seen' || !decision.complete) {
    doubts.push(`the route to ${packet.destination} can't be told`);
    return { to: 'nowhere' };
  }
  const { route, dev } = decision.value;
  if (route === null || (route.type !== 'unicast' && route.type !== 'local') || dev === undefined) return { to: 'nowhere' };
  return route.type === 'local' ? { to: 'local' } : { to: 'device', outInterface: dev };
}

interface Sent {
  flow: Flow;
  /** Undefined for the first packet of a connection. */
  view: View | undefined;
}

/** An end as it is seen from outside: what the router sends back of itself has to get out, too. */
function endsOf(
  passage: Passage,
  { flow, view }: Sent,
  station: Station,
  rulesets: Parameters<typeof traverseNode>[0],
  doubts: string[],
): string[] {
  const { outcome, end } = passage;
  const ends = endsText(outcome.packet);
  if (end === 'sent') return [`${outcome.packet.outInterface} ${ends}`];
  if (end === 'delivered-locally') return [`router ${ends}`];
  if (end === 'no-route') return ['unrouted'];
  if (outcome.verdict !== 'reject' || flow.device === undefined) return ['gone'];
  const refusal = refusalOf(outcome.rejectWith ?? '', outcome.packet.family);
  const answer = answerTo(passage, refusal, station, { device: flow.device, view });
  const context: WalkContext = contextOn(station, flow);
  // An error of IPv4 is first routed without a source, which the route then gives it, unless the packet was for the router itself (icmp_route_lookup).
  let isFirst = refusal !== 'reset' && passage.hook !== 'input' && answer.family === 'ip';
  const route = (packet: Packet): RouteDecision => {
    const asked = isFirst ? { ...packet, source: '0.0.0.0' } : packet;
    isFirst = false;
    return routeOf(station, asked, undefined, doubts);
  };
  const ways = traverseNode(rulesets, answer, { origin: 'local', route }, context);
  if (ways.some((way) => way.outcome.verdict === 'insufficient-info')) doubts.push('whether the refusal gets out');
  return ways.map((way) => (way.end === 'sent' ? refusal : 'gone'));
}

/** `10.1.0.2:20000>10.2.0.2:80`; what is not known is `*`. */
export function endsText(
  packet: Pick<Packet, 'source' | 'destination' | 'sourcePort' | 'destinationPort' | 'protocol' | 'unknown'>,
): string {
  const known = (end: 'source' | 'destination'): string => (packet.unknown?.includes(end) ? '*' : packet[end]);
  if (packet.protocol.startsWith('icmp')) return `${known('source')}>${known('destination')}`;
  return `${known('source')}:${packet.sourcePort ?? '*'}>${known('destination')}:${packet.destinationPort ?? '*'}`;
}

/** Codes of RFC 792 and 1122 by the names that iptables and nft use. */
const codes: Readonly<Record<string, number>> = {
  'net-unreachable': 0,
  'no-route': 0,
  'host-unreachable': 1,
  'proto-unreachable': 2,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
};

/** RFC 4443, by the same names: 3.1, and what nft's icmpx means in IPv6. */
const codes6: Readonly<Record<string, number>> = {
  'no-route': 0,
  'net-unreachable': 0,
  'admin-prohibited': 1,
  'adm-prohibited': 1,
  'host-unreachable': 3,
  'addr-unreachable': 3,
  'port-unreachable': 4,
  'policy-fail': 5,
  'reject-route': 6,
};

function refusalOf(rejectWith: string, family: Packet['family']): string {
  if (rejectWith === 'tcp-reset') return 'reset';
  const name = rejectWith.replace(/^icmp(x|v?6)?-/, '');
  return family === 'ip' ? `icmp 3/${codes[name] ?? rejectWith}` : `icmp 1/${codes6[name] ?? rejectWith}`;
}

/**
 * The packet by which the router refuses. Resets and ICMP errors are given the refused packet's connection (nf_ct_attach in nf_send_reset and
 * icmp_glue_bits). It comes from the address that the packet was for, or that the route gives (icmp_send).
 */
function answerTo(
  passage: Passage,
  refusal: string,
  station: Station,
  { device, view }: { device: DeviceName; view: View | undefined },
): Packet {
  const { packet } = passage.outcome;
  const isReset = refusal === 'reset';
  const base = newConnection({
    family: packet.family,
    source: isReset || isForRouter(passage, station) ? packet.destination : ownAddressTo(packet, station, device),
    destination: packet.source,
    protocol: isReset ? 'tcp' : packet.family === 'ip' ? 'icmp' : 'icmpv6',
    ...(isReset
      ? { sourcePort: packet.destinationPort ?? 0, destinationPort: packet.sourcePort ?? 0, tcpFlags: ['RST', 'ACK'] }
      : { icmpType: packet.family === 'ip' ? 3 : 1, icmpCode: Number(refusal.split('/')[1]) }),
    ttl: 64,
    // An error of IPv4 is network control (RFC 1812, 4.3.2.5).
    dscp: isReset || packet.family === 'ip6' ? 0 : 48,
    owner: null,
  });
  // What is refused before its connection was looked up gives it to no answer; OUTPUT finds it by the packet that the error quotes (nf_conntrack_icmp_error).
  const isLateFound = packet.conntrack.state === 'invalid' && view !== undefined && !isReset;
  const conntrack = isLateFound ? view : packet.conntrack;
  const isKnown = conntrack.state !== 'untracked' && conntrack.state !== 'invalid';
  const own: ConntrackView = isKnown
    ? { ...conntrack, state: 'related', direction: conntrack.direction === 'original' ? 'reply' : 'original', attached: true }
    : { state: 'invalid', status: [], direction: 'original', natSettled: [] };
  return {
    ...base,
    conntrack: own,
    ...(packet.connectionMark === undefined || !isKnown ? {} : { connectionMark: isLateFound ? view.mark : packet.connectionMark }),
  };
}

/** IPv4 asks the packet's route, which is there behind PREROUTING (icmp_send), IPv6 its own addresses (icmp6_send). */
const isForRouter = ({ outcome: { packet }, hook }: Passage, station: Station): boolean =>
  packet.family === 'ip' ? hook === 'input' : ownerOf(station, packet.destination) !== undefined;

/** An error of IPv4 comes from the device that it leaves by, one of IPv6 from the device that the refused packet came in by. */
function ownAddressTo({ source, family }: Packet, station: Station, device: DeviceName): string {
  if (family === 'ip6') return sourceOn(station, device, source) ?? '';
  const decision = lookupRoute(station.net, { to: source, from: '0.0.0.0', mark: 0, protocol: 'icmp' });
  const out = decision.state === 'seen' ? decision.value.dev : undefined;
  return deviceNames.find((name) => name === out) === undefined ? '' : devices[out as DeviceName].address;
}

/** The view of later packets of a connection whose first one came out as was seen. Undefined for a packet that belongs to none. */
export function viewAfter({ outcome: { packet } }: Passage, flow: Flow, direction: 'original' | 'reply', seen: Seen): View | undefined {
  if (packet.conntrack.state !== 'new' || packet.unknown?.includes('connectionMark')) return undefined;
  const { source, destination } = seen;
  const ports = flow.protocol === 'icmp' ? {} : { sourcePort: seen.sourcePort, destinationPort: seen.destinationPort };
  const original = tupleOf(packetOf(flow));
  const reply = reversed({ source, destination, ...ports });
  const status = [...packet.conntrack.status, 'confirmed', 'seen-reply'];
  return {
    state: 'established',
    status,
    direction,
    original,
    reply,
    masqueradedBy: packet.conntrack.masqueradedBy ?? null,
    natSettled: ['source', 'destination'],
    mark: packet.connectionMark ?? 0,
  };
}
