import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { FdbEntry } from '../../model/link.ts';
import type { Packet } from '../../model/packet.ts';
import { overheadOf } from './size.ts';
import { type Device, deadReason, deviceLine, deviceOf, devicesOf, devicesUnread, holdersOf, nodeByAddress, ownerOf } from './stations.ts';
import { ended, going, type Inside, nameOf, type Stage, type Station, type Way, type World, withStep } from './way.ts';

const outerProtocols: Readonly<Record<string, string>> = { ipip: 'ipencap', sit: 'ipv6', gre: 'gre', gretap: 'gre' };
/** IANA ports, where the device does not say its own. */
const defaultPorts: Readonly<Record<string, number>> = { vxlan: 4789, geneve: 6081 };

/** Where a tunnel sends a packet: the far end's address, and the line that says so. */
interface FarEnd {
  address: string;
  port: number | undefined;
  vni: number | undefined;
  evidence: EvidenceRef[];
}
type Found = FarEnd | { ends: 'dropped' | 'insufficient-info'; why: string; evidence: EvidenceRef[] };

/** Puts a packet into another one that the station itself sends to the far end of the tunnel (vxlan_xmit, ip_tunnel_xmit). */
export const encapsulate: Stage<'encapsulate'> = (world, way, { station, device: name, gateway, mac, evidence: chosen }) => {
  const device = deviceOf(station, name);
  const kind = device?.link.kind ?? '';
  if (device === undefined || outerProtocols[kind] === undefined) {
    if (device === undefined || defaultPorts[kind] === undefined) {
      const says = `where ${name} (${kind}) of ${nameOf(station)} sends it stands in no table that was read`;
      const refs = device ? [deviceLine(device, 2)] : [];
      return ended(way, 'insufficient-info', { kind: 'encapsulate', says, brief: `${kind}?`, evidence: refs });
    }
  }
  const far = outerProtocols[kind] === undefined ? frameTarget(world, way, station, device, mac) : packetTarget(device, gateway);
  if ('ends' in far) {
    const refs = [...chosen, ...far.evidence, deviceLine(device, 2)];
    return ended(way, far.ends, {
      kind: 'encapsulate',
      says: `${name} of ${nameOf(station)}: ${far.why}`,
      brief: `${kind}: no far end`,
      evidence: refs,
    });
  }
  const says = `${kind} ${name} of ${nameOf(station)} sends it to ${far.address}${far.port === undefined ? '' : ` udp ${far.port}`}${far.vni === undefined ? '' : `, VNI ${far.vni}`}`;
  const inside: Inside = { packet: way.packet, kind, vni: far.vni, mac, evidence: far.evidence };
  const brief = `${kind}${far.vni === undefined ? '' : ` ${far.vni}`} to ${far.address}`;
  const stepped = withStep(way, { kind: 'encapsulate', says, brief, evidence: [...far.evidence, deviceLine(device, 2)] });
  const lost = nobodyThere(world, stepped, station, far);
  if (lost) return lost;
  const outer: Way = { ...stepped, packet: outerPacket(way.packet, device, far), inside: [...way.inside, inside] };
  return [going(outer, { at: 'send', station })];
};

/**
 * By the device's FDB (`self` entries with a destination): what it has learnt on this way, the entry of the MAC address, else those of all zeros; else
 * the device's own remote.
 */
function frameTarget(world: World, way: Way, station: Station, device: Device, mac: string | undefined): Found {
  const { link } = device;
  const { vxlan } = link;
  if (link.kind === 'geneve' || vxlan?.external) {
    const remote = link.details.remote;
    const isSet = link.kind === 'geneve' && remote !== undefined && link.details.external === undefined;
    if (!isSet)
      return { ends: 'insufficient-info', why: 'where it sends is decided by a program for each packet (external)', evidence: [] };
    return { address: remote, port: numberOf(link.details.dstport) ?? defaultPorts.geneve, vni: numberOf(link.details.id), evidence: [] };
  }
  const fdb = station.net.fdb();
  const entry = `${station.key}/bridge-fdb`;
  if (fdb.state !== 'seen')
    return {
      ends: 'insufficient-info',
      why: `its FDB was not read (${fdb.state === 'unknown' ? fdb.detail : ''})`,
      evidence: [evidence(entry)],
    };
  const own = fdb.value.filter((item) => item.dev === link.name && item.dst !== undefined && item.master === undefined);
  const exact = own.filter((item) => item.mac.toLowerCase() === mac);
  if (exact.length === 0 && !fdb.complete)
    return {
      ends: 'insufficient-info',
      why: `its FDB (bridge fdb) was not read whole, and what was read has no entry for ${mac}`,
      evidence: [evidence(entry)],
    };
  const flood = own.filter((item) => item.mac === '00:00:00:00:00:00');
  const learnt = exact.some(({ state }) => state !== '') ? undefined : learntFrom(world, way, station, device, mac);
  if (learnt) return learnt;
  if (exact.some((item) => item.nexthopId !== undefined))
    return {
      ends: 'insufficient-info',
      why: 'the FDB names a nexthop object',
      evidence: [evidence(entry, ...exact.map((item) => item.line))],
    };
  const [chosen] = exact.length > 0 ? exact : flood;
  if (chosen?.dst !== undefined && (exact.length > 0 || flood.length === 1)) return fromEntry(entry, device, chosen, chosen.dst);
  const holder = flood.find(({ dst }) => dst !== undefined && leadsTo(world, dst, mac));
  if (flood.length > 1 && holder?.dst !== undefined) return fromEntry(entry, device, holder, holder.dst);
  if (flood.length > 1)
    return {
      ends: 'insufficient-info',
      why: `no entry for ${mac}: it goes to all of ${flood.length} far ends`,
      evidence: [evidence(entry, ...flood.map((item) => item.line))],
    };
  const remote = vxlan?.remote;
  if (remote !== undefined) return { address: remote, port: vxlan?.dstport, vni: vxlan?.id, evidence: [] };
  if (vxlan?.group !== undefined)
    return { ends: 'insufficient-info', why: `no entry for ${mac}: it goes to the group ${vxlan.group}`, evidence: [evidence(entry)] };
  return { ends: 'dropped', why: `its FDB has no entry for ${mac}`, evidence: [evidence(entry)] };
}

/** A device that learns has seen by the request behind which far end its sender is (vxlan_snoop); entries that were made by hand stay. */
function learntFrom(world: World, { learnt }: Way, station: Station, device: Device, mac: string | undefined): FarEnd | undefined {
  const { name, vxlan } = device.link;
  if (vxlan?.learning === false) return undefined;
  const found = learnt.find(({ key, device: by, far }) => key === station.key && by === name && leadsTo(world, far, mac));
  return found && { address: found.far, port: vxlan?.dstport, vni: vxlan?.id, evidence: [deviceLine(device, 2)] };
}

/** Of all far ends that a flooded frame goes to, the node takes it where the MAC address is. */
function leadsTo(world: World, address: string, mac: string | undefined): boolean {
  const node = nodeByAddress(world, address)?.name;
  return holdersOf(world, mac).some(({ place }) => (place.kind === 'node' ? place.name : place.node) === node);
}

const fromEntry = (entry: string, { link }: Device, item: FdbEntry, address: string): FarEnd => ({
  address,
  port: item.port ?? link.vxlan?.dstport ?? defaultPorts.vxlan,
  vni: item.vni ?? link.vxlan?.id,
  evidence: [evidence(entry, item.line)],
});

/** IPIP, SIT and GRE: the device's remote, else the next hop of the route itself (ip_tunnel_xmit with no fixed daddr). */
function packetTarget({ link }: Device, gateway: string): Found {
  const remote = link.peerAddress ?? link.details.remote;
  const isFixed = remote !== undefined && remote !== 'any' && remote !== '0.0.0.0';
  return { address: isFixed ? remote : gateway, port: undefined, vni: undefined, evidence: [] };
}

const numberOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined);

/** The packet inside is for a pod of another node than the far end, or for one where no node is at all. */
function nobodyThere(world: World, way: Way, station: Station, far: FarEnd): Way[] | undefined {
  if (ownerOf(station, far.address))
    return ended(way, 'loop', {
      kind: 'encapsulate',
      says: `the far end ${far.address} is ${nameOf(station)} itself`,
      brief: 'tunnel to itself',
      evidence: far.evidence,
    });
  const nodes = world.facts.nodes();
  if (nodeByAddress(world, far.address) || nodes.state !== 'seen' || !nodes.complete) return undefined;
  const neighbours = station.net.neighbours();
  const line = neighbours.state === 'seen' ? neighbours.value.find((item) => item.address === far.address) : undefined;
  const refs = [...far.evidence, ...(line ? [evidence(`${station.key}/ip-neigh`, line.line)] : [])];
  return ended(way, 'dropped', {
    kind: 'encapsulate',
    says: `no node has the address ${far.address} that the tunnel sends to`,
    brief: 'far end is no node',
    evidence: refs,
  });
}

/** The mark stays with the packet inside one namespace (skb_scrub_packet with xnet false); UDP source ports come from a hash. */
function outerPacket(packet: Packet, { link }: Device, far: FarEnd): Packet {
  const kind = link.kind ?? '';
  const isUdp = defaultPorts[kind] !== undefined;
  return {
    family: far.address.includes(':') ? 'ip6' : 'ip',
    source: link.vxlan?.local ?? (isUdp ? undefined : localOf(link)) ?? '',
    destination: far.address,
    protocol: isUdp ? 'udp' : (outerProtocols[kind] ?? ''),
    ...(isUdp && far.port !== undefined ? { destinationPort: far.port } : {}),
    mark: packet.mark,
    ...(packet.unknown?.includes('mark') ? { unknown: ['mark'] as const } : {}),
    length: (packet.length ?? 60) + (overheadOf(kind, far.address.includes(':') ? 'ip6' : 'ip') ?? 0),
    ttl: 64,
    conntrack: { state: 'untracked', status: [], direction: 'original', natSettled: [] },
  };
}

const localOf = ({ address, linkType, details }: Device['link']): string | undefined => {
  const local = linkType === 'ether' ? details.local : (address ?? details.local);
  return local === undefined || local === 'any' || local === '0.0.0.0' ? undefined : local;
};

/** A tunnel packet that reached its station: the device that takes it by port or protocol and VNI, and what is inside (vxlan_rcv, ip_tunnel_rcv). */
export function decapsulate(way: Way, station: Station): Way[] {
  const inside = way.inside.at(-1);
  if (inside === undefined) return [];
  const { packet } = way;
  const candidates = devicesOf(station).filter(({ link }) => link.kind === inside.kind);
  const base = { kind: 'decapsulate' as const, brief: `no ${inside.kind} takes it` };
  const unread = devicesUnread(station);
  const fail = (says: string, refs: EvidenceRef[]): Way[] =>
    unread === undefined
      ? ended(way, 'dropped', { ...base, says, evidence: [...refs, ...inside.evidence] })
      : ended(way, 'insufficient-info', {
          ...base,
          brief: `${inside.kind}?`,
          says: `whether a device of ${nameOf(station)} takes this ${inside.kind} can't be told: ${unread}`,
          evidence: [evidence(`${station.key}/ip-link`), ...inside.evidence],
        });
  const listening = inside.vni === undefined ? candidates : candidates.filter((device) => portOf(device) === packet.destinationPort);
  const up = listening.filter((device) => deadReason(device) === undefined);
  const all = `${station.key}/ip-link`;
  const named = `${inside.kind}${packet.destinationPort === undefined ? '' : ` on udp ${packet.destinationPort}`}`;
  if (up.length === 0) {
    const [down] = listening;
    if (down) return fail(`${nameOf(station)} has no ${named} that is up: ${deadReason(down)}`, [deviceLine(down)]);
    const others = candidates.map((device) => deviceLine(device, 2));
    return fail(`nothing on ${nameOf(station)} takes ${named}`, others.length > 0 ? others : [evidence(all)]);
  }
  const device = inside.vni === undefined ? tunnelFor(up, packet) : up.find(({ link }) => vniOf(link) === inside.vni);
  if (device === undefined)
    return fail(
      inside.vni === undefined
        ? `no ${inside.kind} of ${nameOf(station)} is for ${packet.source}`
        : `no ${inside.kind} of ${nameOf(station)} has VNI ${inside.vni}`,
      up.map((one) => deviceLine(one, 2)),
    );
  const says = `${device.link.name} of ${nameOf(station)} takes out ${inside.packet.source} -> ${inside.packet.destination}`;
  const opened: Way = {
    ...way,
    packet: { ...inside.packet, mark: packet.mark },
    inside: way.inside.slice(0, -1),
    chosenBy: [...way.chosenBy, ...inside.evidence],
    learnt: [...way.learnt, { key: station.key, device: device.link.name, far: packet.source }],
  };
  const stepped = withStep(opened, {
    kind: 'decapsulate',
    says,
    brief: `unpacked by ${device.link.name}`,
    evidence: [deviceLine(device, 2)],
  });
  return [going(stepped, { at: 'arrive', station, device: device.link.name, mac: inside.mac })];
}

const portOf = ({ link }: Device): number | undefined =>
  link.kind === 'vxlan' ? (link.vxlan?.dstport ?? defaultPorts.vxlan) : (numberOf(link.details.dstport) ?? defaultPorts[link.kind ?? '']);

const vniOf = (link: Device['link']): number | undefined => link.vxlan?.id ?? numberOf(link.details.id);

/** The device whose remote is the sender, else one without a remote (ip_tunnel_lookup). */
const tunnelFor = (devices: readonly Device[], packet: Packet): Device | undefined => {
  const remoteOf = ({ link }: Device) => link.peerAddress ?? link.details.remote;
  return (
    devices.find((device) => remoteOf(device) === packet.source) ??
    devices.find((device) => remoteOf(device) === undefined || remoteOf(device) === 'any' || remoteOf(device) === '0.0.0.0')
  );
};
