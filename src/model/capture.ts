import type { HasLine } from './parsed.ts';
import type { ShellMark } from './probe.ts';

/** One packet as tcpdump or a capture file has it. What is not shown is undefined: tcpdump leaves out headers without -e and -v. */
export interface CapturedPacket extends HasLine {
  /** All lines that belong to it, inner and quoted packets and payload among them. Empty for capture files. */
  lines: number[];
  /** As printed (time of day, date and time, seconds since 1970, or a delta with -ttt); for capture files ISO 8601 in UTC. */
  time: string | undefined;
  /** With `-i any`: the device and the direction at it. From a capture file of version 2 of the cooked link type: its index, `#5`. */
  device: string | undefined;
  direction: 'In' | 'Out' | 'B' | 'M' | 'P' | undefined;
  ethernet: { source: string; destination: string | undefined; etherType: string; length: number } | undefined;
  /** VLAN ids, outermost first. */
  vlans: number[];
  ip: IpHeader | undefined;
  source: Endpoint | undefined;
  destination: Endpoint | undefined;
  body: PacketBody;
  /** The packet inside a tunnel (VXLAN, Geneve, IPIP, GRE). */
  inner: CapturedPacket | undefined;
  /** The offended packet that an ICMP error carries; it was not seen here. */
  quoted: CapturedPacket | undefined;
}

export interface Endpoint {
  /** An address, or a host name where tcpdump ran without -n. */
  address: string;
  /** A number, or a service name where tcpdump ran without -nn. */
  port: number | string | undefined;
}

export interface IpHeader {
  version: 4 | 6;
  ttl: number | undefined;
  id: number | undefined;
  fragmentOffset: number | undefined;
  dontFragment: boolean | undefined;
  moreFragments: boolean | undefined;
  protocol: string | undefined;
  length: number | undefined;
}

export type PacketBody =
  | {
      kind: 'tcp';
      flags: string;
      seq: string | undefined;
      ack: number | undefined;
      window: number | undefined;
      mss: number | undefined;
      length: number;
      badChecksum: boolean;
      application: string | undefined;
    }
  | { kind: 'udp'; length: number; badChecksum: boolean }
  | {
      kind: 'icmp';
      type: IcmpType;
      text: string;
      mtu: number | undefined;
      unreachable: string | undefined;
      id: number | undefined;
      seq: number | undefined;
      length: number;
    }
  | {
      kind: 'arp';
      operation: 'request' | 'reply' | 'other';
      target: string | undefined;
      sender: string | undefined;
      mac: string | undefined;
      text: string;
    }
  | {
      kind: 'dns';
      id: number;
      isResponse: boolean;
      rcode: string;
      truncated: boolean;
      question: { type: string; name: string } | undefined;
      answers: string[];
      counts: [number, number, number] | undefined;
      length: number;
      badChecksum: boolean;
    }
  | { kind: 'tunnel'; protocol: 'vxlan' | 'otv' | 'geneve' | 'ipip' | 'gre'; vni: number | undefined }
  | { kind: 'fragment'; protocol: string }
  /** A protocol that is not taken apart; the words stay. */
  | { kind: 'other'; text: string };

export type IcmpType =
  | 'echo-request'
  | 'echo-reply'
  | 'port-unreachable'
  | 'host-unreachable'
  | 'net-unreachable'
  | 'protocol-unreachable'
  | 'frag-needed'
  | 'admin-prohibited'
  | 'time-exceeded'
  | 'redirect'
  | 'neighbor'
  | 'other';

/** What tcpdump printed: packets in order, and what it said about itself. */
export interface Capture {
  packets: CapturedPacket[];
  /** Device and link type, from `listening on` or `reading from file`. */
  source: (HasLine & { from: string; linkType: string; isFile: boolean }) | undefined;
  counters: {
    captured: number | undefined;
    received: number | undefined;
    droppedByKernel: number | undefined;
    droppedByInterface: number | undefined;
    lines: number[];
  };
  errors: (HasLine & { text: string })[];
  warnings: (HasLine & { text: string })[];
  /** Payload was printed (-A, -x, -X): a line of payload can look like a packet, so packets may be false. */
  hasPayload: boolean;
  marks: ShellMark[];
  otherLines: number[];
}
