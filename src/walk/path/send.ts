import { evidence } from '../../model/evidence.ts';
import type { Packet } from '../../model/packet.ts';
import { sourceOn } from './context.ts';
import { type Routed, routeOf } from './route.ts';
import { passHook } from './rules.ts';
import { type Limit, limitWords, tooLongFor } from './size.ts';
import { confirm, trackPacket } from './tracking.ts';
import { atStation, ended, going, mayBeCut, nameOf, type Stage, type Station, type Way, type World, withStep } from './way.ts';

/**
 * A packet of the station's own: route, OUTPUT, the route again where OUTPUT changed what it is routed by (ip_route_me_harder), POSTROUTING.
 */
export const send: Stage<'send'> = (world, way, { station }) => {
  const here = atStation(way, station);
  return routeOf(here, station, undefined).flatMap((routed) => {
    if (routed.to === 'over') return routed.ways;
    const sourced = withSource(routed, station);
    if (sourced === undefined)
      return ended(routed.way, 'insufficient-info', {
        kind: 'send',
        says: `which address ${nameOf(station)} sends from is not known`,
        brief: 'no source',
        evidence: [evidence(`${station.key}/ip-addr`)],
      });
    const tracked = trackPacket(world, sourced, station);
    const { on, over } = passHook(world, tracked, station, 'output', { out: deviceNameOf(routed), gateway: gatewayOf(routed) });
    const refused = over.flatMap((stopped) => orLostBefore(stopped, tracked, station));
    return [...refused, ...on.flatMap((passed) => afterOutput(world, passed, station, routed))];
  });
};

function afterOutput(world: World, way: Way, station: Station, first: Routed): Way[] {
  return routesAgain(way, station, first).flatMap((routed) => {
    if (routed.to === 'over') return routed.ways;
    const { on, over } = passHook(world, routed.way, station, 'postrouting', { out: deviceNameOf(routed), gateway: gatewayOf(routed) });
    return [...over, ...on.flatMap((passed) => leave(confirm(passed, station), station, routed))];
  });
}

/**
 * Each change of what routes look at is looked up as the packet was then: a lookup without a way drops it, of the others the last one counts.
 * What else differs by then (NAT at the end of the hook) stays.
 */
function routesAgain(way: Way, station: Station, first: Routed): Routed[] {
  const last = way.reroutes.at(-1);
  if (last === undefined) return [{ ...first, way } as Routed];
  const { lost, share } = lookups(way, way.reroutes.slice(0, -1), station);
  const found = routeOf({ ...way, share, packet: last }, station, undefined);
  const kept = found.map((routed) => (routed.to === 'over' ? routed : { ...routed, way: { ...routed.way, packet: way.packet } }));
  return [{ to: 'over', ways: lost }, ...(share > 0 ? kept : [])];
}

/** A packet that a rule stopped may have been lost already, where it was routed again before. */
function orLostBefore(stopped: Way, before: Way, station: Station): Way[] {
  const { lost, share } = lookups({ ...before, share: stopped.share }, stopped.reroutes, station);
  if (lost.length === 0) return [stopped];
  return share > 0 ? [...lost, { ...stopped, share }] : lost;
}

/** Ways that ended because a lookup found no way, and the share of the packets for which each one found one. */
function lookups(way: Way, packets: readonly Packet[], station: Station): { lost: Way[]; share: number } {
  const lost: Way[] = [];
  let { share } = way;
  for (const packet of packets) {
    const routes = share > 0 ? routeOf({ ...way, share, packet }, station, undefined) : [];
    lost.push(...routes.flatMap((routed) => (routed.to === 'over' ? routed.ways : [])));
    share = routes.reduce((sum, routed) => (routed.to === 'over' ? sum : sum + routed.way.share), 0);
  }
  return { lost, share };
}

function leave(way: Way, station: Station, routed: Exclude<Routed, { to: 'over' }>): Way[] {
  if (routed.to === 'local') return [going(way, { at: 'input', station, device: 'lo', prerouted: false, port: undefined })];
  const { device, gateway, limit } = routed;
  const sized = way.packet.length === fullLength && limit ? { ...way, packet: { ...way.packet, length: limit.mtu } } : way;
  const isLonger = limit !== undefined && (sized.packet.length ?? 0) > limit.mtu;
  if (isLonger && way.inside.length === 0 && !mayBeCut(sized.packet)) return tooLong(sized, station, limit);
  // The packet of a tunnel, too, may be cut into fragments, of which the longest counts from here on.
  const cut = isLonger ? intoFragments(sized, station, limit) : sized;
  return [going(cut, { at: 'transmit', station, device, gateway })];
}

function intoFragments(way: Way, station: Station, limit: Limit): Way {
  const stepped = withStep(way, {
    kind: 'device',
    says: `${nameOf(station)} cuts the packet of ${way.packet.length} bytes into fragments: ${limitWords(limit)}`,
    brief: 'fragments',
    evidence: [limit.evidence],
    tooLong: tooLongFor(way, limit, 'fragments'),
  });
  return { ...stepped, packet: { ...way.packet, length: limit.mtu } };
}

/** Stands for "as long as the sender's device takes" until the device is known. */
export const fullLength = 65_535;

function tooLong(way: Way, station: Station, limit: Limit): Way[] {
  return ended(way, 'dropped', {
    kind: 'device',
    says: `${nameOf(station)} can't send ${way.packet.length} bytes by ${limit.device}: mtu ${limit.mtu} (message too long)`,
    brief: `mtu ${limit.mtu}`,
    evidence: [limit.evidence],
    tooLong: tooLongFor(way, limit, 'refused'),
  });
}

const deviceNameOf = (routed: Routed): string | undefined => (routed.to === 'device' ? routed.device : 'lo');
const gatewayOf = (routed: Routed): string | undefined => (routed.to === 'device' ? routed.gateway : undefined);

/** Source selection (ip-route(8)): the one of the caller, the route's `src`, an address of the outgoing device; to itself, the address itself. */
function withSource(routed: Exclude<Routed, { to: 'over' }>, station: Station): Way | undefined {
  const { way } = routed;
  if (way.packet.source !== '') return way;
  const source = routed.to === 'local' ? way.packet.destination : (routed.source ?? sourceOn(station, routed.device, routed.gateway));
  return source === undefined ? undefined : withStep({ ...way, packet: { ...way.packet, source } }, sourceStep(station, source));
}

const sourceStep = (station: Station, source: string) => ({
  kind: 'send' as const,
  says: `${nameOf(station)} sends from ${source}`,
  brief: '',
  evidence: [evidence(`${station.key}/ip-addr`)],
});
