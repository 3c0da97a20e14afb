import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Nexthop } from '../../model/route.ts';
import type { Disposition, Step } from '../../model/trace.ts';
import { lookupRoute, type RouteDecision } from '../route-lookup.ts';
import type { Limit } from './size.ts';
import { deviceLine, deviceOf, ownerOf } from './stations.ts';
import { assuming, ended, nameOf, type Station, type Way, withStep } from './way.ts';

/** Where the routes of a station send a packet. */
export type Routed =
  | { to: 'local'; way: Way }
  | { to: 'device'; way: Way; device: string; gateway: string; limit: Limit | undefined; source: string | undefined }
  | { to: 'over'; ways: Way[] };

/** Asks the rules and tables of a station; several ways out are several results, by their weight. */
export function routeOf(way: Way, station: Station, iif: string | undefined): Routed[] {
  const { packet } = way;
  if (packet.unknown?.includes('destination'))
    return over(way, 'insufficient-info', `the address that a rule of ${nameOf(station)} translates to is not known`, []);
  const decision = lookupRoute(station.net, {
    to: packet.destination,
    // A packet that has no source yet is looked up with none (ip_route_output_key_hash with saddr 0).
    from: packet.source === '' ? (packet.family === 'ip' ? '0.0.0.0' : '::') : packet.source,
    iif,
    mark: packet.unknown?.includes('mark') ? undefined : packet.mark,
    protocol: packet.protocol,
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
  });
  if (decision.state !== 'seen')
    return over(
      way,
      'insufficient-info',
      `the routes of ${nameOf(station)} are not known: ${decision.state === 'unknown' ? decision.detail : ''}`,
      [],
    );
  const answered = withRules(way, station, decision.complete, decision.value);
  if (answered.to === 'over') return [answered];
  const own = localByAddress(station, decision.value, packet.destination);
  if (own) return [{ to: 'local', way: withStep(answered.way, localStep(station, packet.destination, own)) }];
  return decided(answered.way, station, decision.value);
}

/** A pod's routing rules are hardly ever read; without them the kernel's own three are taken. */
function withRules(
  way: Way,
  station: Station,
  complete: boolean,
  { doubt }: RouteDecision,
): { to: 'on'; way: Way } | Extract<Routed, { to: 'over' }> {
  if (complete) return { to: 'on', way };
  const entry = rulesEntry(way, station);
  if (doubt)
    return {
      to: 'over',
      ways: ended(
        way,
        'insufficient-info',
        step(`it can't be told whether the routing rule "${doubt.text}" applies on ${nameOf(station)}`, [evidence(entry, doubt.line)]),
      ),
    };
  const routes = station.net.routes();
  const rules = way.packet.family === 'ip' ? station.net.rules() : station.net.rules6();
  if (routes.state === 'seen' && !routes.complete)
    return {
      to: 'over',
      ways: ended(way, 'insufficient-info', step(`not every route of ${nameOf(station)} was understood`, [evidence(routes.from)])),
    };
  if ((way.packet.family === 'ip6' || station.place.kind === 'pod') && rules.state !== 'seen')
    return { to: 'on', way: assuming(way, `${nameOf(station)} has no routing rules but the kernel's own`) };
  const why = rules.state === 'unknown' ? rules.detail : 'not every rule was understood';
  return {
    to: 'over',
    ways: ended(way, 'insufficient-info', step(`the routing rules of ${nameOf(station)} are not known: ${why}`, [evidence(entry)])),
  };
}

/** The families have rules of their own. */
const rulesEntry = ({ packet }: Way, { key }: Station): string => `${key}/${packet.family === 'ip' ? 'ip-rule' : 'ip-6-rule'}`;

/** An output of the main table alone does not show which addresses are local; the addresses themselves do. */
function localByAddress(station: Station, { route }: RouteDecision, destination: string): EvidenceRef | undefined {
  if (route?.type === 'local') return undefined;
  const routes = station.net.routes();
  const showsLocal = routes.state === 'seen' && routes.value.some((item) => item.type === 'local');
  const own = showsLocal ? undefined : ownerOf(station, destination);
  return own && evidence(`${station.key}/ip-addr`, own.line);
}

const localStep = (station: Station, destination: string, ref: EvidenceRef): Step => ({
  kind: 'route',
  says: `${destination} is an address of ${nameOf(station)}`,
  brief: '',
  evidence: [ref],
});

function decided(way: Way, station: Station, { route, refusedBy, ways }: RouteDecision): Routed[] {
  const { destination } = way.packet;
  if (refusedBy) {
    const says = `${nameOf(station)} refuses ${destination} by the routing rule "${refusedBy.text}"`;
    return over(way, 'no-route', says, [evidence(rulesEntry(way, station), refusedBy.line)]);
  }
  const entry = `${station.key}/ip-route`;
  if (route === null) return over(way, 'no-route', `${nameOf(station)} has no route to ${destination}`, [evidence(entry)]);
  const ref = evidence(entry, route.line);
  const text = route.text.trim();
  if (route.type === 'local') return [{ to: 'local', way: withStep(way, localStep(station, destination, ref)) }];
  if (route.type !== 'unicast')
    return over(
      way,
      route.type === 'broadcast' || route.type === 'multicast' ? 'insufficient-info' : 'no-route',
      `${nameOf(station)} has the route "${text}" for ${destination}`,
      [ref],
    );
  if (route.nexthopId !== undefined && (ways ?? []).length === 0)
    return over(way, 'insufficient-info', `the route "${text}" of ${nameOf(station)} names a nexthop object that was not read`, [ref]);
  if (ways === undefined || ways.some((one) => one.encap !== undefined || one.dev === undefined))
    return over(way, 'insufficient-info', `where the route "${text}" of ${nameOf(station)} leads is not in the output`, [ref]);
  const weight = ways.reduce((sum, one) => sum + (one.weight ?? 1), 0);
  return ways.map((one): Routed => {
    const share = ways.length > 1 ? { ...way, share: (way.share * (one.weight ?? 1)) / weight } : way;
    const gateway = one.via?.replace(/^inet6 /, '') ?? destination;
    const out = one.dev ?? '';
    const stepped = withStep(share, {
      kind: 'route',
      says: `${nameOf(station)} routes it by "${routeWords(text, ways, one)}"`,
      brief: briefOf(one),
      evidence: [ref],
    });
    return { to: 'device', way: stepped, device: out, gateway, limit: limitOf(station, out, route.mtu, ref), source: route.src };
  });
}

/** The route's own `mtu` goes before that of its device (ip_dst_mtu_maybe_forward in include/net/ip.h). */
function limitOf(station: Station, device: string, ofRoute: number | undefined, ref: EvidenceRef): Limit | undefined {
  if (ofRoute !== undefined) return { device, mtu: ofRoute, by: 'route', evidence: ref };
  const found = deviceOf(station, device);
  return found?.link.mtu === undefined ? undefined : { device, mtu: found.link.mtu, by: 'device', evidence: deviceLine(found) };
}

const routeWords = (text: string, ways: readonly Nexthop[], one: Nexthop): string =>
  ways.length > 1 ? `${text.split('\n')[0]} … ${one.via === undefined ? '' : `via ${one.via} `}dev ${one.dev}` : text;

/** The device is told by where the packet leaves. */
const briefOf = ({ via }: Nexthop): string => (via === undefined ? '' : `via ${via}`);

const step = (says: string, refs: EvidenceRef[]): Step => ({ kind: 'route', says, brief: 'no route', evidence: refs });

const over = (way: Way, disposition: Disposition, says: string, refs: EvidenceRef[]): Routed[] => [
  { to: 'over', ways: ended(way, disposition, step(says, refs)) },
];
