import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Step } from '../../model/trace.ts';
import { resolve } from './neighbour.ts';
import { type Device, deadReason, deviceLine, deviceOf, isBridge, nodeEnd, peerOf } from './stations.ts';
import { assuming, ended, going, nameOf, type Stage, type Station, type Way, type World, withStep } from './way.ts';

/** Devices that carry IP packets to the far end of a tunnel without frames. */
const packetTunnels = new Set(['ipip', 'sit', 'gre', 'wireguard', 'ip6tnl']);
const frameTunnels = new Set(['vxlan', 'geneve', 'gretap']);
/** Kinds whose own tables are not read: they hand packets on in ways that can't be told from here. */
const opaqueKinds = new Set(['macvlan', 'ipvlan', 'macvtap', 'vrf', 'tun', 'xfrm', 'team', 'netkit', 'vti', 'bareudp', 'openvswitch']);

/** A packet that is handed to a device: is the device up, which MAC address has the next hop, and where does the device lead. */
export const transmit: Stage<'transmit'> = (world, way, { station, device: name, gateway }) => {
  const device = deviceOf(station, name);
  if (device === undefined) {
    const says = `device ${name} of ${nameOf(station)} is not in what was read`;
    return ended(way, 'insufficient-info', { kind: 'device', says, brief: name, evidence: [evidence(`${station.key}/ip-link`)] });
  }
  const dead = deadDevice(world, station, device);
  if (dead !== undefined) {
    const behind = isBridge(station, device) ? nodeEnd(world, station, gateway) : undefined;
    const why = behind ? `${dead.says}; the pod that has ${gateway} is behind ${behind.link.name}: ${portWords(behind, name)}` : dead.says;
    return stopped(way, `${nameOf(station)} can't send by ${name}: ${why}`, [...(behind ? [deviceLine(behind)] : []), ...dead.evidence]);
  }
  const kind = device.link.kind ?? '';
  if (kind === 'loopback' || name === 'lo') return [going(way, { at: 'input', station, device: 'lo', prerouted: false, port: undefined })];
  if (packetTunnels.has(kind)) {
    const passed = withStep(way, leaves(station, device));
    return [going(passed, { at: 'encapsulate', station, device: name, gateway, mac: undefined, evidence: [] })];
  }
  if (opaqueKinds.has(kind)) {
    const says = `${name} of ${nameOf(station)} is of kind ${kind}: where it leads stands in no table that is read`;
    return ended(way, 'insufficient-info', { kind: 'device', says, brief: kind, evidence: [deviceLine(device, 2)] });
  }
  return toFrame(world, way, station, device, gateway);
};

function toFrame(world: World, way: Way, station: Station, device: Device, gateway: string): Way[] {
  const { name } = device.link;
  const found = resolve(world, way, station, device, gateway);
  if (found.is !== 'known') return unresolved(way, station, device, gateway, found);
  const says = `${nameOf(station)} sends it to ${gateway}${found.mac === undefined ? '' : ` at ${found.mac}`} by ${name} (${found.how})`;
  const taken = found.assumed === undefined ? way : assuming(way, found.assumed);
  const next = withStep(taken, { kind: 'neighbour', says, brief: '', evidence: found.evidence });
  const passed = withStep(next, leaves(station, device));
  if (isBridge(station, device)) return [going(passed, { at: 'bridge', station, bridge: name, from: undefined, mac: found.mac })];
  return acrossLink(world, passed, station, device, gateway, found.mac, found.evidence);
}

/** Into a tunnel that carries frames, by a veth to its other end, and by anything else to the network outside of the station. */
export function acrossLink(
  world: World,
  way: Way,
  station: Station,
  device: Device,
  gateway: string,
  mac: string | undefined,
  refs: EvidenceRef[],
): Way[] {
  const { name } = device.link;
  if (frameTunnels.has(device.link.kind ?? ''))
    return [going(way, { at: 'encapsulate', station, device: name, gateway, mac, evidence: refs })];
  const far = peerOf(world, station, device);
  if (far) return [going(way, { at: 'arrive', station: far.station, device: far.device.link.name, mac })];
  return [going(way, { at: 'wire', station, device: name, gateway, mac, evidence: refs })];
}

/** What a capture on the outgoing device would see. */
export const leaves = (station: Station, device: Device): Step => ({
  kind: 'device',
  says: `out by ${device.link.name} of ${nameOf(station)}`,
  brief: '',
  evidence: [deviceLine(device)],
  passes: { device: device.link.name, direction: 'out' },
});

const portWords = (device: Device, bridge: string): string =>
  deadReason(device) ?? (device.link.master === bridge ? `it is a port of ${bridge}` : `it is no port of ${bridge}`);

interface Dead {
  says: string;
  evidence: EvidenceRef[];
}

/** A device that is down or without carrier, and a veth whose other end is down. */
function farEndDown(world: World, station: Station, device: Device): Dead | undefined {
  const far = peerOf(world, station, device);
  const dead = far && deadReason(far.device);
  return far && dead
    ? { says: `its other end, ${dead} in ${nameOf(far.station)}`, evidence: [deviceLine(far.device), deviceLine(device)] }
    : undefined;
}

export function deadDevice(world: World, station: Station, device: Device): Dead | undefined {
  const own = deadReason(device);
  const far = farEndDown(world, station, device);
  if (own === undefined) return far;
  return { says: far ? `${own}; ${far.says}` : own, evidence: [...(far?.evidence ?? []), deviceLine(device)] };
}

const stopped = (way: Way, says: string, refs: EvidenceRef[]): Way[] =>
  ended(way, 'dropped', { kind: 'device', says, brief: 'device down', evidence: refs });

function unresolved(
  way: Way,
  station: Station,
  device: Device,
  gateway: string,
  found: Exclude<ReturnType<typeof resolve>, { is: 'known' }>,
): Way[] {
  const { name } = device.link;
  const base = { kind: 'neighbour' as const, evidence: [...found.evidence, ...(found.is === 'nobody' ? way.chosenBy : [])] };
  if (found.is === 'cannot-tell') {
    const says = `whether anybody answers for ${gateway} on ${name} of ${nameOf(station)} can't be told: ${found.why}`;
    return ended(way, 'insufficient-info', { ...base, says, brief: `${gateway}?` });
  }
  return ended(way, 'neighbour-unreachable', {
    ...base,
    says: `${nameOf(station)} finds nobody for ${gateway} on ${name}: ${found.why}`,
    brief: `no neighbour ${gateway}`,
  });
}
