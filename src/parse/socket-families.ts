import type { SocketFamilies } from '../model/socket.ts';

/** What `*:80` means: dual stack in ss of iproute2 4.16 and newer, IPv4 before. */
export type SocketDialect = 'stars-are-dual-stack' | 'stars-are-ipv4' | 'unknown';

/**
 * Which connections a socket bound to `host` takes. Newer ss: `0.0.0.0` IPv4, `*` dual stack, `[::]` IPv6 only. Older ss and netstat: `*` IPv4,
 * `::` IPv6 and, unless the program said v6only, IPv4 too, which they don't show.
 */
export const socketFamilies = (host: string, dialect: SocketDialect, v6only: boolean): SocketFamilies => {
  if (host === '*') return dialect === 'stars-are-dual-stack' ? 'dual-stack' : dialect === 'stars-are-ipv4' ? 'ipv4' : 'unknown';
  if (!host.includes(':')) return 'ipv4';
  const bare = host.replace(/[[\]]/g, '');
  if (bare !== '::') return bare.startsWith('::ffff:') ? 'ipv4' : 'ipv6';
  return v6only || dialect === 'stars-are-dual-stack' ? 'ipv6' : 'unknown';
};
