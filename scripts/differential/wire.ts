import { addressText, addressValue } from '../../src/model/netfilter-address.ts';
import type { Packet } from '../../src/model/packet.ts';

/** A packet that is sent; `id` is what it is known by wherever it comes out. */
export interface Sent {
  id: number;
  source: string;
  destination: string;
  /** `icmp` is ICMPv6 where the addresses are IPv6. */
  protocol: 'tcp' | 'udp' | 'icmp';
  sourcePort: number;
  destinationPort: number;
  /** Of a TCP packet; upper-case. */
  tcpFlags: readonly string[];
  /** Of an ICMP packet, in IPv4's numbers: 8 asks, 0 answers. */
  icmpType: 0 | 8;
}

const isIpv6 = ({ source }: Pick<Sent, 'source'>): boolean => source.includes(':');

/** Protocol numbers, and the echo types of ICMPv6 by those of ICMP (RFC 4443, 4). */
export const protocolNumbers = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
const echoTypes = { 8: 128, 0: 129 } as const;
const flagBits: Readonly<Record<string, number>> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 };
export const magic = 0x6b386e00;

const numberOf = (sent: Sent): number => protocolNumbers[sent.protocol === 'icmp' && isIpv6(sent) ? 'icmpv6' : sent.protocol];
const headerLength = (sent: Sent): number => (isIpv6(sent) ? 40 : 20);

/** The packet as bytes in hexadecimal (RFC 791, 8200, 792, 4443, 768, 9293), with right checksums. */
export function packetBytes(sent: Sent): string {
  const payload = payloadOf(sent);
  return Buffer.concat([isIpv6(sent) ? header6(sent, payload.length) : header4(sent, payload.length), payload]).toString('hex');
}

function header4(sent: Sent, length: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x4500, 0);
  header.writeUInt16BE(header.length + length, 2);
  header.writeUInt16BE(0x4000, 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(numberOf(sent), 9);
  header.set(addressBytes(sent.source), 12);
  header.set(addressBytes(sent.destination), 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function header6(sent: Sent, length: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(numberOf(sent), 6);
  header.writeUInt8(64, 7);
  header.set(addressBytes(sent.source), 8);
  header.set(addressBytes(sent.destination), 24);
  return header;
}

/** An Ethernet frame around a packet of either family. */
export const frameBytes = (to: string, from: string, packet: string): string =>
  `${to}${from}${packet.startsWith('6') ? '86dd' : '0800'}${packet}`;

/** The fields that the walk looks at, as the sent packet has them. */
export const fieldsOf = (sent: Sent): Omit<Packet, 'mark' | 'conntrack'> => ({
  family: isIpv6(sent) ? 'ip6' : 'ip',
  source: sent.source,
  destination: sent.destination,
  protocol: sent.protocol === 'icmp' && isIpv6(sent) ? 'icmpv6' : sent.protocol,
  ...(sent.protocol === 'icmp'
    ? { icmpType: isIpv6(sent) ? echoTypes[sent.icmpType] : sent.icmpType, icmpCode: 0 }
    : { sourcePort: sent.sourcePort, destinationPort: sent.destinationPort }),
  ...(sent.protocol === 'tcp' ? { tcpFlags: sent.tcpFlags } : {}),
  length: headerLength(sent) + payloadOf(sent).length,
  ttl: 64,
  dscp: 0,
  fragment: false,
});

function payloadOf(sent: Sent): Buffer {
  const body = Buffer.alloc(sent.protocol === 'tcp' ? 20 : 16);
  if (sent.protocol === 'icmp') {
    body.writeUInt8(isIpv6(sent) ? echoTypes[sent.icmpType] : sent.icmpType, 0);
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

/** Over the pseudo-header, too, but for ICMP of IPv4. All lengths here are below 256. */
function transportChecksum(sent: Sent, body: Buffer): number {
  if (sent.protocol === 'icmp' && !isIpv6(sent)) return checksum(body);
  const ends = [...addressBytes(sent.source), ...addressBytes(sent.destination)];
  return checksum(Buffer.concat([Buffer.from([...ends, 0, numberOf(sent), 0, body.length]), body]));
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function addressBytes(address: string): number[] {
  const parsed = addressValue(address);
  if (parsed === undefined) throw new RangeError(`${address} is no address`);
  const length = parsed.family === 'ip' ? 4 : 16;
  return Array.from({ length }, (_, at) => Number((parsed.value >> BigInt(8 * (length - 1 - at))) & 0xffn));
}

/** The text of an address in a packet; 4 or 16 bytes. */
export const addressAt = (bytes: Buffer): string =>
  addressText({ family: bytes.length === 4 ? 'ip' : 'ip6', value: BigInt(`0x${bytes.toString('hex')}`) });
