import type { CapturedPacket } from '../model/capture.ts';
import { decodeFrame } from './pcap-frame.ts';

/** A capture file: its packets, and why reading ended where it did not end well. */
export interface CaptureFile {
  format: 'pcap' | 'pcapng';
  packets: CapturedPacket[];
  /** Packets of link types that are not read, and frames cut by the snapshot length so far that their headers lack. */
  undecoded: { index: number; why: string }[];
  /** Undefined = the file is whole. */
  cut: string | undefined;
}

/** More is no capture that a person looks at; the rest is named as cut. */
const mostPackets = 1_000_000;

/**
 * Reads a capture file: pcap (all byte orders, micro- and nanoseconds; draft-ietf-opsawg-pcap) and pcapng (section header, interface description, enhanced and simple packet
 * blocks, any time resolution; draft-ietf-opsawg-pcapng). Link types Ethernet, Linux cooked v1 and v2, raw IP and BSD loopback. Never throws; undefined = no capture file.
 */
export function parsePcap(bytes: Uint8Array): CaptureFile | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8) return undefined;
  const magic = view.getUint32(0);
  if (magic === 0x0a0d0d0a) return readPcapng(view);
  const order = pcapOrders.get(magic);
  return order && bytes.byteLength >= 24 ? readPcap(view, order) : undefined;
}

interface Order {
  little: boolean;
  /** Parts of a second that the second word of a time counts. */
  perSecond: number;
}

const pcapOrders = new Map<number, Order>([
  [0xa1b2c3d4, { little: false, perSecond: 1_000_000 }],
  [0xd4c3b2a1, { little: true, perSecond: 1_000_000 }],
  [0xa1b23c4d, { little: false, perSecond: 1_000_000_000 }],
  [0x4d3cb2a1, { little: true, perSecond: 1_000_000_000 }],
]);

function readPcap(view: DataView, { little, perSecond }: Order): CaptureFile {
  const file: CaptureFile = { format: 'pcap', packets: [], undecoded: [], cut: undefined };
  const linkType = view.getUint32(20, little) & 0x0fffffff;
  let at = 24;
  while (at < view.byteLength) {
    if (at + 16 > view.byteLength) return { ...file, cut: 'ends in a packet header' };
    const time = isoTime(
      BigInt(view.getUint32(at, little)) * BigInt(perSecond) + BigInt(view.getUint32(at + 4, little)),
      BigInt(perSecond),
    );
    const length = view.getUint32(at + 8, little);
    if (at + 16 + length > view.byteLength) return { ...file, cut: 'ends in a packet' };
    if (!takeFrame(file, linkType, subview(view, at + 16, length), time)) return file;
    at += 16 + length;
  }
  return file;
}

interface Interface {
  linkType: number;
  perSecond: bigint;
}

function readPcapng(view: DataView): CaptureFile {
  const file: CaptureFile = { format: 'pcapng', packets: [], undecoded: [], cut: undefined };
  let little = false;
  let interfaces: Interface[] = [];
  let at = 0;
  while (at < view.byteLength) {
    if (at + 12 > view.byteLength) return { ...file, cut: 'ends in a block header' };
    const isSection = view.getUint32(at) === 0x0a0d0d0a;
    if (isSection) {
      little = view.getUint32(at + 8) === 0x4d3c2b1a;
      interfaces = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || at + length > view.byteLength) return { ...file, cut: 'a block is longer than the file' };
    const body = subview(view, at + 8, length - 12);
    if (type === 1 && body.byteLength >= 8) interfaces.push(interfaceOf(body, little));
    const isTaken =
      type === 6 ? takeEnhanced(file, interfaces, body, little) : type === 3 ? takeSimple(file, interfaces, body, little) : true;
    if (!isTaken) return file;
    at += length;
  }
  return file;
}

function interfaceOf(body: DataView, little: boolean): Interface {
  let perSecond = 1_000_000n;
  for (let at = 8; at + 4 <= body.byteLength; ) {
    const code = body.getUint16(at, little);
    const length = body.getUint16(at + 2, little);
    if (code === 0) break;
    // if_tsresol: a power of ten, or of two with the highest bit set.
    if (code === 9 && length === 1 && at + 5 <= body.byteLength) {
      const resolution = body.getUint8(at + 4);
      perSecond = resolution & 0x80 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(Math.min(resolution, 18));
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { linkType: body.getUint16(0, little), perSecond };
}

function takeEnhanced(file: CaptureFile, interfaces: readonly Interface[], body: DataView, little: boolean): boolean {
  if (body.byteLength < 20) return stopAt(file, 'a packet block is too short');
  const port = interfaces[body.getUint32(0, little)];
  const units = (BigInt(body.getUint32(4, little)) << 32n) | BigInt(body.getUint32(8, little));
  const length = body.getUint32(12, little);
  if (!port || 20 + length > body.byteLength) return stopAt(file, 'a packet block is too short, or of no interface');
  return takeFrame(file, port.linkType, subview(body, 20, length), isoTime(units, port.perSecond));
}

function takeSimple(file: CaptureFile, [port]: readonly Interface[], body: DataView, little: boolean): boolean {
  if (!port || body.byteLength < 4) return stopAt(file, 'a packet block is too short, or of no interface');
  return takeFrame(file, port.linkType, subview(body, 4, Math.min(body.getUint32(0, little), body.byteLength - 4)), undefined);
}

/** False = reading ends here. */
function takeFrame(file: CaptureFile, linkType: number, frame: DataView, time: string | undefined): boolean {
  const index = file.packets.length + file.undecoded.length;
  if (index >= mostPackets) return stopAt(file, 'more packets than are read');
  const read = decodeFrame(linkType, frame);
  if (typeof read === 'string') file.undecoded.push({ index, why: read });
  else file.packets.push({ ...read, line: index + 1, time });
  return true;
}

function stopAt(file: CaptureFile, why: string): false {
  file.cut = why;
  return false;
}

const subview = (view: DataView, at: number, length: number): DataView => new DataView(view.buffer, view.byteOffset + at, length);

/** ISO 8601 in UTC, with as many digits as the file counts (at most nine). Times beyond the year 9999 are shown as seconds. */
function isoTime(units: bigint, perSecond: bigint): string {
  const seconds = units / perSecond;
  const nanoseconds = ((units % perSecond) * 1_000_000_000n) / perSecond;
  const digits = perSecond > 1_000_000n ? 9 : 6;
  const fraction = nanoseconds.toString().padStart(9, '0').slice(0, digits);
  return seconds > 253_402_300_799n
    ? `${seconds}.${fraction}`
    : `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}
