import type { CapturedPacket, Endpoint, IpHeader } from '../model/capture.ts';
import { readBody } from './tcpdump-body.ts';

/** The head of a packet line: everything before `IP`, `IP6`, `ARP`. */
interface Head {
  time: string | undefined;
  device: string | undefined;
  direction: CapturedPacket['direction'];
  ethernet: CapturedPacket['ethernet'];
  vlans: number[];
  rest: string;
}

export const emptyPacket = (line: number): CapturedPacket => ({
  line,
  lines: [line],
  time: undefined,
  device: undefined,
  direction: undefined,
  ethernet: undefined,
  vlans: [],
  ip: undefined,
  source: undefined,
  destination: undefined,
  body: { kind: 'other', text: '' },
  inner: undefined,
  quoted: undefined,
});

const times = /^ ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+|\d\d:\d\d:\d\d\.\d+|\d{9,11}\.\d+) /;

/** Whether a line begins as packet lines do: with a time, or (-t) with the protocol or Ethernet addresses. */
export const hasTime = (text: string): boolean => times.test(text);
export const looksLikeFrame = (text: string): boolean => /^(?:IP6? |ARP, |(?:[0-9a-f]{2}:){5}[0-9a-f]{2} > )/.test(text);

/**
 * Reads one line that starts a packet (tcpdump 4.9 to 4.99, print.c, print-ether.c, print-sll.c). Undefined = not such a line. `awaitsBody`: with -v the
 * addresses of an IPv4 packet stand on the next line.
 */
export function readPacketLine(line: number, text: string): { packet: CapturedPacket; awaitsBody: boolean } | undefined {
  const { rest, ...head } = readHead(text);
  const packet = { ...emptyPacket(line), ...head };
  const outcome = readNetwork(packet, rest);
  return outcome && { packet, awaitsBody: outcome === 'awaits-body' };
}

/** Reads the `a > b: …` line that follows the IPv4 header of -v. False = not such a line. */
export function readAddressLine(packet: CapturedPacket, text: string): boolean {
  const [, addresses = ''] = /^ {4,}(\S.*)$/.exec(text) ?? [];
  return addresses !== '' && readAddresses(packet, addresses);
}

function readHead(text: string): Head {
  const [timePart = '', time] = times.exec(text) ?? [];
  let rest = text.slice(timePart.length);
  const [devicePart = '', device, direction] = /^(\S+) +(In|Out|B|M|P) +(?:ifindex \d+ )?/.exec(rest) ?? [];
  rest = rest.slice(devicePart.length);
  const sll = /^(?:(In|Out|B|M|P) )?([0-9a-f:]{17}) (?:\(oui [^)]*\) )?ethertype ([^,(]+?)(?: \((0x[0-9a-f]+)\))?, length (\d+): /.exec(
    rest,
  );
  const ether =
    /^([0-9a-f:]{17})(?: \(oui [^)]*\))? > ([0-9a-f:]{17}|Broadcast)(?: \(oui [^)]*\))?, (?:(?:ethertype )?(IPv4|IPv6|ARP|(?<=ethertype )[^,(]+?)(?: \((0x[0-9a-f]+)\))?|(802\.3)), length (\d+): ?/.exec(
      rest,
    );
  const base = { time, device, direction: direction as Head['direction'] };
  if (ether) {
    const [whole, source = '', destination, name = '', , old] = ether;
    rest = rest.slice(whole.length);
    const vlans = readVlans(rest);
    const ethernet = { source, destination, etherType: vlans.etherType ?? (name || old || ''), length: Number(ether[6]) };
    return { ...base, ethernet, vlans: vlans.ids, rest: withProtocol(vlans.rest, ethernet.etherType) };
  }
  if (sll) {
    const ethernet = { source: sll[2] ?? '', destination: undefined, etherType: sll[3] ?? '', length: Number(sll[5]) };
    return {
      ...base,
      direction: (sll[1] as Head['direction']) ?? base.direction,
      ethernet,
      vlans: [],
      rest: withProtocol(rest.slice(sll[0].length), ethernet.etherType),
    };
  }
  return { ...base, ethernet: undefined, vlans: [], rest };
}

/** `vlan 100, p 3, [DEI, ]ethertype IPv4 (0x0800), `, once per tag. */
function readVlans(text: string): { ids: number[]; etherType: string | undefined; rest: string } {
  const ids: number[] = [];
  let etherType: string | undefined;
  let rest = text;
  for (;;) {
    const match = /^vlan (\d+), p \d+(?:, DEI)?, ethertype ([^,(]+?)(?: \((0x[0-9a-f]+)\))?, ?/.exec(rest);
    if (!match) return { ids, etherType, rest };
    ids.push(Number(match[1]));
    etherType = match[2];
    rest = rest.slice(match[0].length);
  }
}

/** With -e the protocol's name is left out after the ethertype. */
function withProtocol(rest: string, etherType: string): string {
  if (/^(?:IP6? |ARP,)/.test(rest)) return rest;
  if (etherType === 'IPv4') return `IP ${rest}`;
  if (etherType === 'IPv6') return `IP6 ${rest}`;
  if (etherType === 'ARP') return `ARP, ${rest}`;
  return rest;
}

function readNetwork(packet: CapturedPacket, text: string): 'whole' | 'awaits-body' | undefined {
  if (/^ARP, /.test(text)) return readArp(packet, text.slice(5)) ? 'whole' : undefined;
  const [protocolPart = '', version] = /^IP(6)? /.exec(text) ?? [];
  if (protocolPart === '') return otherFrame(packet, text);
  packet.ip = {
    version: version ? 6 : 4,
    ttl: undefined,
    id: undefined,
    fragmentOffset: undefined,
    dontFragment: undefined,
    moreFragments: undefined,
    protocol: undefined,
    length: undefined,
  };
  let rest = text.slice(protocolPart.length).replace(/^truncated-ip6? - \d+ bytes missing! ?/, '');
  const [headerPart = '', header = ''] = /^\(((?:[^()]|\([^()]*\))*)\) ?/.exec(rest) ?? [];
  Object.assign(packet.ip, readIpHeader(header));
  rest = rest.slice(headerPart.length);
  if (headerPart !== '' && rest === '') return 'awaits-body';
  return readAddresses(packet, rest) ? 'whole' : undefined;
}

/** Frames that are neither IP nor ARP: only where Ethernet or the device was read, so that no foreign line is taken for one. */
function otherFrame(packet: CapturedPacket, text: string): 'whole' | undefined {
  if (packet.ethernet === undefined && !/^(?:LLDP|STP|EAPOL|LACP|PPPoE|MPLS|IP0 |Unknown|Loopback|CDP)/.test(text)) return undefined;
  packet.body = { kind: 'other', text };
  return 'whole';
}

function readIpHeader(text: string): Partial<IpHeader> {
  const number = (pattern: RegExp): number | undefined => {
    const [, digits] = pattern.exec(text) ?? [];
    return digits === undefined ? undefined : Number(digits);
  };
  const [, flags] = /flags \[([^\]]*)\]/.exec(text) ?? [];
  const [, protocol] = /(?:proto|next-header) ([^,(]+?) \(/.exec(text) ?? [];
  return {
    ttl: number(/(?:ttl|hlim) (\d+)/),
    id: number(/\bid (\d+)/),
    fragmentOffset: number(/offset (\d+)/),
    dontFragment: flags?.includes('DF'),
    moreFragments: flags?.includes('+'),
    protocol,
    length: number(/(?:payload )?length:? (\d+)$/),
  };
}

/** `a.port > b.port: body`, or `a > b: body` for protocols without ports. */
function readAddresses(packet: CapturedPacket, text: string): boolean {
  const match = /^([^\s>]+) > ([^\s>]+): ?/.exec(text);
  if (!match) return false;
  const bodyText = text.slice(match[0].length);
  const result = readBody(bodyText, packet);
  if (!result) return false;
  packet.body = result.body;
  const hasPorts = result.body.kind === 'tcp' || result.body.kind === 'udp' || result.body.kind === 'dns' || result.hasPorts === true;
  packet.source = endpoint(match[1] ?? '', hasPorts);
  packet.destination = endpoint(match[2] ?? '', hasPorts);
  if (result.nested !== undefined) packet.inner = readPacketLine(packet.line, result.nested)?.packet;
  return result.nested === undefined || packet.inner !== undefined;
}

/** IPv4 shows its port as a fifth part, IPv6 behind a dot; a host name's last label is the port where the protocol has ports. */
function endpoint(text: string, hasPorts: boolean): Endpoint {
  const [, v4, v4Port] = /^(\d+\.\d+\.\d+\.\d+)(?:\.(\S+))?$/.exec(text) ?? [];
  if (v4 !== undefined) return { address: v4, port: portOf(v4Port) };
  const lastDot = text.lastIndexOf('.');
  const isPlainV6 = text.includes(':') && lastDot < 0;
  if (lastDot < 0 || isPlainV6 || (!hasPorts && !text.includes(':'))) return { address: text, port: undefined };
  return { address: text.slice(0, lastDot), port: portOf(text.slice(lastDot + 1)) };
}

const portOf = (text: string | undefined): number | string | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : text);

function readArp(packet: CapturedPacket, text: string): boolean {
  const body = text.replace(/^Ethernet \(len 6\), IPv4 \(len 4\), /, '');
  const [, target, sender] = /^Request who-has (\S+)(?: \([^)]*\))? tell (\S+?), length \d+$/.exec(body) ?? [];
  const [, owner, mac] = /^Reply (\S+) is-at ([0-9a-f:]+)(?: \(oui [^)]*\))?, length \d+$/.exec(body) ?? [];
  const isOther = /, length \d+$/.test(body);
  if (target !== undefined) packet.body = { kind: 'arp', operation: 'request', target, sender, mac: undefined, text: body };
  else if (owner !== undefined) packet.body = { kind: 'arp', operation: 'reply', target: undefined, sender: owner, mac, text: body };
  else if (isOther) packet.body = { kind: 'arp', operation: 'other', target: undefined, sender: undefined, mac: undefined, text: body };
  return target !== undefined || owner !== undefined || isOther;
}
