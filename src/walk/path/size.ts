import type { EvidenceRef } from '../../model/evidence.ts';
import type { Packet } from '../../model/packet.ts';
import type { TooLong } from '../../model/trace.ts';
import type { Way } from './way.ts';

/**
 * Bytes that a tunnel device's outer headers add over IPv4: IP 20; UDP 8 and VXLAN or Geneve 8 and the inner Ethernet header 14 (RFC 7348, RFC 8926 without
 * options); GRE 4; WireGuard 8 + 32 (wireguard.com/papers/wireguard.pdf, 5.4.6).
 */
const overIpv4: Readonly<Record<string, number>> = { vxlan: 50, geneve: 50, ipip: 20, sit: 20, gre: 24, gretap: 38, wireguard: 60 };
/** An IPv6 header is 20 bytes longer than one of IPv4. */
const longerInIpv6 = 20;

/** Bytes that a tunnel device of this kind puts around a packet; undefined for kinds that are not known. */
export const overheadOf = (kind: string, outer: Packet['family'] = 'ip'): number | undefined => {
  const bytes = overIpv4[kind];
  return bytes === undefined ? undefined : bytes + (outer === 'ip6' ? longerInIpv6 : 0);
};

/** The longest packet that a device takes, or that a route sends by it, and the line that says so. */
export interface Limit extends Pick<TooLong, 'device' | 'mtu' | 'by'> {
  evidence: EvidenceRef;
}

/** Of a way whose packet is beyond a limit: the longest packet of the flow itself that would not be. `slack`: bytes beyond the MTU that pass all the same. */
export function tooLongFor(
  way: Pick<Way, 'packet' | 'inside'>,
  { device, mtu, by }: Omit<Limit, 'evidence'>,
  answer: TooLong['answer'],
  slack = 0,
): TooLong {
  const around = way.inside.reduce((sum, { kind }) => sum + (overheadOf(kind, way.packet.family) ?? 0), 0);
  return { device, mtu, by, carries: mtu + slack - around, around, answer };
}

/** `eth0 mtu 1450`, `mtu 1330 of its route by flannel.1`. */
export const limitWords = ({ device, mtu, by }: Omit<Limit, 'evidence'>): string =>
  by === 'route' ? `mtu ${mtu} of the route by ${device}` : `${device} mtu ${mtu}`;
