import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { describeDecision } from '../passage-rules.ts';
import { tellsTooBig } from '../too-big.ts';
import { notForwarding } from './forwarding.ts';
import { type Routed, routeOf } from './route.ts';
import { passHook } from './rules.ts';
import { tooLongFor } from './size.ts';
import { checkSource } from './source-check.ts';
import { ownerOf } from './stations.ts';
import { confirm, trackPacket } from './tracking.ts';
import { atStation, describePacket, ended, going, mayBeCut, nameOf, type Stage, type Station, type Way, type World } from './way.ts';

/**
 * A packet that comes to the IP layer of a station (ip_rcv, ip_route_input_slow, ip_forward): PREROUTING, the route, the look at its source, and
 * then INPUT, or forwarding with its setting, its MTU, FORWARD and POSTROUTING.
 */
export const input: Stage<'input'> = (world, way, { station, device, prerouted, port }) => {
  const here = atStation(way, station);
  if (prerouted) return routed(world, here, station, device);
  // What a process of the station sends to itself is known to connection tracking already.
  const tracked = device === 'lo' ? attached(here) : trackPacket(world, here, station);
  const { on, over } = passHook(world, tracked, station, 'prerouting', { in: device, bridgeIn: port });
  return [...over, ...on.flatMap((passed) => routed(world, passed, station, device))];
};

const attached = (way: Way): Way => ({ ...way, packet: { ...way.packet, conntrack: { ...way.packet.conntrack, attached: true } } });

function routed(world: World, way: Way, station: Station, device: string): Way[] {
  return routeOf(way, station, device === 'lo' ? undefined : device).flatMap((route) => {
    if (route.to === 'over') return route.ways;
    if (route.to === 'device') {
      const stopped = notForwarding(route.way, station, device);
      if (stopped) return stopped;
    }
    const checked = checkSource(route.way, station, device);
    if (!checked.passes) return checked.ways;
    return route.to === 'local' ? toStation(world, checked.way, station, device) : forward(world, checked.way, station, device, route);
  });
}

function toStation(world: World, way: Way, station: Station, device: string): Way[] {
  const { on, over } = passHook(world, way, station, 'input', { in: device });
  return [...over, ...on.map((passed) => going(confirm(passed, station), { at: 'deliver', station, device }))];
}

function forward(world: World, way: Way, station: Station, device: string, route: Extract<Routed, { to: 'device' }>): Way[] {
  // A station that forwards the same packet a second time will do so until its TTL is used up.
  const visit = `${station.key} ${device} ${way.inside.length} ${way.direction} ${describePacket(way.packet)}`;
  if (way.visited.includes(visit)) return looped(way, station);
  const spent = timeExceeded(way, station);
  if (spent) return spent;
  const { limit } = route;
  const isTooLong = limit !== undefined && (way.packet.length ?? 0) > limit.mtu;
  if (isTooLong && !mayBeCut(way.packet)) {
    const told = tellsSender(world, way, station);
    const says = `${nameOf(station)} does not forward ${way.packet.length} bytes by ${route.device}: mtu ${limit.mtu}; ${told.says}`;
    const tooLong = tooLongFor(way, limit, 'icmp');
    return ended(way, 'dropped', {
      kind: 'device',
      says,
      brief: `mtu ${limit.mtu}`,
      evidence: [limit.evidence, ...told.evidence],
      tooLong,
    });
  }
  const cut = isTooLong ? { ...way.packet, length: limit.mtu } : way.packet;
  const marked = { ...way, visited: [...way.visited, visit], packet: { ...cut, ttl: (way.packet.ttl ?? 64) - 1 } };
  const devices = { in: device, out: route.device, gateway: route.gateway };
  const forwarded = passHook(world, marked, station, 'forward', devices);
  const left = forwarded.on.map((passed) => passHook(world, passed, station, 'postrouting', { out: route.device, gateway: route.gateway }));
  const next = { at: 'transmit', station, device: route.device, gateway: route.gateway } as const;
  return [...forwarded.over, ...left.flatMap(({ on, over }) => [...over, ...on.map((passed) => going(confirm(passed, station), next))])];
}

/** ip_forward: what has no hop left is not forwarded; a rule of this or of an earlier station set it so low, because nobody sends with less than 30. */
function timeExceeded(way: Way, station: Station): Way[] | undefined {
  const { ttl } = way.packet;
  if (ttl === undefined || ttl > 1) return undefined;
  const says = `${nameOf(station)} does not forward it: its TTL is ${ttl}, set by a rule that it came through; the sender is told "time exceeded"`;
  return ended(way, 'dropped', { kind: 'route', says, brief: `TTL ${ttl}`, evidence: [] });
}

/** Whether the sender gets to know, as far as rules decide it. */
function tellsSender({ facts, stations }: World, { packet }: Way, station: Station): { says: string; evidence: EvidenceRef[] } {
  const icmp = 'ICMP "fragmentation needed"';
  const sender = stations.find((candidate) => ownerOf(candidate, packet.source));
  const node = sender?.place.kind === 'pod' ? sender.place.node : sender?.place.name;
  if (sender === undefined || station.place.kind !== 'node')
    return { says: `it answers with ${icmp}, and whether that gets to ${packet.source} is not known`, evidence: [] };
  const to = { address: packet.source, node: node ?? null, pod: sender.pod, isNode: sender.place.kind === 'node' };
  const verdict = tellsTooBig(facts, station.place.name, to);
  if (verdict.state === 'passes') return { says: `it answers with ${icmp}`, evidence: [] };
  if (verdict.state === 'unknown')
    return { says: `it answers with ${icmp}, and whether that gets to the sender can't be told (${verdict.detail})`, evidence: [] };
  const { decision, entry } = verdict.stop;
  return {
    says: `its ${icmp} does not get to the sender (${describeDecision(decision)})`,
    evidence: [evidence(entry, decision.line)],
  };
}

const looped = (way: Way, station: Station): Way[] =>
  ended(way, 'loop', {
    kind: 'route',
    says: `it comes to ${nameOf(station)} again and again: a loop`,
    brief: 'loop',
    evidence: way.hops.flatMap((hop) => hop.steps.filter((step) => step.kind === 'route').flatMap((step) => step.evidence)).slice(-4),
  });
