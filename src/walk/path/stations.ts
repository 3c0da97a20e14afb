import type { Facts } from '../../facts/facts.ts';
import { hasCarrier, isUp, type Link } from '../../model/link.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import type { Station, World } from './way.ts';

/** Every node and pod of which anything was read. */
export function stationsOf(facts: Facts): Station[] {
  const nodes = facts.nodesSeen().map((name) => nodeStation(facts, name));
  const keys = [...facts.snapshot.entries.keys()].flatMap((key) => /^pod\/[^/]+\/[^/]+(?=\/ip-)/.exec(key)?.[0] ?? []);
  const pods = [...new Set(keys)].flatMap((key) => {
    const [, namespace = '', name = ''] = key.split('/');
    const pod = facts.pod(namespace, name);
    return pod && !pod.spec.hostNetwork ? [podStation(facts, pod)] : [];
  });
  return [...nodes, ...pods];
}

export const nodeStation = (facts: Facts, name: string): Station => ({
  key: `node/${name}`,
  place: { kind: 'node', name },
  net: facts.nodeNet(name),
  pod: undefined,
});

/** The namespace that a pod's processes live in: its own, or its node's. */
export function podStation(facts: Facts, pod: Pod): Station {
  const { namespace = '', name } = pod.metadata;
  const node = pod.spec.nodeName;
  if (pod.spec.hostNetwork) return nodeStation(facts, node ?? '');
  return {
    key: `pod/${namespace}/${name}`,
    place: { kind: 'pod', namespace, name, ...(node === undefined ? {} : { node }) },
    net: facts.podNet(pod),
    pod,
  };
}

/** A device of a station, and the snapshot entry that describes it (`ip -d link`, else `ip addr`). */
export interface Device {
  link: Link;
  entry: string;
}

export function devicesOf(station: Station): Device[] {
  const links = station.net.links();
  const addresses = station.net.addresses();
  const detailed = links.state === 'seen' ? detailedOf(station, links.value) : [];
  const plain = addresses.state === 'seen' ? addresses.value.map((link) => ({ link, entry: `${station.key}/ip-addr` })) : [];
  return detailed.length > 0 ? detailed : plain;
}

/**
 * Why a device that is not in the devices of a station may be there all the same: its `ip link` was not read, not to the end, or lists fewer devices than
 * its `ip addr` does. Undefined where what is not listed is not there.
 */
export function devicesUnread(station: Station): string | undefined {
  const [links, addresses] = [station.net.links(), station.net.addresses()];
  const what = `the devices of ${station.place.kind} ${station.place.name} (ip link)`;
  if (links.state !== 'seen') return `${what} were not read`;
  const listed = new Set(links.value.map(({ name }) => name));
  const missing = addresses.state === 'seen' && addresses.value.some(({ name }) => !listed.has(name));
  return !links.complete || missing ? `${what} were not read whole` : undefined;
}

/** Every step of every way asks for them: worked out once for each output. */
const detailedDevices = new WeakMap<readonly Link[], Device[]>();

function detailedOf(station: Station, links: readonly Link[]): Device[] {
  const known = detailedDevices.get(links);
  if (known) return known;
  const devices = wholeLinks(station, links).map((link) => ({ link, entry: `${station.key}/ip-link` }));
  detailedDevices.set(links, devices);
  return devices;
}

/** Without the last device of an output that was cut: the end of its lines, or the one that says its kind, may be missing. */
function wholeLinks(station: Station, links: readonly Link[]): readonly Link[] {
  const last = links.at(-1);
  if (last === undefined || devicesUnread(station) === undefined) return links;
  const isCut = last.kind === undefined || station.net.entry('ip-link')?.stdout.endsWith('\n') === false;
  return isCut ? links.slice(0, -1) : links;
}

/** Why an address that no device of a station has may be there all the same. */
export function addressesUnread(station: Station): string | undefined {
  const addresses = station.net.addresses();
  if (addresses.state === 'seen' && addresses.complete) return undefined;
  return `the addresses of ${station.place.kind} ${station.place.name} (ip addr) were not read${addresses.state === 'seen' ? ' whole' : ''}`;
}

export const deviceOf = (station: Station, name: string): Device | undefined => devicesOf(station).find(({ link }) => link.name === name);

/** The lines that describe a device: its flags, and `offset` lines below (1: its MAC address, 2: the details of its kind). */
export const deviceLine = ({ link, entry }: Device, offset = 0) => ({ entry, lines: [Math.min(link.line + offset, link.lastLine)] });

/** The device that has an address, where the station has it. */
export function ownerOf(station: Station, address: string): { device: string; line: number } | undefined {
  const addresses = station.net.addresses();
  if (addresses.state !== 'seen') return undefined;
  for (const link of addresses.value) {
    const found = link.addresses.find((item) => item.address === address);
    if (found) return { device: link.name, line: found.line };
  }
  return undefined;
}

/** The far end of a veth: `eth0@if6` of a pod is device 6 of its node, which says `@if2` in turn. */
export function peerOf(world: World, station: Station, device: Device): { station: Station; device: Device } | undefined {
  const { link } = device;
  if (link.kind !== undefined && link.kind !== 'veth') return undefined;
  const { peer } = link;
  if (peer === undefined) return undefined;
  if (peer.name !== undefined) {
    const other = deviceOf(station, peer.name);
    if (other?.link.peer?.name === link.name) return { station, device: other };
  }
  if (peer.index === undefined) return undefined;
  for (const candidate of neighbourStations(world, station)) {
    const found = devicesOf(candidate).find(({ link: far }) => far.index === peer.index && far.peer?.index === link.index);
    if (found) return { station: candidate, device: found };
  }
  return undefined;
}

/** The node's end of the veth behind which a pod has an address. */
export function nodeEnd(world: World, node: Station, address: string): Device | undefined {
  for (const pod of neighbourStations(world, node)) {
    const own = ownerOf(pod, address);
    const device = own && deviceOf(pod, own.device);
    const far = device && peerOf(world, pod, device);
    if (far) return far.device;
  }
  return undefined;
}

/** Stations of the same machine: a pod's node, a node's pods. */
const neighbourStations = (world: World, { place }: Station): Station[] =>
  world.stations.filter(({ place: other }) =>
    place.kind === 'pod' ? other.kind === 'node' && other.name === place.node : other.kind === 'pod' && other.node === place.name,
  );

/** Ports of a bridge. */
export const portsOf = (station: Station, bridge: string): Device[] => devicesOf(station).filter(({ link }) => link.master === bridge);

export const isBridge = (station: Station, { link }: Device): boolean =>
  link.kind === 'bridge' || (link.kind === undefined && portsOf(station, link.name).length > 0);

/** Why a device carries nothing; undefined when it may. */
export function deadReason({ link }: Device): string | undefined {
  if (isUp(link) === false) return `${link.name} is down`;
  return hasCarrier(link) === false ? `${link.name} has no carrier` : undefined;
}

/** A node by any address of its own, as the API and its own devices give them. */
export function nodeByAddress(world: World, address: string): { station: Station | undefined; name: string } | undefined {
  const own = world.stations.find((station) => station.place.kind === 'node' && ownerOf(station, address) !== undefined);
  if (own) return { station: own, name: own.place.name };
  const nodes = world.facts.nodes();
  const named =
    nodes.state === 'seen'
      ? nodes.value.find((node) => node.status.addresses?.some((item) => item.address === address))?.metadata.name
      : undefined;
  if (named === undefined) return undefined;
  return { station: world.stations.find((station) => station.key === `node/${named}`), name: named };
}

/** Stations that have a device with this MAC address. */
export const holdersOf = (world: World, mac: string | undefined): Station[] =>
  world.stations.filter((station) => devicesOf(station).some(({ link }) => link.address?.toLowerCase() === mac));
