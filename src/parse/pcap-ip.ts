import { type DecodedPacket, decode } from 'dns-packet';
import type { CapturedPacket, IcmpType, PacketBody } from '../model/capture.ts';

/** Decodes a packet inside this one, by link type (1 Ethernet, 101 raw IP). A string says why it can't be. */
export type DecodeInner = (linkType: number, view: DataView) => CapturedPacket | string;

const protocols: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  112: 'VRRP',
  132: 'SCTP',
};

/** IPv6 extension headers whose length field counts 8 bytes (RFC 8200): hop-by-hop, routing, destination options. */
const extensions = new Set([0, 43, 60]);

/** Decodes an IPv4 (RFC 791) or IPv6 (RFC 8200) packet, and what it carries. A string says why it can't be. */
export function decodeIp(packet: CapturedPacket, view: DataView, inner: DecodeInner): CapturedPacket | string {
  if (view.byteLength < 1) return 'empty';
  const version = view.getUint8(0) >> 4;
  if (version === 4) return ipv4(packet, view, inner);
  return version === 6 ? ipv6(packet, view, inner) : 'neither IPv4 nor IPv6';
}

function ipv4(packet: CapturedPacket, view: DataView, inner: DecodeInner): CapturedPacket | string {
  const header = (view.getUint8(0) & 0x0f) * 4;
  if (header < 20 || view.byteLength < header) return 'too short for IPv4';
  const protocol = view.getUint8(9);
  const flags = view.getUint16(6);
  const fragmentOffset = (flags & 0x1fff) * 8;
  packet.ip = {
    version: 4,
    ttl: view.getUint8(8),
    id: view.getUint16(4),
    fragmentOffset,
    dontFragment: (flags & 0x4000) !== 0,
    moreFragments: (flags & 0x2000) !== 0,
    protocol: protocols[protocol] ?? String(protocol),
    length: view.getUint16(2),
  };
  packet.source = { address: v4(view, 12), port: undefined };
  packet.destination = { address: v4(view, 16), port: undefined };
  // With segmentation offload the length field is 0; then the frame tells.
  const length = packet.ip.length === 0 ? view.byteLength : Math.min(view.byteLength, packet.ip.length ?? 0);
  if (fragmentOffset > 0) return fragment(packet, protocol);
  return transport(
    packet,
    protocol,
    part(view, header, Math.max(0, length - header)),
    (packet.ip.length || view.byteLength) - header,
    inner,
  );
}

function ipv6(packet: CapturedPacket, view: DataView, inner: DecodeInner): CapturedPacket | string {
  if (view.byteLength < 40) return 'too short for IPv6';
  const length = view.getUint16(4);
  let next = view.getUint8(6);
  let at = 40;
  packet.ip = {
    version: 6,
    ttl: view.getUint8(7),
    id: undefined,
    fragmentOffset: undefined,
    dontFragment: undefined,
    moreFragments: undefined,
    protocol: undefined,
    length,
  };
  packet.source = { address: v6(view, 8), port: undefined };
  packet.destination = { address: v6(view, 24), port: undefined };
  for (let count = 0; count < 8 && at + 8 <= view.byteLength; count += 1) {
    if (next === 44) {
      const flags = view.getUint16(at + 2);
      Object.assign(packet.ip, { fragmentOffset: flags & 0xfff8, moreFragments: (flags & 1) !== 0, id: view.getUint32(at + 4) });
    } else if (!extensions.has(next)) break;
    const size = next === 44 ? 8 : (view.getUint8(at + 1) + 1) * 8;
    next = view.getUint8(at);
    at += size;
  }
  packet.ip.protocol = protocols[next] ?? String(next);
  if ((packet.ip.fragmentOffset ?? 0) > 0) return fragment(packet, next);
  const total = (length === 0 ? view.byteLength - 40 : length) - (at - 40);
  return transport(packet, next, part(view, at, Math.max(0, Math.min(view.byteLength - at, total))), total, inner);
}

function fragment(packet: CapturedPacket, protocol: number): CapturedPacket {
  packet.body = { kind: 'fragment', protocol: protocols[protocol] ?? String(protocol) };
  return packet;
}

/** `length` is what the IP header says, of which `view` may be a part (snapshot length). */
function transport(packet: CapturedPacket, protocol: number, view: DataView, length: number, inner: DecodeInner): CapturedPacket {
  if (protocol === 6 && view.byteLength >= 20) return tcp(packet, view, length);
  if (protocol === 17 && view.byteLength >= 8) return udp(packet, view, inner);
  if ((protocol === 1 || protocol === 58) && view.byteLength >= 8) return icmp(packet, view, length, protocol === 58, inner);
  if (protocol === 4 || protocol === 41) return tunnel(packet, 'ipip', undefined, 101, view, inner);
  if (protocol === 47 && view.byteLength >= 4) return gre(packet, view, inner);
  packet.body = { kind: 'other', text: protocols[protocol] ?? `protocol ${protocol}` };
  return packet;
}

const flagLetters = [
  [0x01, 'F'],
  [0x02, 'S'],
  [0x04, 'R'],
  [0x08, 'P'],
  [0x10, '.'],
  [0x20, 'U'],
  [0x40, 'E'],
  [0x80, 'W'],
] as const;

/** Flags in tcpdump's letters and order. */
function tcp(packet: CapturedPacket, view: DataView, length: number): CapturedPacket {
  ports(packet, view);
  const header = (view.getUint8(12) >> 4) * 4;
  const bits = view.getUint8(13);
  const order = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'];
  const set = flagLetters.filter(([bit]) => (bits & bit) !== 0).map(([, letter]) => letter as string);
  const flags = order.filter((letter) => set.includes(letter) && letter !== '.').join('') + (set.includes('.') ? '.' : '');
  const size = Math.max(0, length - header);
  packet.body = {
    kind: 'tcp',
    flags: flags || 'none',
    seq: String(view.getUint32(4)),
    ack: bits & 0x10 ? view.getUint32(8) : undefined,
    window: view.getUint16(14),
    mss: mssOf(view, Math.min(header, view.byteLength)),
    length: size,
    badChecksum: false,
    application: firstLine(view, header),
  };
  return packet;
}

function mssOf(view: DataView, end: number): number | undefined {
  for (let at = 20; at < end; ) {
    const kind = view.getUint8(at);
    if (kind === 0) return undefined;
    if (kind === 2 && at + 4 <= end) return view.getUint16(at + 2);
    at += kind === 1 ? 1 : Math.max(2, at + 1 < end ? view.getUint8(at + 1) : 2);
  }
  return undefined;
}

/** The request or status line of HTTP. */
function firstLine(view: DataView, at: number): string | undefined {
  const text = new TextDecoder('latin1').decode(part(view, at, Math.min(200, Math.max(0, view.byteLength - at))));
  const [, line] = /^((?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT) \S+ HTTP\/\d\.\d|HTTP\/\d\.\d \d{3}[ -~]*)/.exec(text) ?? [];
  return line && `HTTP: ${line}`;
}

function udp(packet: CapturedPacket, view: DataView, inner: DecodeInner): CapturedPacket {
  ports(packet, view);
  const length = Math.max(0, view.getUint16(4) - 8);
  const payload = part(view, 8, Math.max(0, Math.min(view.byteLength - 8, length)));
  const [source, destination] = [view.getUint16(0), view.getUint16(2)];
  packet.body = { kind: 'udp', length, badChecksum: false };
  if ((destination === 4789 || destination === 8472) && payload.byteLength >= 8 && (payload.getUint8(0) & 0x08) !== 0)
    return tunnel(packet, 'vxlan', payload.getUint32(4) >>> 8, 1, part(payload, 8, payload.byteLength - 8), inner);
  if (destination === 6081 && payload.byteLength >= 8 && payload.getUint8(0) >> 6 === 0) return geneve(packet, payload, inner);
  if (source === 53 || destination === 53) packet.body = dnsBody(payload, length) ?? packet.body;
  return packet;
}

function geneve(packet: CapturedPacket, payload: DataView, inner: DecodeInner): CapturedPacket {
  const at = 8 + (payload.getUint8(0) & 0x3f) * 4;
  const protocol = payload.getUint16(2);
  const linkType = protocol === 0x6558 ? 1 : protocol === 0x0800 || protocol === 0x86dd ? 101 : undefined;
  if (linkType === undefined || at > payload.byteLength) return packet;
  return tunnel(packet, 'geneve', payload.getUint32(4) >>> 8, linkType, part(payload, at, payload.byteLength - at), inner);
}

function gre(packet: CapturedPacket, view: DataView, inner: DecodeInner): CapturedPacket {
  const flags = view.getUint16(0);
  const at = 4 + (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
  const protocol = view.getUint16(2);
  const linkType = protocol === 0x6558 ? 1 : 101;
  packet.body = { kind: 'tunnel', protocol: 'gre', vni: undefined };
  const isRead = at <= view.byteLength && [0x6558, 0x0800, 0x86dd].includes(protocol);
  return isRead ? tunnel(packet, 'gre', undefined, linkType, part(view, at, view.byteLength - at), inner) : packet;
}

function tunnel(
  packet: CapturedPacket,
  protocol: 'vxlan' | 'geneve' | 'ipip' | 'gre',
  vni: number | undefined,
  linkType: number,
  view: DataView,
  inner: DecodeInner,
): CapturedPacket {
  const decoded = inner(linkType, view);
  packet.body = { kind: 'tunnel', protocol, vni };
  packet.inner = typeof decoded === 'string' ? undefined : decoded;
  return packet;
}

const icmpTypes = new Map<string, IcmpType>([
  ['8', 'echo-request'],
  ['0', 'echo-reply'],
  ['3/0', 'net-unreachable'],
  ['3/1', 'host-unreachable'],
  ['3/2', 'protocol-unreachable'],
  ['3/3', 'port-unreachable'],
  ['3/4', 'frag-needed'],
  ['3/9', 'admin-prohibited'],
  ['3/10', 'admin-prohibited'],
  ['3/13', 'admin-prohibited'],
  ['11', 'time-exceeded'],
  ['5', 'redirect'],
]);
const icmp6Types = new Map<string, IcmpType>([
  ['128', 'echo-request'],
  ['129', 'echo-reply'],
  ['1/0', 'net-unreachable'],
  ['1/1', 'admin-prohibited'],
  ['1/3', 'host-unreachable'],
  ['1/4', 'port-unreachable'],
  ['2', 'frag-needed'],
  ['3', 'time-exceeded'],
  ['137', 'redirect'],
  ['133', 'neighbor'],
  ['134', 'neighbor'],
  ['135', 'neighbor'],
  ['136', 'neighbor'],
]);

function icmp(packet: CapturedPacket, view: DataView, length: number, isV6: boolean, inner: DecodeInner): CapturedPacket {
  const [type, code] = [view.getUint8(0), view.getUint8(1)];
  const names = isV6 ? icmp6Types : icmpTypes;
  const name = names.get(`${type}/${code}`) ?? names.get(String(type)) ?? 'other';
  const isEcho = name === 'echo-request' || name === 'echo-reply';
  const isError = isV6 ? type < 128 : [3, 4, 5, 11, 12].includes(type);
  const mtu = name !== 'frag-needed' ? undefined : isV6 ? view.getUint32(4) : view.getUint16(6);
  const quoted = isError ? inner(101, part(view, 8, view.byteLength - 8)) : 'none';
  packet.quoted = typeof quoted === 'string' ? undefined : quoted;
  packet.body = {
    kind: 'icmp',
    type: name,
    text: `type ${type}, code ${code}`,
    mtu,
    unreachable: packet.quoted?.destination?.address,
    id: isEcho ? view.getUint16(4) : undefined,
    seq: isEcho ? view.getUint16(6) : undefined,
    length,
  };
  return packet;
}

const rcodeNames: Readonly<Record<string, string>> = {
  NOERROR: 'NoError',
  NXDOMAIN: 'NXDomain',
  SERVFAIL: 'ServFail',
  REFUSED: 'Refused',
  FORMERR: 'FormErr',
  NOTIMP: 'NotImp',
};

function dnsBody(payload: DataView, length: number): PacketBody | undefined {
  const message = decodeDns(payload);
  if (!message) return undefined;
  const question = message.questions?.[0];
  const isResponse = message.type === 'response';
  const rcode = (message as { rcode?: string }).rcode ?? 'NOERROR';
  return {
    kind: 'dns',
    id: message.id ?? 0,
    isResponse,
    rcode: isResponse ? (rcodeNames[rcode] ?? rcode) : '',
    truncated: ((message.flags ?? 0) & 0x0200) !== 0,
    question: question && { type: question.type, name: question.name.endsWith('.') ? question.name : `${question.name}.` },
    answers: (message.answers ?? []).map((answer) =>
      `${answer.type} ${'data' in answer && typeof answer.data === 'string' ? answer.data : ''}`.trim(),
    ),
    counts: isResponse ? [message.answers?.length ?? 0, message.authorities?.length ?? 0, message.additionals?.length ?? 0] : undefined,
    length,
    badChecksum: false,
  };
}

/** dns-packet throws on what is no message. */
function decodeDns(payload: DataView): DecodedPacket | undefined {
  try {
    return decode(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  } catch {
    return undefined;
  }
}

function ports(packet: CapturedPacket, view: DataView): void {
  if (packet.source) packet.source.port = view.getUint16(0);
  if (packet.destination) packet.destination.port = view.getUint16(2);
}

const part = (view: DataView, at: number, length: number): DataView =>
  new DataView(view.buffer, view.byteOffset + Math.min(at, view.byteLength), Math.max(0, Math.min(length, view.byteLength - at)));
const v4 = (view: DataView, at: number): string => [0, 1, 2, 3].map((index) => view.getUint8(at + index)).join('.');

/** RFC 5952: the longest run of zero groups (two or more, the first of equals) is `::`. */
function v6(view: DataView, at: number): string {
  const groups = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => view.getUint16(at + 2 * index).toString(16));
  const [run = ''] = (
    groups
      .map((group) => (group === '0' ? '0' : 'x'))
      .join('')
      .match(/0{2,}/g) ?? []
  ).toSorted((a, b) => b.length - a.length);
  if (run === '') return groups.join(':');
  const start = groups
    .map((group) => (group === '0' ? '0' : 'x'))
    .join('')
    .indexOf(run);
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + run.length).join(':')}`;
}
