import type { Capture, CapturedPacket } from '../../model/capture.ts';
import {
  type CaptureDevice,
  type CapturePlace,
  type CapturePlan,
  type DeviceRole,
  mostPackets,
  placeKey,
} from '../../model/capture-path.ts';
import type { DroppedPacket } from '../../model/dropped-packet.ts';
import type { Link } from '../../model/link.ts';
import { parseIpLink } from '../../parse/ip-link.ts';
import { parseKfreeSkb } from '../../parse/kfree-skb.ts';
import { parsePcap } from '../../parse/pcap.ts';
import { parseTcpdump } from '../../parse/tcpdump.ts';
import { capturePlanSchema } from '../../schema/capture.ts';
import type { Entry } from '../../snapshot/entry.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** What one namespace's capture brought. */
export interface PlaceCapture {
  place: CapturePlace;
  /** Of the node that it is, or that it runs on. */
  address: string | undefined;
  devices: CaptureDevice[];
  packets: CapturedPacket[];
  /** Why what is missing may have been there all the same; undefined = nothing was lost by the capture itself. */
  gaps: string | undefined;
  /** So much was lost that what it did not see says nothing. */
  isLossy: boolean;
}

export interface CaptureInput {
  plan: CapturePlan;
  captures: PlaceCapture[];
  /** Of every place by its key, also of those that could not be captured in. */
  devices: Map<string, CaptureDevice[]>;
  /** Places that could not be captured in, and why. */
  blind: { place: CapturePlace; why: string }[];
  /** By node. Undefined where the kernel's drop reasons could not be read; what is there may be a part. */
  drops: Map<string, DroppedPacket[]>;
  noDrops: { node: string; why: string }[];
  /** What the tries printed, by source port. */
  said: Map<number, string>;
  /** Why the probe was not sent; undefined = it was. */
  notSent: string | undefined;
}

/** Reads the entries of a capture. A string says why there is none to judge. */
export function readCapture(snapshot: Snapshot): CaptureInput | string {
  const entry = snapshot.entries.get('capture/plan');
  if (!entry) return 'nothing was captured';
  if (entry.failure) return entry.failure.detail;
  const parsed = capturePlanSchema.safeParse(JSON.parse(entry.stdout));
  if (!parsed.success) return 'the plan of the capture is not of a known form';
  const plan: CapturePlan = parsed.data;
  const at = (place: CapturePlace, name: string): Entry | undefined => snapshot.entries.get(`${placeKey(place)}/${name}`);
  const links = new Map(plan.places.map((place) => [placeKey(place), parseIpLink(at(place, 'ip-link')?.stdout ?? '').value]));
  const devices = new Map(plan.places.map((place) => [placeKey(place), devicesOf(place, plan, links)]));
  const captures: PlaceCapture[] = [];
  const blind: CaptureInput['blind'] = [];
  for (const place of plan.places) {
    const read = readPackets(at(place, 'pcap'), at(place, 'tcpdump'));
    if (typeof read === 'string') blind.push({ place, why: read });
    else
      captures.push({
        place,
        address: plan.nodes.find(({ name }) => name === place.node)?.address,
        devices: devices.get(placeKey(place)) ?? [],
        ...read,
      });
  }
  const nodes = [...new Set(plan.places.map((place) => place.node))];
  const drops = new Map<string, DroppedPacket[]>();
  const noDrops: CaptureInput['noDrops'] = [];
  for (const node of nodes) {
    const trace = snapshot.entries.get(`capture/node/${node}/drops`);
    if (trace && !trace.failure && trace.exit === 0) {
      const { value, complete } = parseKfreeSkb(trace.stdout);
      drops.set(node, value);
      if (!complete || isOverwritten(trace.stdout))
        noDrops.push({ node, why: `there were too many of them, and only ${value.length} were kept` });
    } else noDrops.push({ node, why: whyNot(trace) });
  }
  const probe = snapshot.entries.get('capture/probe');
  return {
    plan,
    captures,
    devices,
    blind,
    drops,
    noDrops,
    said: readTries(probe?.stdout ?? ''),
    notSent: probe && !probe.failure ? undefined : whyNot(probe ?? at(plan.client.place, 'pcap')),
  };
}

/** The heading of a trace says how many events there were, and how many are left (Documentation/trace/ftrace.rst). */
function isOverwritten(trace: string): boolean {
  const [, kept, written] = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(trace) ?? [];
  return kept !== written;
}

const whyNot = (entry: Entry | undefined): string =>
  entry?.failure?.detail ?? (entry?.stderr.trim().split('\n').at(-1) || 'it was not collected');

function readPackets(pcap: Entry | undefined, said: Entry | undefined): Pick<PlaceCapture, 'packets' | 'gaps' | 'isLossy'> | string {
  if (!pcap || pcap.failure || pcap.exit !== 0) return whyNot(pcap);
  const file = parsePcap(fromBase64(pcap.stdout));
  if (!file) return 'what came is no capture file';
  const { counters } = parseTcpdump(said?.stdout ?? '').value;
  return { packets: file.packets, ...lossesOf(file.packets.length, counters, file.cut) };
}

/** What tcpdump counted and did not write: lost in the kernel, beyond the bound of packets, or still in its buffer when it ended. */
function lossesOf(count: number, counters: Capture['counters'], cut: string | undefined): Pick<PlaceCapture, 'gaps' | 'isLossy'> {
  const dropped = counters.droppedByKernel ?? 0;
  const unread = Math.max(0, (counters.received ?? 0) - (counters.captured ?? 0) - dropped);
  if (dropped > 0) return { gaps: `the capture itself lost ${dropped} packets`, isLossy: true };
  if (count >= mostPackets) return { gaps: `the capture ended after ${mostPackets} packets`, isLossy: true };
  if (cut !== undefined) return { gaps: `the capture is cut: ${cut}`, isLossy: true };
  return { gaps: unread > 0 ? `it ended with ${unread} of its packets unread` : undefined, isLossy: false };
}

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

function readTries(text: string): Map<number, string> {
  const parts = text.split(/^k8snet-try (\d+) rc=\d+ cs=\d+$/m);
  return new Map(parts.flatMap((part, index) => (index % 2 === 1 ? [[Number(part), (parts[index + 1] ?? '').trim()] as const] : [])));
}

const tunnelKinds = new Set(['vxlan', 'geneve', 'ipip', 'gre', 'gretap', 'sit', 'ip6tnl', 'ip6gre', 'wireguard', 'tun']);

function devicesOf(place: CapturePlace, plan: CapturePlan, links: ReadonlyMap<string, Link[]>): CaptureDevice[] {
  const own = links.get(placeKey(place)) ?? [];
  const pods = plan.places
    .filter((other) => other.kind === 'pod' && other.node === place.node)
    .flatMap((other) => links.get(placeKey(other)) ?? []);
  return own.flatMap((link) => {
    if (link.index === undefined) return [];
    return [{ index: link.index, name: link.name, role: roleOf(place, link, pods), peerIndex: link.peer?.index }];
  });
}

/** A node's own link to the world can be a veth too (nodes that are containers), so a veth is a pod's only where it meets one or is a port of a bridge. */
function roleOf(place: CapturePlace, link: Link, pods: readonly Link[]): DeviceRole {
  if (link.name === 'lo') return 'loopback';
  if (place.kind === 'pod') return 'pod';
  if (link.kind === 'bridge') return 'bridge';
  if (tunnelKinds.has(link.kind ?? '')) return 'tunnel';
  const meetsPod = pods.some((pod) => pod.index !== undefined && pod.index === link.peer?.index && pod.peer?.index === link.index);
  return meetsPod || (link.kind === 'veth' && link.master !== undefined) ? 'veth' : 'underlay';
}
