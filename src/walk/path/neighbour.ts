import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Neighbour } from '../../model/link.ts';
import { isTunnel } from '../leg.ts';
import { flagsOf } from './bridge-ports.ts';
import { sourceOn } from './context.ts';
import { checkSource } from './source-check.ts';
import {
  addressesUnread,
  type Device,
  deadReason,
  deviceLine,
  deviceOf,
  devicesUnread,
  isBridge,
  nodeByAddress,
  nodeEnd,
  ownerOf,
  peerOf,
  portsOf,
} from './stations.ts';
import type { Station, Way, World } from './way.ts';

/** The MAC address of a next hop: known, surely nobody's, or not to be told. */
export type Resolved =
  /** `assumed`: taken for granted, because it lies outside of what was read. */
  | { is: 'known'; mac: string | undefined; evidence: EvidenceRef[]; how: string; assumed?: string }
  | { is: 'nobody'; evidence: EvidenceRef[]; why: string }
  | { is: 'cannot-tell'; evidence: EvidenceRef[]; why: string };

/**
 * What a station has for a next hop on a device. An entry with a MAC address is used as it is (also a stale one: it is used while it is probed);
 * without one, or with one that failed, the kernel asks on the link, and who would answer is read from the other namespaces.
 */
export function resolve(world: World, way: Way, station: Station, device: Device, gateway: string): Resolved {
  const table = station.net.neighbours();
  const entry = `${station.key}/ip-neigh`;
  const found = table.state === 'seen' ? table.value.find((item) => item.address === gateway && item.dev === device.link.name) : undefined;
  if (found?.mac !== undefined && isUsable(found))
    return { is: 'known', mac: found.mac.toLowerCase(), evidence: [evidence(entry, found.line)], how: found.text.trim() };
  if (device.link.flags?.includes('NOARP') === true && device.link.kind !== 'vxlan')
    return { is: 'known', mac: undefined, evidence: [deviceLine(device)], how: 'no ARP on this device' };
  const own = table.state === 'seen' ? [evidence(entry, ...(found ? [found.line] : []))] : [];
  const answer = askOnLink(world, way, station, device, gateway);
  if (found?.states.includes('FAILED') && (answer.is === 'cannot-tell' || (answer.is === 'known' && answer.assumed !== undefined)))
    return { is: 'nobody', evidence: own, why: `the entry is "${found.text.trim()}"` };
  if (answer.is === 'known') return answer.evidence.length > 0 ? answer : { ...answer, evidence: own };
  if (table.state === 'seen' && !table.complete && found === undefined)
    return {
      is: 'cannot-tell',
      evidence: own,
      why: `ip neigh of ${station.place.name} was not read whole, and what was read has no entry for it`,
    };
  if (found && answer.is === 'nobody' && carriesNoQuestion(device)) return { ...answer, evidence: own, why: entryWords(found) };
  if (table.state !== 'seen')
    return { is: 'cannot-tell', evidence: own, why: table.state === 'unknown' ? `ip neigh: ${table.detail}` : 'ip neigh was not read' };
  return { ...answer, evidence: [...own, ...answer.evidence] };
}

/** In these tunnels the CNI writes the entries; who would answer can't be read from any link. */
const carriesNoQuestion = ({ link }: Device): boolean => link.kind === 'vxlan' || link.kind === 'geneve';

const entryWords = ({ states, text }: Neighbour): string => `its entry is ${states.join(' ')}: "${text.trim()}"`;

const isUsable = ({ states }: Neighbour): boolean =>
  states.length === 0 || states.some((state) => !['FAILED', 'INCOMPLETE', 'NONE'].includes(state));

const known = (mac: string | undefined, how: string, refs: EvidenceRef[]): Resolved => ({
  is: 'known',
  mac: mac?.toLowerCase(),
  evidence: refs,
  how,
});
const cannotTell = (why: string): Resolved => ({ is: 'cannot-tell', evidence: [], why });

function askOnLink(world: World, way: Way, station: Station, device: Device, gateway: string): Resolved {
  const question = questionOf(way, station, device, gateway);
  if (isBridge(station, device)) return askPorts(world, question, station, device.link.name, undefined);
  if (carriesNoQuestion(device))
    return { is: 'nobody', evidence: [], why: `no entry for it, and nobody is asked through ${device.link.name}` };
  const far = peerOf(world, station, device);
  if (far === undefined) return askWire(world, question, station, device);
  const dead = deadReason(far.device);
  if (dead) return { is: 'nobody', evidence: [deviceLine(far.device)], why: dead };
  const { master } = far.device.link;
  if (master === undefined) return askStation(question, far.station, far.device);
  const bridge = deviceOf(far.station, master);
  if (bridge === undefined || !isBridge(far.station, bridge)) return cannotTell(`what ${master} is was not read`);
  const flags = flagsOf(far.device);
  if (flags.state !== 'forwarding')
    return { is: 'nobody', evidence: [deviceLine(far.device, 3)], why: `port ${far.device.link.name} of ${master} is ${flags.state}` };
  if (ownerOf(far.station, gateway) && deadReason(bridge) === undefined) return askStation(question, far.station, bridge);
  return askPorts(world, question, far.station, master, far.device);
}

/**
 * The question for the next hop, as the packet that its answerer takes it for: from the packet's own source where that is the station's, else from an
 * address of the device (arp_solicit, arp_announce 0).
 */
function questionOf(way: Way, station: Station, device: Device, gateway: string): Way {
  const { source } = way.packet;
  const sender = ownerOf(station, source) ? source : (sourceOn(station, device.link.name, gateway) ?? source);
  return { ...way, packet: { ...way.packet, source: sender, destination: gateway } };
}

/**
 * A station answers for all of its addresses on any device (arp_ignore 0), as long as it takes the question's source for one that may come in there
 * (arp_process asks the routing as for a packet).
 */
function askStation(question: Way, station: Station, device: Device): Resolved {
  const gateway = question.packet.destination;
  const own = ownerOf(station, gateway);
  if (own === undefined) return cannotTell(`whether ${station.place.name} answers for ${gateway} (proxy_arp) was not read`);
  if (!checkSource(question, station, device.link.name).passes) {
    const refs = [evidence(`${station.key}/sysctl`), evidence(`${station.key}/ip-route`)];
    return {
      is: 'nobody',
      evidence: refs,
      why: `${station.place.name} takes no question of ${question.packet.source} from ${device.link.name} (rp_filter)`,
    };
  }
  return known(device.link.address, `${gateway} is ${own.device} of ${station.place.name}`, [evidence(`${station.key}/ip-addr`, own.line)]);
}

/** The pods on the ports of a bridge, and the bridge's own station. */
function askPorts(world: World, question: Way, station: Station, bridge: string, from: Device | undefined): Resolved {
  const gateway = question.packet.destination;
  let unseen: string | undefined;
  let unread = devicesUnread(station);
  for (const port of portsOf(station, bridge)) {
    const far = peerOf(world, station, port);
    if (far === undefined) {
      if (isBehindTunnel(world, port, gateway))
        return cannotTell(`whether the question for ${gateway} gets through ${port.link.name} and back was not worked out`);
      if (!isTakenByOther(station, port.link.name, gateway)) unseen ??= port.link.name;
      continue;
    }
    const own = ownerOf(far.station, gateway);
    if (own === undefined) {
      unread ??= addressesUnread(far.station);
      continue;
    }
    const dead = deadReason(port) ?? deadReason(far.device) ?? shut(port, from);
    if (dead || port.link.name === from?.link.name)
      return { is: 'nobody', evidence: [deviceLine(port), deviceLine(far.device)], why: dead ?? 'it is behind the same port' };
    return askStation(question, far.station, far.device);
  }
  const end = nodeEnd(world, station, gateway);
  if (unseen !== undefined && end === undefined) return cannotTell(`what is behind port ${unseen} of ${bridge} was not read`);
  if (unread !== undefined) return cannotTell(unread);
  const where = end ? `; the pod that has it is behind ${end.link.name}, which is no port of ${bridge}` : '';
  return { is: 'nobody', evidence: end ? [deviceLine(end)] : [], why: `nobody on ${bridge} has ${gateway}${where}` };
}

/** A tunnel that is a port of the bridge leads to the pods of other nodes. */
const isBehindTunnel = (world: World, { link }: Device, gateway: string): boolean =>
  isTunnel(link) && world.stations.some((station) => ownerOf(station, gateway) !== undefined);

/** Why a question that came by one port does not get out by another. */
function shut(port: Device, from: Device | undefined): string | undefined {
  const flags = flagsOf(port);
  if (flags.state !== 'forwarding') return `port ${port.link.name} is ${flags.state}`;
  const apart = from !== undefined && flags.isolated && flagsOf(from).isolated;
  return apart ? `ports ${from.link.name} and ${port.link.name} are isolated from each other` : undefined;
}

/** A port whose learnt MAC addresses all belong to other addresses in the neighbour table. */
function isTakenByOther(station: Station, port: string, address: string): boolean {
  const [fdb, neighbours] = [station.net.fdb(), station.net.neighbours()];
  if (fdb.state !== 'seen' || neighbours.state !== 'seen') return false;
  const macs = fdb.value
    .filter((item) => item.dev === port && item.master !== undefined && item.state !== 'permanent')
    .map((item) => item.mac);
  return (
    macs.length > 0 &&
    macs.every((mac) => neighbours.value.some((item) => item.mac?.toLowerCase() === mac.toLowerCase() && item.address !== address))
  );
}

/** On a network between nodes: the node that has the address is taken to answer. */
function askWire(world: World, question: Way, station: Station, device: Device): Resolved {
  const gateway = question.packet.destination;
  const node = nodeByAddress(world, gateway);
  if (node?.station === undefined) {
    const assumed = `somebody answers for ${gateway} on ${device.link.name} of ${station.place.name}`;
    return { is: 'known', mac: undefined, evidence: [], how: 'nobody who was read', assumed };
  }
  const own = ownerOf(node.station, gateway);
  const far = own && deviceOf(node.station, own.device);
  const dead = far && deadReason(far);
  if (far && dead) return { is: 'nobody', evidence: [deviceLine(far)], why: `${dead} on ${node.name}` };
  return far ? askStation(question, node.station, far) : known(undefined, `${gateway} is node ${node.name}`, []);
}
