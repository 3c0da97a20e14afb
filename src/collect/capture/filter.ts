import { parseAddress } from '../../model/ip.ts';

/** What a capture is to see of a probe. */
export interface FilterParts {
  protocol: 'TCP' | 'UDP';
  /** Source ports of the marked tries, both included. */
  ports: { first: number; last: number };
  backends: readonly { address: string; port: number }[];
  /** Of UDP: the mark is all that a datagram carries, to whatever port; else it begins the name that a DNS server is asked for. */
  datagrams?: boolean;
}

/** "k8sn", the beginning of every mark: behind 8 bytes of UDP or, in a name that is asked for, also 12 of DNS and the length of the label (RFC 1035). */
const tryMarkBytes = '0x6b38736e';

/** VXLAN's port by IANA, and Linux' own default, which flannel keeps. */
const vxlanPorts = [4789, 8472];
/** Backends beyond these are not put into the filter; their connections are seen wherever the source port stays. */
const mostBackends = 16;

/**
 * The filter of every capture, in the language of pcap-filter(7): packets with one of the marked source ports, or a mark of ours in a question or answer of DNS, or in a datagram; SYNs and RSTs of the backends' ports, where a
 * node may have put in another source address and port (masquerading with --random-fully); ICMP errors; ARP; and the same inside VXLAN and
 * IPIP, where it is found by its offset. Bytes of a tunnel's payload can only be looked at over IPv4 without options (udp[] and ip[] of pcap-filter).
 * @throws Error for an address or port that is none: nothing else may come into a filter
 */
export function captureFilter(parts: FilterParts): string {
  const { first, last } = parts.ports;
  const numbers = [first, last, ...parts.backends.map((backend) => backend.port)];
  if (numbers.some((port) => !Number.isInteger(port) || port < 1 || port > 65535)) throw new Error('not a port');
  const backends = parts.backends.slice(0, mostBackends).map(({ address, port }) => {
    const parsed = parseAddress(address);
    if (parsed?.family !== 4) throw new Error(`not an IPv4 address: ${address}`);
    return { text: parsed.text, value: `0x${parsed.value.toString(16)}`, port };
  });
  const protocol = parts.protocol.toLowerCase();
  const opening = 'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0';
  const atBackends = any(backends.map(({ text, port }) => `(host ${text} and port ${port})`));
  const plain = [
    `(${protocol} and portrange ${first}-${last})`,
    ...(parts.protocol === 'UDP'
      ? [parts.datagrams ? `(udp[8:4] = ${tryMarkBytes})` : `(udp port 53 and udp[21:4] = ${tryMarkBytes})`]
      : []),
    ...(parts.protocol === 'TCP' && backends.length > 0 ? [`(tcp and ${opening} and ${atBackends})`] : []),
    '(icmp[icmptype] = icmp-unreach or icmp[icmptype] = icmp-timxceed or icmp[icmptype] = icmp-paramprob)',
    'arp',
  ];
  const inside = (header: 'udp' | 'ip', at: number): string => {
    const byte = (offset: number, size?: number) => `${header}[${at + offset}${size ? `:${size}` : ''}]`;
    const marked = any([20, 22].map((offset) => `(${byte(offset, 2)} >= ${first} and ${byte(offset, 2)} <= ${last})`));
    const opened = any(
      backends.flatMap(({ value, port }) => [
        `(${byte(16, 4)} = ${value} and ${byte(22, 2)} = ${port})`,
        `(${byte(12, 4)} = ${value} and ${byte(20, 2)} = ${port})`,
      ]),
    );
    const kinds = [
      `(${byte(9)} = ${parts.protocol === 'TCP' ? 6 : 17} and ${marked})`,
      ...(parts.protocol === 'TCP' && backends.length > 0 ? [`(${byte(9)} = 6 and ${byte(33)} & 6 != 0 and ${opened})`] : []),
      ...(parts.protocol === 'UDP' ? [`(${byte(9)} = 17 and ${byte(parts.datagrams ? 28 : 41, 4)} = ${tryMarkBytes})`] : []),
      `(${byte(9)} = 1 and (${byte(20)} = 3 or ${byte(20)} = 11))`,
    ];
    return `(${byte(0)} = 0x45 and ${any(kinds)})`;
  };
  // 8 bytes of UDP, 8 of VXLAN, 14 of Ethernet, then the packet; with IPIP it comes after 20 bytes of IPv4.
  const vxlan = `((${vxlanPorts.map((port) => `udp dst port ${port}`).join(' or ')}) and ${inside('udp', 30)})`;
  const ipip = `(ip proto 4 and ${inside('ip', 20)})`;
  return [...plain, vxlan, ipip].join(' or ');
}

const any = (parts: readonly string[]): string => `(${parts.join(' or ')})`;
