import type { Facts } from '../facts/facts.ts';
import { newConnection, type Packet } from '../model/packet.ts';
import type { Disposition, Flow, Hop, Trace } from '../model/trace.ts';
import { arrive } from './path/arrive.ts';
import { bridge } from './path/bridge.ts';
import { deliver } from './path/deliver.ts';
import { type Destination, destinationsOf } from './path/destination.ts';
import { input } from './path/input.ts';
import { withRemarks } from './path/remarks.ts';
import { fullLength, send } from './path/send.ts';
import { deviceOf, nodeByAddress, ownerOf } from './path/stations.ts';
import { reversed } from './path/tracking.ts';
import { transmit } from './path/transmit.ts';
import { encapsulate } from './path/tunnel.ts';
import { atStation, freshPort, type Station, type Way, type World, withStep } from './path/way.ts';
import { wire } from './path/wire.ts';
import { createWorld, familyOf } from './path/world.ts';

/**
 * The ways that a flow's first packet, and then its answer, take through the tables of the snapshot: a function of the facts alone. Shares add up
 * to 1. A way that the tables do not decide ends in `insufficient-info` and says which line or reading is missing.
 */
export function traceFlow(facts: Facts, flow: Flow): Trace[] {
  const world = createWorld(facts, flow);
  const destinations = destinationsOf(world);
  const place = placeOf(world);
  if ('unknown' in destinations) return [unstarted(flow, place, destinations.unknown, destinations.evidence)];
  return destinations.found.flatMap((destination) => {
    const asking: World = { ...world, asked: { destination: destination.address, destinationPort: destination.port } };
    const starts = startsOf(asking, destination);
    if (starts.length === 0) return [unstarted(flow, place, `nothing was read of ${placeWords(place)}, where the flow starts`, [])];
    const requests = withRemarks(
      asking,
      destination,
      starts.flatMap((start) => run(asking, start)),
    );
    return requests.flatMap((request) => withAnswer(asking, request)).map((way) => toTrace(flow, way));
  });
}

const stages = { send, transmit, bridge, encapsulate, wire, arrive, input, deliver };
/** No path is that long; a longer one goes round. */
const mostEvents = 400;
/** Ways that are followed; of a Service with more endpoints the rest is named, not walked. */
const mostWays = 512;

function run(world: World, start: Way): Way[] {
  const done: Way[] = [];
  let open: Way[] = [start];
  for (let events = 0; open.length > 0; events += 1) {
    if (events > mostEvents || done.length + open.length > mostWays)
      return [
        ...done,
        ...open.map((way) =>
          stop(way, `more than ${events > mostEvents ? `${mostEvents} things happen to it` : `${mostWays} ways`}: not followed further`),
        ),
      ];
    open = open.flatMap((way) => advance(world, way));
    done.push(...open.filter((way) => way.next.at === 'end'));
    open = open.filter((way) => way.next.at !== 'end');
  }
  return done;
}

const stop = (way: Way, why: string): Way => ({ ...way, next: { at: 'end', disposition: 'insufficient-info', why } });

function advance(world: World, way: Way): Way[] {
  const { next } = way;
  if (next.at === 'end') return [way];
  // Each stage takes the event of its own name; the table of stages says so, and the compiler can't follow it through the lookup.
  const stage = stages[next.at] as (world: World, way: Way, event: typeof next) => Way[];
  return stage(world, way, next);
}

function placeOf({ flow, origin }: World): Hop['place'] {
  if (origin) return origin.place;
  const { from } = flow;
  if (from.kind === 'outside') return { kind: 'outside', name: from.address };
  return from.kind === 'pod' ? { kind: 'pod', namespace: from.namespace, name: from.name } : { kind: 'node', name: from.name };
}

const placeWords = ({ kind, namespace, name }: Hop['place']): string =>
  kind === 'outside' ? 'a node to come in by' : `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

const unstarted = (flow: Flow, place: Hop['place'], why: string, refs: Hop['steps'][number]['evidence']): Trace => ({
  flow,
  share: 1,
  hops: [{ place, direction: 'request', arrives: '', leaves: '', steps: [{ kind: 'name', says: why, brief: 'no start', evidence: refs }] }],
  disposition: 'insufficient-info',
  why,
  assumed: [],
});

function startsOf(world: World, destination: Destination): Way[] {
  const { origin, flow } = world;
  const packet = firstPacket(flow, sourceOf(world, destination.address), destination);
  const start: Omit<Way, 'next'> = {
    share: destination.share,
    packet,
    inside: [],
    direction: 'request',
    tracked: new Map(),
    reroutes: [],
    hops: [],
    assumed: destination.assumed === undefined ? [] : [destination.assumed],
    visited: [],
    learnt: [],
    chosenBy: destination.step?.evidence ?? [],
  };
  if (origin) {
    const here = atStation({ ...start, next: { at: 'send', station: origin } }, origin);
    return [destination.step ? withStep(here, destination.step) : here];
  }
  return flow.from.kind === 'outside' ? fromOutside(world, start, destination.address) : [];
}

/** From outside a packet comes to the node that has the address, else to any node: each is a way of its own. */
function fromOutside(world: World, start: Omit<Way, 'next'>, address: string): Way[] {
  const owner = nodeByAddress(world, address)?.station;
  const nodes = owner ? [owner] : world.stations.filter(({ place }) => place.kind === 'node');
  return nodes.flatMap((station) => {
    const device = entrance(world, station, address);
    if (device === undefined) return [];
    return [{ ...start, share: start.share / nodes.length, next: { at: 'arrive' as const, station, device, mac: undefined } }];
  });
}

/** The device that has the address, else the one that has the node's own. */
function entrance(world: World, station: Station, address: string): string | undefined {
  const own = ownerOf(station, address) ?? ownerOf(station, world.facts.nodeAddress(station.place.name) ?? '');
  return own && deviceOf(station, own.device) ? own.device : undefined;
}

function sourceOf({ flow, origin }: World, destination: string): string {
  if (flow.from.kind === 'outside') return flow.from.address;
  const family = familyOf(destination);
  const own = origin?.pod?.status;
  return (
    [own?.podIP ?? '', ...(own?.podIPs ?? []).map(({ ip }) => ip)].find((address) => address !== '' && familyOf(address) === family) ?? ''
  );
}

function firstPacket(flow: Flow, source: string, { address, port }: Destination): Packet {
  const family = familyOf(address);
  const isIcmp = flow.protocol === 'icmp';
  return newConnection({
    family,
    source,
    destination: address,
    protocol: isIcmp && family === 'ip6' ? 'icmpv6' : flow.protocol,
    ...(isIcmp
      ? { icmpType: family === 'ip6' ? 128 : 8, icmpCode: 0 }
      : { sourcePort: flow.sourcePort ?? freshPort, ...(port === undefined ? {} : { destinationPort: port }) }),
    length: lengthOf(flow),
    ttl: 64,
    fragment: false,
  });
}

const lengthOf = ({ length }: Flow): number => (length === 'full' ? fullLength : (length ?? 60));

/** Follows the answer of a request that was delivered; where only the answer is asked for, also of one that was not. */
function withAnswer(world: World, request: Way): Way[] {
  const { next } = request;
  if (next.at !== 'end') return [request];
  if (next.disposition === 'delivered' && request.packet.unknown?.includes('source'))
    return [stop(request, 'it is delivered; where the answer goes is not known, since the address that masquerading chose is not')];
  if (next.disposition === 'delivered' && next.station) return run(world, answerTo(world, request, next.station, request.packet));
  if (world.flow.packet !== 'reply') return [request];
  const meant = request.inside[0]?.packet ?? request.packet;
  const station = world.stations.find((one) => ownerOf(one, meant.destination) !== undefined);
  return station ? run(world, answerTo(world, request, station, meant)) : [request];
}

function answerTo({ flow }: World, request: Way, station: Station, packet: Packet): Way {
  const { tcpFlags: _flags, sourcePort: _source, destinationPort: _destination, icmpType, ...rest } = packet;
  const answer: Packet = {
    ...rest,
    ...reversed(packet),
    ...(packet.protocol === 'tcp' ? { tcpFlags: ['SYN', 'ACK'] } : {}),
    ...(icmpType === undefined ? {} : { icmpType: icmpType === 128 ? 129 : 0 }),
    mark: 0,
    length: lengthOf(flow),
    ttl: 64,
  };
  const way: Way = {
    ...request,
    packet: answer,
    inside: [],
    direction: 'reply',
    reroutes: [],
    visited: [],
    next: { at: 'send', station },
  };
  return atStation(way, station);
}

function toTrace(flow: Flow, way: Way): Trace {
  const { next } = way;
  const end: { disposition: Disposition; why: string } =
    next.at === 'end' ? next : { disposition: 'insufficient-info', why: 'not followed to its end' };
  const isAnswer = flow.packet === 'reply' && way.direction === 'reply';
  return {
    flow,
    share: way.share,
    hops: isAnswer ? way.hops.filter((hop) => hop.direction === 'reply') : [...way.hops],
    disposition: end.disposition,
    why: end.why,
    assumed: [...way.assumed],
  };
}
