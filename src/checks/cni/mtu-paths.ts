import type { Facts } from '../../facts/facts.ts';
import type { ProbeResult } from '../../facts/probe-results.ts';
import type { Where } from '../../model/check.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { type Leg, turned } from '../../walk/leg.ts';
import { describeDecision } from '../../walk/passage-rules.ts';
import { type NarrowDevice, type PathMtu, pathMtu } from '../../walk/path-mtu.ts';
import { tellsTooBig } from '../../walk/too-big.ts';
import { legsOf } from './legs.ts';

/** Where full-size packets of a probe get stuck: on which way, and at which device, where the tables have one that fits what was measured. */
export interface SizeLoss {
  probe: ProbeResult;
  /** The way on which they are lost: the probe's own, or the one back. */
  leg: Leg;
  /** Whether it was seen which of the two ways it is; else it is the one that the tables make likelier. */
  directionSeen: boolean;
  path: PathMtu;
  device: NarrowDevice | undefined;
  /** The longest packet that was answered; undefined where that was not measured. */
  largest: number | undefined;
}

/**
 * An echo goes both ways, and which one lost it only a third party can tell: the far node, when it answers that a full-size packet's time to live was exceeded
 * there. Then it got so far, and was lost behind that or on the way back.
 */
export function sizeLoss(facts: Facts, probe: ProbeResult): SizeLoss | undefined {
  const [leg] = legsOf(facts, probe);
  if (!leg || !probe.payload) return undefined;
  const { mtu, narrow } = probe.payload;
  const on = (way: Leg): Omit<SizeLoss, 'probe' | 'directionSeen'> => {
    const path = pathMtu(facts, way, mtu);
    return { leg: way, path, device: deviceFor(path, narrow?.largest), largest: narrow?.largest };
  };
  const reached = reachedFarNode(facts, probe, leg);
  const there = on(leg);
  if (reached === false) return { probe, directionSeen: true, ...there };
  const behind = there.device !== undefined && nodeOfDevice(there.device) === leg.to.node;
  if (there.device && (reached === undefined || behind)) return { probe, directionSeen: behind && reached === true, ...there };
  const back = on(turned(leg));
  if (reached === true) return { probe, directionSeen: true, ...back };
  return { probe, directionSeen: false, ...(back.device && back.device.answer !== 'icmp' ? back : there) };
}

/** Whether a full-size packet came to the far node; undefined where that node answered nothing at all, or was not read. */
function reachedFarNode(facts: Facts, { payload }: ProbeResult, { to }: Leg): boolean | undefined {
  const reach = payload?.narrow?.reach;
  if (!reach || reach.small === null || to.node === null) return undefined;
  const own = facts.nodeNet(to.node).addresses();
  const isFar = own.state === 'seen' && own.value.some((link) => link.addresses.some(({ address }) => address === reach.small));
  return isFar ? reach.full === reach.small : undefined;
}

/** The device that takes just what was measured; where nothing was measured, the first that stops a full-size packet. */
function deviceFor({ narrow }: PathMtu, largest: number | undefined): NarrowDevice | undefined {
  if (largest === undefined) return narrow.find(({ answer }) => answer !== 'fragments' && answer !== 'unclear');
  return narrow.find(({ carries, answer }) => carries === largest || (answer === 'unclear' && carries - tagBytes === largest));
}

/** A VLAN tag's, which a driver may let through beyond its MTU or not. */
const tagBytes = 4;

/** The node that a device is on, or whose pod has it. */
export const nodeOfDevice = ({ place }: NarrowDevice): string | undefined => (place.kind === 'node' ? place.name : place.node);

/** `flannel.1 on node n1`, `eth0 of pod default/web`, `the route by flannel.1 on nodes n1, n2`. */
export function deviceWords({ device, by, place }: NarrowDevice, nodes: readonly string[] = []): string {
  const subject = by === 'route' ? `the route by ${device}` : device;
  if (nodes.length > 1) return `${subject} on nodes ${nodes.join(', ')}`;
  return place.kind === 'pod' ? `${subject} of pod ${place.namespace}/${place.name}` : `${subject} on node ${place.name}`;
}

export function deviceWhere(device: NarrowDevice, nodes: readonly string[]): Where {
  const node = nodeOfDevice(device);
  const of = device.place.kind === 'pod' ? ` of pod ${device.place.namespace}/${device.place.name}` : '';
  return {
    kind: device.by === 'route' ? 'route' : 'link',
    name: `${device.device} mtu ${device.mtu}${of}${nodes.length > 1 ? ` (on ${nodes.join(', ')})` : ''}`,
    ...(node === undefined ? {} : { node }),
  };
}

/** The rule on the way from the node that reports "fragmentation needed" to the sender that keeps it from there, where there is one. */
export function filterOfIcmp(facts: Facts, { leg, device }: SizeLoss): { text: string; evidence: EvidenceRef } | null {
  const node = device?.answer === 'icmp' ? nodeOfDevice(device) : undefined;
  if (node === undefined) return null;
  const verdict = tellsTooBig(facts, node, leg.from);
  if (verdict.state !== 'stopped') return null;
  return {
    text: `${describeDecision(verdict.stop.decision)} would drop the ICMP`,
    evidence: evidence(verdict.stop.entry, verdict.stop.decision.line),
  };
}
