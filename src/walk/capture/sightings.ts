import type { CapturedPacket } from '../../model/capture.ts';
import { type MarkedTry, type PacketPart, type Sighting, tryMark } from '../../model/capture-path.ts';
import type { PlaceCapture } from './read.ts';

/** A connection's initial sequence number is kept by every translation of addresses and ports, so that with it a packet is known wherever it is seen. A try sends less than this. */
const window = 1 << 14;

/** Every sighting of a try's packets, inside of tunnels too, in the order of time at each place. `marked`: the source ports of all tries. */
export function sightingsOf(captures: readonly PlaceCapture[], item: MarkedTry, marked: ReadonlySet<number>): Sighting[] {
  const starts = new Set(captures.flatMap(({ packets }) => packets.flatMap((packet) => initialNumbers(packet, item))));
  const ids = item.datagram ? new Set(captures.flatMap(({ packets }) => packets.flatMap((packet) => ownIds(packet, item)))) : starts;
  if (starts.size === 0 && item.protocol === 'TCP') return [];
  return captures.flatMap((capture) => capture.packets.flatMap((packet) => sight(capture, packet, { item, marked, starts, ids }) ?? []));
}

/** A SYN is sent again after a second (RFC 6298); what is this much (microseconds) older belongs to the one before. */
const beforeRepetition = 400_000;

/** What was seen of a connection before its SYN was sent again: its transmissions have IP ids of their own, and what answers them comes before the next. */
export function firstTransmission(sightings: readonly Sighting[]): Sighting[] {
  const sent = sightings.filter(({ part, role, direction }) => part === 'syn' && role === 'pod' && direction === 'out');
  const syns = (sent.length > 0 ? sent : sightings.filter(({ part }) => part === 'syn')).toSorted((a, b) => a.at - b.at);
  const [first] = syns;
  const again = syns.find(({ ipId }) => ipId !== first?.ipId);
  if (!first || !again) return [...sightings];
  return sightings.filter(({ part, ipId, at }) => (part === 'syn' ? ipId === first.ipId : at < again.at - beforeRepetition));
}

function initialNumbers(packet: CapturedPacket, item: MarkedTry): number[] {
  const inner = packet.inner ? initialNumbers(packet.inner, item) : [];
  const { body, source } = packet;
  const isSyn = body.kind === 'tcp' && body.flags.includes('S') && !body.flags.includes('.');
  return isSyn && source?.port === item.sourcePort ? [Number(body.seq), ...inner] : inner;
}

/** Of a datagram, the ids of the IP packets that it is sent in: translations keep them. 0 is given to packets that may not be cut. */
function ownIds(packet: CapturedPacket, item: MarkedTry): number[] {
  const inner = packet.inner ? ownIds(packet.inner, item) : [];
  const { body, source, ip } = packet;
  return body.kind === 'udp' && source?.port === item.sourcePort && ip?.id ? [ip.id, ...inner] : inner;
}

interface Wanted {
  item: MarkedTry;
  marked: ReadonlySet<number>;
  starts: ReadonlySet<number>;
  ids: ReadonlySet<number>;
}

function sight(capture: PlaceCapture, packet: CapturedPacket, wanted: Wanted): Sighting | undefined {
  let tunnel: CapturedPacket | undefined;
  let found = packet;
  while (found.inner) {
    tunnel = found;
    found = found.inner;
  }
  // Most packets are another try's: nothing else is worked out for them.
  const known = recognise(found, wanted);
  if (!known || packet.time === undefined || packet.direction === undefined) return undefined;
  const device = capture.devices.find(({ index }) => `#${index}` === packet.device);
  // Flooded by a switch that has forgotten where its owner is: nobody here takes it. (At a port of a node's own bridge it is the usual thing.)
  if (packet.direction === 'P' && device?.role === 'underlay' && packet.destination?.address !== capture.address) return undefined;
  return {
    place: capture.place,
    device: device?.name ?? packet.device ?? '?',
    role: device?.role ?? 'underlay',
    direction: packet.direction === 'Out' ? 'out' : 'in',
    at: microseconds(packet.time),
    ...known,
    source: text(found.source),
    destination: text(found.destination),
    ipId: found.ip?.id,
    outer: tunnel && outerOf(tunnel),
  };
}

const outerOf = ({ body, source, destination }: CapturedPacket): Sighting['outer'] => ({
  source: source?.address ?? '',
  destination: destination?.address ?? '',
  vni: body.kind === 'tunnel' ? body.vni : undefined,
});

type Known = Pick<Sighting, 'leg' | 'part' | 'sequence' | 'icmp'>;

function recognise(packet: CapturedPacket, wanted: Wanted): Known | undefined {
  const { body, quoted } = packet;
  const { item, marked, starts } = wanted;
  if (body.kind === 'icmp' && quoted)
    return recognise(quoted, wanted) ? { leg: 'reply', part: 'icmp-error', sequence: undefined, icmp: body.type } : undefined;
  if (item.datagram) return recogniseDatagram(packet, wanted);
  if (item.protocol === 'UDP') return recogniseDns(packet, item);
  if (body.kind !== 'tcp') return undefined;
  const ports = [packet.source?.port, packet.destination?.port];
  const isOthers = ports.some((port) => typeof port === 'number' && port !== item.sourcePort && marked.has(port));
  if (isOthers && !ports.includes(item.sourcePort)) return undefined;
  const after = (number: number | undefined): number | undefined =>
    number === undefined ? undefined : [...starts].map((start) => (number - start) >>> 0).find((distance) => distance < window);
  const seq = Number(body.seq);
  const isRequest = packet.source?.port === item.sourcePort || (packet.destination?.port !== item.sourcePort && after(seq) !== undefined);
  const distance = isRequest ? after(seq) : after(body.ack);
  // An answer acknowledges at least the SYN.
  if (distance === undefined || (!isRequest && distance === 0)) return undefined;
  return {
    leg: isRequest ? 'request' : 'reply',
    part: partOf(body.flags, body.length, isRequest, distance),
    sequence: seq,
    icmp: undefined,
  };
}

/** By the port that it was sent from, and where that is translated by its IP id; of what is answered, only that port tells. */
function recogniseDatagram({ body, source, destination, ip }: CapturedPacket, { item, marked, ids }: Wanted): Known | undefined {
  if (body.kind !== 'udp') return undefined;
  const isAnswer = destination?.port === item.sourcePort;
  const isOthers = [source?.port, destination?.port].some((port) => typeof port === 'number' && marked.has(port));
  const isOurs = source?.port === item.sourcePort || (!isOthers && ip?.id !== undefined && ids.has(ip.id));
  if (!isAnswer && !isOurs) return undefined;
  return { leg: isAnswer ? 'reply' : 'request', part: isAnswer ? 'syn-ack' : 'syn', sequence: undefined, icmp: undefined };
}

/** By the name that is asked for; where the message is cut, by the port that it was sent from. */
function recogniseDns({ body, source, destination }: CapturedPacket, { sourcePort }: MarkedTry): Known | undefined {
  const isNamed = body.kind === 'dns' && body.question?.name.startsWith(`${tryMark(sourcePort)}.`);
  if (!isNamed && (body.kind !== 'udp' || ![source?.port, destination?.port].includes(sourcePort))) return undefined;
  const isAnswer = body.kind === 'dns' ? body.isResponse : destination?.port === sourcePort;
  return { leg: isAnswer ? 'reply' : 'request', part: isAnswer ? 'syn-ack' : 'syn', sequence: undefined, icmp: undefined };
}

/** Of the request's data, the piece that begins it: what follows it may be short, and pass where it does not. */
function partOf(flags: string, length: number, isRequest: boolean, distance: number): PacketPart {
  if (flags.includes('R')) return isRequest ? 'other' : 'reset';
  if (flags.includes('S')) return isRequest ? (flags.includes('.') ? 'other' : 'syn') : 'syn-ack';
  if (length > 0) return isRequest ? (distance === 1 ? 'request-data' : 'other') : 'reply-data';
  return 'other';
}

const text = (end: CapturedPacket['source']): string =>
  end === undefined ? '?' : end.port === undefined ? end.address : `${end.address}:${end.port}`;

/** Of an ISO 8601 time with six or nine digits after the second. */
export function microseconds(time: string): number {
  const [whole = '', fraction = ''] = time.replace('Z', '').split('.');
  return Date.parse(`${whole}Z`) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}
