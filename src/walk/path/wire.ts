import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { isTunnel } from '../leg.ts';
import { lostPod } from './lost-pod.ts';
import { type Device, deviceOf, devicesOf, isBridge, nodeByAddress, ownerOf } from './stations.ts';
import { ended, going, nameOf, type Stage, type Station, type Way, type World, withPort, withStep } from './way.ts';

/**
 * The network between nodes, which no table describes: a packet for a node's address comes to the device that has it (or to the one that has the MAC
 * address of the frame). What goes by a router to a node is taken to arrive there. Everything else leaves the cluster.
 */
export const wire: Stage<'wire'> = (world, way, { station, device, gateway, mac, evidence: refs }) => {
  const next = nodeByAddress(world, gateway);
  const last = next ?? nodeBehindRouter(world, way.packet.destination);
  if (last === undefined) return outside(world, way, station, device, gateway, refs);
  if (last.station === undefined) {
    const says = `node ${last.name}, where it goes next, was not read`;
    return ended(way, 'insufficient-info', { kind: 'wire', says, brief: `node ${last.name}?`, evidence: refs });
  }
  const says = next ? `over the network to node ${last.name}` : `over the network by ${gateway}, which is not seen, to node ${last.name}`;
  const crossed = withStep(way, { kind: 'wire', says, brief: '', evidence: refs });
  const byMac = next && mac !== undefined ? deviceByMac(world, mac) : undefined;
  if (byMac && byMac.station.key !== station.key) return [arriving(crossed, byMac.station, byMac.device.link.name, mac)];
  const own = ownerOf(last.station, next ? gateway : way.packet.destination);
  const link = own && devicesOf(last.station).find(({ link: item }) => item.name === own.device)?.link;
  if (own === undefined || link === undefined) {
    const missing = `by which device node ${last.name} takes it was not read`;
    return ended(way, 'insufficient-info', { kind: 'wire', says: missing, brief: `node ${last.name}?`, evidence: refs });
  }
  if (next && mac !== undefined && link.address !== undefined && link.address.toLowerCase() !== mac) {
    const wrong = `nobody who was read has the MAC address ${mac}; ${gateway} is at ${link.address} on node ${last.name}`;
    return ended(crossed, 'dropped', {
      kind: 'wire',
      says: wrong,
      brief: `wrong MAC ${mac}`,
      evidence: [...refs, evidence(`${last.station.key}/ip-addr`, own.line)],
    });
  }
  return [arriving(crossed, last.station, own.device, undefined)];
};

/** A router beyond the nodes knows the addresses that nodes are known by, not those of their tunnels and bridges in the pod network. */
function nodeBehindRouter(world: World, address: string): ReturnType<typeof nodeByAddress> {
  const node = nodeByAddress(world, address);
  const own = node?.station && ownerOf(node.station, address);
  const device = own && node.station && deviceOf(node.station, own.device);
  const isInner = device !== undefined && node?.station !== undefined && (isTunnel(device.link) || isBridge(node.station, device));
  const isPublished = world.facts.node(node?.name ?? '')?.status.addresses?.some((item) => item.address === address) === true;
  return isInner && !isPublished ? undefined : node;
}

const arriving = (way: Way, station: Station, device: string, mac: string | undefined): Way =>
  going(way, { at: 'arrive', station, device, mac });

function deviceByMac(world: World, mac: string): { station: Station; device: Device } | undefined {
  for (const station of world.stations) {
    if (station.place.kind !== 'node') continue;
    const device = devicesOf(station).find(
      ({ link }) => link.address?.toLowerCase() === mac && link.master === undefined && link.kind !== 'vxlan',
    );
    if (device) return { station, device };
  }
  return undefined;
}

/** What leaves the cluster: for the flow's own outside end that is the goal; a virtual address has nobody there. */
function outside(world: World, way: Way, station: Station, device: string, gateway: string, refs: EvidenceRef[]): Way[] {
  const { destination } = way.packet;
  const { flow } = world;
  const leaves = `${nameOf(station)} sends it out of the cluster by ${device} to ${gateway}`;
  if (way.direction === 'reply' && flow.from.kind === 'outside' && destination === flow.from.address && way.inside.length === 0)
    return backOutside(world, way, leaves, gateway, refs);
  if (world.virtualAddresses.has(destination)) {
    const says = `no rule of ${nameOf(station)} translates ${destination}: it leaves the cluster by ${device} to ${gateway}, where nobody has this address`;
    return ended(way, 'dropped', { kind: 'wire', says, brief: 'not translated', evidence: [...untranslated(way, station), ...refs] });
  }
  const lost = lostPod(world, station, destination);
  if (lost)
    return ended(way, 'no-route', { kind: 'route', says: lost.says, brief: 'no route', evidence: [...routeTaken(way), ...lost.evidence] });
  const pod = world.facts.podByAddress(destination);
  if (pod) {
    const it = `pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    const says =
      pod.spec.nodeName === station.place.name
        ? `${nameOf(station)} hands it over by ${device} to ${destination}: ${it}, which was not read`
        : `${leaves}, and ${destination} is ${it} on ${pod.spec.nodeName}: what is between them was not read`;
    return ended(way, 'insufficient-info', { kind: 'wire', says, brief: `out to ${gateway}`, evidence: refs });
  }
  return ended(way, 'insufficient-info', {
    kind: 'wire',
    says: `${leaves}; what is there can't be seen`,
    brief: `out to ${gateway}`,
    evidence: refs,
  });
}

/** The answer leaves the way that the question came; the client takes it only from the address and port that it asked. */
function backOutside({ asked }: World, way: Way, leaves: string, gateway: string, refs: EvidenceRef[]): Way[] {
  const { packet } = way;
  if (packet.source === asked.destination && packet.sourcePort === asked.destinationPort) {
    const done = withStep(way, { kind: 'wire', says: leaves, brief: `out to ${gateway}`, evidence: refs });
    return [going(done, { at: 'end', disposition: 'delivered', why: `the answer leaves the cluster for ${packet.destination}` })];
  }
  const says = `the answer leaves for ${packet.destination} from ${withPort(packet.source, packet.sourcePort)}, but ${withPort(asked.destination, asked.destinationPort)} was asked: the address was not translated back`;
  return ended(way, 'rejected', { kind: 'wire', says, brief: 'not its connection', evidence: [...way.chosenBy, ...refs] });
}

const routeTaken = (way: Way): EvidenceRef[] => way.hops.at(-1)?.steps.findLast((step) => step.kind === 'route')?.evidence ?? [];

/** What the rules of the node said of an address that they should have translated. */
const untranslated = (way: Way, station: Station): EvidenceRef[] =>
  way.hops
    .filter((hop) => hop.direction === way.direction && hop.place.kind === station.place.kind && hop.place.name === station.place.name)
    .flatMap((hop) => hop.steps.filter((step) => step.kind === 'rules' || step.kind === 'route').flatMap((step) => step.evidence));
