import type { Packet } from '../../src/model/packet.ts';

/** A packet that is sent; `id` is what it is known by wherever it comes out. */
export interface Sent {
  id: number;
  source: string;
  destination: string;
  protocol: 'tcp' | 'udp' | 'icmp';
  sourcePort: number;
  destinationPort: number;
  /** Of a TCP packet; upper-case. */
  tcpFlags: readonly string[];
  /** Of an ICMP packet: 8 asks, 0 answers. */
  icmpType: 0 | 8;
}

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

const numbers = { icmp: 1, tcp: 6, udp: 17 } as const;
const flagBits: Readonly<Record<string, number>> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 };
const magic = 0x6b386e00;

/** The IPv4 packet as bytes in hexadecimal (RFC 791, 792, 768, 9293), with right checksums. */
export function packetBytes(sent: Sent): string {
  const payload = payloadOf(sent);
  const packet = Buffer.alloc(20 + payload.length);
  packet.writeUInt16BE(0x4500, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt16BE(0x4000, 6);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(numbers[sent.protocol], 9);
  packet.set(addressBytes(sent.source), 12);
  packet.set(addressBytes(sent.destination), 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  packet.set(payload, 20);
  return packet.toString('hex');
}

export const frameBytes = (to: string, from: string, packet: string): string => `${to}${from}0800${packet}`;

/** The fields that the walk looks at, as the sent packet has them. */
export const fieldsOf = (sent: Sent): Omit<Packet, 'mark' | 'conntrack' | 'family'> => ({
  source: sent.source,
  destination: sent.destination,
  protocol: sent.protocol,
  ...(sent.protocol === 'icmp'
    ? { icmpType: sent.icmpType, icmpCode: 0 }
    : { sourcePort: sent.sourcePort, destinationPort: sent.destinationPort }),
  ...(sent.protocol === 'tcp' ? { tcpFlags: sent.tcpFlags } : {}),
  length: 20 + payloadOf(sent).length,
  ttl: 64,
  dscp: 0,
  fragment: false,
});

function payloadOf(sent: Sent): Buffer {
  const body = Buffer.alloc(sent.protocol === 'tcp' ? 20 : 16);
  if (sent.protocol === 'icmp') {
    body.writeUInt8(sent.icmpType, 0);
    body.writeUInt16BE(sent.sourcePort, 4);
  } else {
    body.writeUInt16BE(sent.sourcePort, 0);
    body.writeUInt16BE(sent.destinationPort, 2);
  }
  if (sent.protocol === 'tcp') {
    body.writeUInt32BE(sent.id, 4);
    // A reset of a packet with ACK repeats its acknowledgement number (RFC 9293, 3.10.7.1).
    body.writeUInt32BE(sent.tcpFlags.includes('ACK') ? sent.id : 0, 8);
    body.writeUInt16BE(0x5000 | sent.tcpFlags.reduce((bits, flag) => bits | (flagBits[flag] ?? 0), 0), 12);
    body.writeUInt16BE(64_000, 14);
  } else {
    if (sent.protocol === 'udp') body.writeUInt16BE(body.length, 4);
    body.writeUInt32BE(magic, 8);
    body.writeUInt32BE(sent.id, 12);
  }
  body.writeUInt16BE(transportChecksum(sent, body), { tcp: 16, udp: 6, icmp: 2 }[sent.protocol]);
  return body;
}

function transportChecksum(sent: Sent, body: Buffer): number {
  if (sent.protocol === 'icmp') return checksum(body);
  const pseudo = Buffer.from([...addressBytes(sent.source), ...addressBytes(sent.destination), 0, numbers[sent.protocol], 0, body.length]);
  return checksum(Buffer.concat([pseudo, body]));
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const addressBytes = (address: string): number[] => address.split('.').map(Number);
const addressText = (packet: Buffer, at: number): string => [...packet.subarray(at, at + 4)].join('.');

/** Reads a frame; undefined when it is none of those that were sent, nor an answer to one. */
export const readFrame = (hex: string): Seen | undefined => (hex.slice(24, 28) === '0800' ? readPacket(hex.slice(28)) : undefined);

/** Reads an IPv4 packet. */
export function readPacket(hex: string): Seen | undefined {
  const packet = Buffer.from(hex, 'hex');
  if (packet.length < 28 || packet.readUInt8(0) >> 4 !== 4) return undefined;
  const header = (packet.readUInt8(0) & 15) * 4;
  const body = packet.subarray(header);
  const ends = { source: addressText(packet, 12), destination: addressText(packet, 16) };
  const number = packet.readUInt8(9);
  if (number === numbers.icmp) return readIcmp(body, ends);
  if (number === numbers.tcp && body.length >= 20) return readTcp(body, ends);
  if (number !== numbers.udp || body.length < 16 || body.readUInt32BE(8) !== magic) return undefined;
  return { ...ends, ...portsOf(body), protocol: 'udp', id: body.readUInt32BE(12) };
}

type Ends = Pick<Seen, 'source' | 'destination'>;
const portsOf = (body: Buffer) => ({ sourcePort: body.readUInt16BE(0), destinationPort: body.readUInt16BE(2) });

function readTcp(body: Buffer, ends: Ends): Seen {
  const [isReset, acknowledges] = [4, 16].map((flag) => (body.readUInt8(13) & flag) !== 0);
  const base: Seen = { ...ends, ...portsOf(body), protocol: 'tcp', id: body.readUInt32BE(4) };
  if (!isReset) return base;
  return { ...base, id: acknowledges ? body.readUInt32BE(8) - 1 : base.id, refusal: 'reset' };
}

function readIcmp(body: Buffer, ends: Ends): Seen | undefined {
  const type = body.readUInt8(0);
  if (type === 0 || type === 8) {
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
