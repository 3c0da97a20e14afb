import type { Facts } from '../facts/facts.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import type { FlowSource, HopPlace, TooLong, Trace } from '../model/trace.ts';
import type { Leg, Place } from './leg.ts';
import { traceFlow } from './trace.ts';

/** A device on the way that a packet does not fit, and the lines that say so. */
export interface NarrowDevice extends TooLong {
  place: HopPlace;
  evidence: EvidenceRef[];
}

/** What the tables say of the longest packet that gets from one end to the other, one way. Lengths are of layer 3, in bytes. */
export interface PathMtu {
  /** In the order in which they stop ever shorter packets: each is narrower than the ones before it. Devices that cut tunnel packets into fragments among them. */
  narrow: NarrowDevice[];
  /** The longest packet that the tables let through to the far end. */
  carries: number;
  /** Whether the way was followed to its end: where it was not, what lies behind may be narrower still. */
  isWhole: boolean;
  /** Where and why it was not followed further. */
  why: string;
}

/**
 * Sends ever shorter packets with "don't fragment" through the tables, beginning with one of `size` bytes: each device that stops one tells the length of
 * the next. Only the way there is looked at; the way back is the leg turned round.
 */
export function pathMtu(facts: Facts, leg: Leg, size: number): PathMtu {
  const narrow: NarrowDevice[] = [];
  let carries = size;
  for (let round = 0; round < mostDevices; round += 1) {
    const traces = traceFlow(facts, {
      from: sourceOf(leg.from),
      to: { kind: 'address', address: leg.to.address, port: undefined },
      protocol: 'icmp',
      length: carries,
      packet: 'first',
    });
    const met = traces.flatMap(narrowDevices);
    for (const device of met) if (!narrow.some((known) => isSame(known, device))) narrow.push(device);
    const stopping = met.filter((device) => device.answer !== 'fragments' && device.carries < carries);
    if (stopping.length === 0) return { narrow, carries, ...endOf(traces) };
    carries = Math.min(...stopping.map((device) => device.carries));
  }
  return { narrow, carries, isWhole: false, why: `more than ${mostDevices} devices are narrower than the one before` };
}

const mostDevices = 8;

const sourceOf = ({ pod, node }: Place): FlowSource =>
  pod ? { kind: 'pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name } : { kind: 'node', name: node ?? '' };

const narrowDevices = ({ hops }: Trace): NarrowDevice[] =>
  hops
    .filter((hop) => hop.direction === 'request')
    .flatMap(({ place, steps }) => steps.flatMap(({ tooLong, evidence }) => (tooLong ? [{ ...tooLong, place, evidence }] : [])));

const isSame = (one: NarrowDevice, other: NarrowDevice): boolean =>
  one.device === other.device && one.place.kind === other.place.kind && one.place.name === other.place.name;

/** A way whose answer is under way, or that was delivered, was whole. */
function endOf(traces: readonly Trace[]): Pick<PathMtu, 'isWhole' | 'why'> {
  const cut = traces.find(({ disposition, hops }) => disposition !== 'delivered' && !hops.some((hop) => hop.direction === 'reply'));
  return cut ? { isWhole: false, why: cut.why } : { isWhole: traces.length > 0, why: '' };
}
