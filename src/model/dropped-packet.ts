import type { HasLine } from './parsed.ts';

/** A packet that the kernel gave up, by the tracepoint skb:kfree_skb. It does not say which packet, nor in which network namespace. */
export interface DroppedPacket extends HasLine {
  /** Microseconds, by the clock of the trace. */
  at: number;
  /** EtherType: 2048 IPv4, 2054 ARP, 34525 IPv6. */
  protocol: number;
  /** The kernel's function, without the offset. */
  location: string;
  /** By name (IP_RPFILTER…); undefined on kernels before 5.17, which tell the function only. */
  reason: string | undefined;
}
