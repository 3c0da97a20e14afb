import { addressAt, magic, protocolNumbers, type Sent } from './wire.ts';

/** A packet that came out: one that was sent, or an answer to one that was refused. */
export interface Seen {
  id: number;
  source: string;
  destination: string;
  protocol: Sent['protocol'];
  sourcePort: number;
  destinationPort: number;
  /** `reset`, or type and code of an ICMP error; left out for the packet itself. */
  refusal?: string;
}

/** Reads a frame; undefined when it is none of those that were sent, nor an answer to one. */
export const readFrame = (hex: string): Seen | undefined =>
  ['0800', '86dd'].includes(hex.slice(24, 28)) ? readPacket(hex.slice(28)) : undefined;

/** Reads an IPv4 or IPv6 packet. */
export function readPacket(hex: string): Seen | undefined {
  const packet = Buffer.from(hex, 'hex');
  const version = packet.length < 28 ? 0 : packet.readUInt8(0) >> 4;
  if (version === 4) return readBody(packet.subarray((packet.readUInt8(0) & 15) * 4), packet.readUInt8(9), endsOf(packet, 12, 4));
  return version === 6 && packet.length >= 48 ? readBody(packet.subarray(40), packet.readUInt8(6), endsOf(packet, 8, 16)) : undefined;
}

type Ends = Pick<Seen, 'source' | 'destination'>;
const endsOf = (packet: Buffer, at: number, length: number): Ends => ({
  source: addressAt(packet.subarray(at, at + length)),
  destination: addressAt(packet.subarray(at + length, at + 2 * length)),
});
const portsOf = (body: Buffer) => ({ sourcePort: body.readUInt16BE(0), destinationPort: body.readUInt16BE(2) });

function readBody(body: Buffer, number: number, ends: Ends): Seen | undefined {
  if (number === protocolNumbers.icmp) return readIcmp(body, ends, [0, 8]);
  if (number === protocolNumbers.icmpv6) return readIcmp(body, ends, [128, 129]);
  if (number === protocolNumbers.tcp && body.length >= 20) return readTcp(body, ends);
  if (number !== protocolNumbers.udp || body.length < 16 || body.readUInt32BE(8) !== magic) return undefined;
  return { ...ends, ...portsOf(body), protocol: 'udp', id: body.readUInt32BE(12) };
}

function readTcp(body: Buffer, ends: Ends): Seen {
  const [isReset, acknowledges] = [4, 16].map((flag) => (body.readUInt8(13) & flag) !== 0);
  const base: Seen = { ...ends, ...portsOf(body), protocol: 'tcp', id: body.readUInt32BE(4) };
  if (!isReset) return base;
  return { ...base, id: acknowledges ? body.readUInt32BE(8) - 1 : base.id, refusal: 'reset' };
}

function readIcmp(body: Buffer, ends: Ends, echo: readonly number[]): Seen | undefined {
  const type = body.readUInt8(0);
  if (echo.includes(type)) {
    if (body.length < 16 || body.readUInt32BE(8) !== magic) return undefined;
    return { ...ends, protocol: 'icmp', sourcePort: body.readUInt16BE(4), destinationPort: 0, id: body.readUInt32BE(12) };
  }
  const refused = body.length < 8 + 28 ? undefined : readPacket(body.subarray(8).toString('hex'));
  return (
    refused && {
      ...ends,
      protocol: 'icmp',
      sourcePort: 0,
      destinationPort: 0,
      id: refused.id,
      refusal: `icmp ${type}/${body.readUInt8(1)}`,
    }
  );
}
