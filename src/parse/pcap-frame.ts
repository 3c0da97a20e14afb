import type { CapturedPacket } from '../model/capture.ts';
import { type DecodeInner, decodeIp } from './pcap-ip.ts';
import { emptyPacket } from './tcpdump-packet.ts';

const etherTypes: Readonly<Record<number, string>> = { 2048: 'IPv4', 2054: 'ARP', 34525: 'IPv6', 33024: '802.1Q', 34984: '802.1Q-QinQ' };

/** Tunnels inside tunnels: deeper ones stay undecoded. */
const deepest = 8;

/**
 * Decodes a frame by its link type (tcpdump.org/linktypes): 1 Ethernet, 113 Linux cooked v1, 276 Linux cooked v2, 101 raw IP, 0 and 108 BSD loopback. A string says why it can't be.
 */
export function decodeFrame(linkType: number, frame: DataView, depth = 0): CapturedPacket | string {
  const packet = emptyPacket(0);
  packet.lines = [];
  if (depth > deepest) return 'tunnels inside tunnels';
  if (linkType === 1) return ethernet(packet, frame, depth);
  if (linkType === 113) return cooked(packet, frame, { protocol: 14, header: 16, kind: 0 }, depth);
  if (linkType === 276) return cooked(packet, frame, { protocol: 0, header: 20, kind: 10 }, depth);
  if (linkType === 101 || linkType === 12 || linkType === 14) return decodeIp(packet, frame, inside(depth));
  if (linkType === 0 || linkType === 108) return frame.byteLength < 4 ? 'too short' : decodeIp(packet, rest(frame, 4), inside(depth));
  return `link type ${linkType} is not read`;
}

const inside =
  (depth: number): DecodeInner =>
  (linkType, view) =>
    decodeFrame(linkType, view, depth + 1);

function ethernet(packet: CapturedPacket, frame: DataView, depth: number): CapturedPacket | string {
  if (frame.byteLength < 14) return 'too short for Ethernet';
  const { type, at, vlans } = throughVlans(frame, 12);
  packet.vlans = vlans;
  packet.ethernet = {
    destination: mac(frame, 0),
    source: mac(frame, 6),
    etherType: etherTypes[type] ?? hex(type),
    length: frame.byteLength,
  };
  return byType(packet, type, rest(frame, at), depth);
}

const directions = ['In', 'B', 'M', 'P', 'Out'] as const;

/** `kind` is where the packet type stands: one byte in version 2, two in version 1. */
function cooked(
  packet: CapturedPacket,
  frame: DataView,
  layout: { protocol: number; header: number; kind: number },
  depth: number,
): CapturedPacket | string {
  if (frame.byteLength < layout.header) return 'too short for a Linux cooked header';
  const kind = layout.kind === 0 ? frame.getUint16(0) : frame.getUint8(layout.kind);
  const type = frame.getUint16(layout.protocol);
  const address = layout.kind === 0 ? 6 : 12;
  packet.direction = directions[kind];
  // Version 2 has the index of the interface; its name stands in no capture file.
  if (layout.kind !== 0) packet.device = `#${frame.getUint32(4)}`;
  packet.ethernet = {
    source: mac(frame, address),
    destination: undefined,
    etherType: etherTypes[type] ?? hex(type),
    length: frame.byteLength,
  };
  if (type !== 0x8100) return byType(packet, type, rest(frame, layout.header), depth);
  const tagged = throughVlans(rest(frame, layout.header), -2);
  packet.vlans = tagged.vlans;
  return byType(packet, tagged.type, rest(frame, layout.header + tagged.at), depth);
}

/** Follows 802.1Q and 802.1ad tags from the type field at `at`. */
function throughVlans(frame: DataView, at: number): { type: number; at: number; vlans: number[] } {
  const vlans: number[] = [];
  let offset = at;
  let type = offset < 0 ? 0x8100 : frame.getUint16(offset);
  while ((type === 0x8100 || type === 0x88a8) && offset + 6 <= frame.byteLength) {
    vlans.push(frame.getUint16(offset + 2) & 0x0fff);
    type = frame.getUint16(offset + 4);
    offset += 4;
  }
  return { type, at: offset + 2, vlans };
}

function byType(packet: CapturedPacket, type: number, payload: DataView, depth: number): CapturedPacket | string {
  if (type === 0x0800 || type === 0x86dd) return decodeIp(packet, payload, inside(depth));
  if (type === 0x0806) return arp(packet, payload);
  packet.body = { kind: 'other', text: `ethertype ${etherTypes[type] ?? hex(type)}` };
  return packet;
}

function arp(packet: CapturedPacket, frame: DataView): CapturedPacket | string {
  if (frame.byteLength < 28 || frame.getUint16(2) !== 0x0800) return 'too short for ARP, or not of IPv4';
  const operation = (['request', 'reply'] as const)[frame.getUint16(6) - 1] ?? ('other' as const);
  const sender = v4(frame, 14);
  const target = v4(frame, 24);
  const text =
    operation === 'request'
      ? `Request who-has ${target} tell ${sender}`
      : operation === 'reply'
        ? `Reply ${sender} is-at ${mac(frame, 8)}`
        : `operation ${frame.getUint16(6)}`;
  packet.body = {
    kind: 'arp',
    operation,
    target: operation === 'request' ? target : undefined,
    sender,
    mac: operation === 'reply' ? mac(frame, 8) : undefined,
    text,
  };
  return packet;
}

const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
const rest = (view: DataView, at: number): DataView =>
  new DataView(view.buffer, view.byteOffset + Math.min(at, view.byteLength), Math.max(0, view.byteLength - at));
const v4 = (view: DataView, at: number): string => [0, 1, 2, 3].map((index) => view.getUint8(at + index)).join('.');
const mac = (view: DataView, at: number): string =>
  [0, 1, 2, 3, 4, 5]
    .map((index) =>
      view
        .getUint8(at + index)
        .toString(16)
        .padStart(2, '0'),
    )
    .join(':');
