import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Packet } from '../../model/packet.ts';
import { waysOut } from '../../model/route.ts';
import { lookupRoute, type RouteQuery } from '../route-lookup.ts';
import { settingOf, sysctlEntry } from './settings.ts';
import { ownerOf } from './stations.ts';
import { assuming, ended, nameOf, type Station, type Way } from './way.ts';

/** The result of looking at a source: `way` to go on with, or the ways that ended. */
export type SourceChecked = { passes: true; way: Way } | { passes: false; ways: Way[] };

/**
 * The kernel's look at the source of a packet that comes in (fib_validate_source in net/ipv4/fib_frontend.c): loopback and the station's own
 * addresses are martians; with rp_filter (the greater of `all` and the device) 1 the way back to it must lead by the same device, with 2 there
 * must be one at all. Only IPv4 has it.
 */
export function checkSource(way: Way, station: Station, device: string): SourceChecked {
  const { packet } = way;
  if (packet.family !== 'ip' || device === 'lo' || packet.unknown?.includes('source')) return { passes: true, way };
  const own = ownerOf(station, packet.source);
  if (own || packet.source.startsWith('127.')) {
    const refs = own ? [evidence(`${station.key}/ip-addr`, own.line)] : [];
    const says = `${nameOf(station)} takes ${packet.source} from ${device} for a martian: ${own ? 'the address is its own' : 'a loopback address from outside'}`;
    return { passes: false, ways: ended(way, 'dropped', { kind: 'source-check', says, brief: 'martian source', evidence: refs }) };
  }
  const all = settingOf(station, 'net/ipv4/conf/all/rp_filter');
  const single = settingOf(station, `net/ipv4/conf/${device}/rp_filter`);
  const value = Math.max(all.value ?? -1, single.value ?? -1);
  const isKnown = all.value !== undefined && single.value !== undefined;
  if (value <= 0 && isKnown) return { passes: true, way };
  const back = backRoute(station, packet, device);
  if (back.devices.includes(device)) return { passes: true, way };
  if (!isKnown && value < 1) {
    const sentence = `rp_filter of ${device} on ${nameOf(station)}`;
    if (station.place.kind === 'pod') return { passes: true, way: assuming(way, `${sentence} is off`) };
    const says = `${sentence} was not read, and the way back to ${packet.source} does not lead by it`;
    return {
      passes: false,
      ways: ended(way, 'insufficient-info', { kind: 'source-check', says, brief: 'rp_filter?', evidence: back.evidence }),
    };
  }
  if (!back.isKnown) {
    const says = `which way leads back to ${packet.source} on ${nameOf(station)} can't be told, and rp_filter is ${value}`;
    return {
      passes: false,
      ways: ended(way, 'insufficient-info', { kind: 'source-check', says, brief: 'rp_filter?', evidence: back.evidence }),
    };
  }
  // Loose mode asks for any way back, but only on a device that has an address (no_addr in __fib_validate_source).
  if (value === 2 && back.devices.length > 0 && hasAddress(station, device)) return { passes: true, way };
  const lines = [all, single].flatMap((setting) => (setting.value === value ? [setting.line] : []));
  const leads = back.devices.length === 0 ? 'there is no way back' : `the way back leads by ${back.devices.join(', ')}`;
  const says = `${nameOf(station)} drops it by rp_filter=${value} of ${device}: to ${packet.source} ${leads}`;
  return {
    passes: false,
    ways: ended(way, 'dropped', {
      kind: 'source-check',
      says,
      brief: 'rp_filter',
      evidence: [evidence(sysctlEntry(station), ...lines), ...back.evidence],
    }),
  };
}

function hasAddress(station: Station, device: string): boolean {
  const links = station.net.addresses();
  return links.state !== 'seen' || links.value.some((link) => link.name === device && link.addresses.some(({ family }) => family === 4));
}

interface Back {
  devices: string[];
  isKnown: boolean;
  evidence: EvidenceRef[];
}

/**
 * The lookup of the way back goes as if the answer came in by the device that the packet leaves by, or from the station itself where the packet is
 * for it, and unmarked; with src_valid_mark, which is not read, it has the packet's mark (__fib_validate_source).
 */
function backRoute(station: Station, packet: Packet, device: string): Back {
  const { source, destination, mark, protocol, sourcePort, destinationPort } = packet;
  const on = lookupRoute(station.net, { to: destination, from: source, iif: device, mark, protocol, sourcePort, destinationPort });
  const iif = on.state === 'seen' && on.value.route?.type === 'unicast' ? on.value.dev : undefined;
  const answer = { to: source, from: destination, iif, protocol, sourcePort: destinationPort, destinationPort: sourcePort };
  const [unmarked, marked] = [0, mark].map((of) => devicesOf(station, { ...answer, mark: of }));
  const isKnown = unmarked?.isKnown === true && marked?.isKnown === true && unmarked.devices.join() === marked.devices.join();
  return { devices: isKnown ? unmarked.devices : [], isKnown, evidence: unmarked?.evidence ?? [] };
}

function devicesOf(station: Station, query: RouteQuery): Back {
  const decision = lookupRoute(station.net, query);
  if (decision.state !== 'seen') return { devices: [], isKnown: false, evidence: [] };
  const { route, doubt } = decision.value;
  const ref = evidence(`${station.key}/ip-route`, ...(route ? [route.line] : []));
  const devices = route?.type === 'unicast' ? (waysOut(route) ?? []).flatMap(({ dev }) => dev ?? []) : [];
  return { devices, isKnown: doubt === undefined, evidence: [ref] };
}
