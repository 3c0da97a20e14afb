import type { HasLine } from './parsed.ts';

export interface SocketAddress {
  /** Address as printed without brackets and zone; `*` when the tool prints a star. */
  host: string;
  /** Interface that the socket is bound to. */
  zone?: string;
  /** Port number; `undefined` for `*`. */
  port: number | undefined;
  /** Printed instead of a number when the tool resolved service names. */
  service?: string;
}

export interface Socket extends HasLine {
  /** The row as printed. */
  text: string;
  /** tcp, udp, raw, icmp6, unix (u_str, u_dgr, u_seq), nl, p_raw…; `undefined` when the output has no such column. */
  netid?: string;
  /** LISTEN, UNCONN, ESTAB, SYN-SENT…, in the words of ss; `undefined` when the output has no such column. */
  state?: string;
  /** LISTEN: connections that wait for accept(). Otherwise bytes that the program has not read. */
  recvQueue: number;
  /** LISTEN: the limit of the accept queue (0 in /proc/net/tcp). Otherwise bytes that the peer has not acknowledged. */
  sendQueue: number;
  local: SocketAddress;
  peer: SocketAddress;
  /** Which connections a listener takes. `unknown` when the output cannot tell (`:::80` does not say whether it is IPv6 only). */
  families: SocketFamilies;
  processes: SocketProcess[];
  inode?: number;
  uid?: number;
  /** Everything behind the known columns, with continuation lines. */
  details: string;
}

export type SocketFamilies = 'ipv4' | 'ipv6' | 'dual-stack' | 'unknown' | 'not-ip';

export interface SocketProcess {
  /** Cut to 15 characters by the kernel; netstat cuts further. */
  name: string;
  pid: number;
  fd?: number;
}

/** A named counter of the kernel (nstat, /proc/net/snmp, /proc/net/netstat, netstat -s). */
export interface KernelCounter extends HasLine {
  text: string;
  /** As nstat prints it: protocol and name in one word, for example `TcpExtListenOverflows`, `IpForwDatagrams`. */
  name: string;
  value: number;
}

/** The value of a counter; `undefined` when it is not printed (a kernel without it, or `nstat` without `-z` when it is 0). */
export const counterValue = (counters: readonly KernelCounter[], name: string): number | undefined =>
  counters.find((counter) => counter.name === name)?.value;
