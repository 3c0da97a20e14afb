import { addressFromValue, type Cidr, makeCidr } from '../model/ip.ts';
import type { HasLine, Parsed } from '../model/parsed.ts';
import type { LegacyRoute } from './route-n.ts';
import { type Attempt, parseEachLine, type TextLine } from './text-lines.ts';

/** One address of /proc/net/if_inet6. */
export interface ProcAddress extends HasLine {
  text: string;
  address: Cidr;
  dev: string;
  ifindex: number;
  scope: 'global' | 'link' | 'site' | 'host' | 'compat' | 'unknown';
  tentative: boolean;
  /** Duplicate address detection found another host that has it: the kernel does not use it. */
  dadFailed: boolean;
  deprecated: boolean;
}

/**
 * /proc/net/ipv6_route (kernel 2.6 to 6.18): a row without a heading for each route of all tables, of which the table is not told, in hexadecimal. Kernel:
 * ipv6_route_native_seq_show() in net/ipv6/route.c. blackhole, unreachable and prohibit all read as a route with the flag `!`. Never complete: nothing marks its end.
 */
export const parseProcNetIpv6Route = (text: string): Parsed<LegacyRoute[]> => ({ ...parseEachLine(text, routeOf), complete: false });

/** /proc/net/if_inet6 (kernel 2.6 to 6.18). Kernel: if6_seq_show() in net/ipv6/addrconf.c. Never complete: nothing marks its end. */
export const parseProcNetIfInet6 = (text: string): Parsed<ProcAddress[]> => ({ ...parseEachLine(text, addressOf), complete: false });

const routeRow =
  /^([0-9a-f]{32}) ([0-9a-f]{2}) ([0-9a-f]{32}) ([0-9a-f]{2}) ([0-9a-f]{32}) ([0-9a-f]{8}) [0-9a-f]{8} [0-9a-f]{8} ([0-9a-f]{8}) +(\S+)$/;

/** include/uapi/linux/route.h and ipv6_route.h, in the letters of net-tools. */
const routeFlags = [
  [0x1, 'U'],
  [0x2, 'G'],
  [0x4, 'H'],
  [0x200, '!'],
] as const;

function routeOf(line: TextLine): Attempt<LegacyRoute> {
  const [, network = '', length = '', , sourceLength = '', nexthop = '', metric = '', flagText = '', dev = ''] =
    routeRow.exec(line.text) ?? [];
  const destination = cidrOf(network, length);
  if (destination === undefined) return { why: 'no row of /proc/net/ipv6_route' };
  if (sourceLength !== '00') return { why: 'a route that asks for the source, too' };
  const bits = Number.parseInt(flagText, 16);
  const flags = routeFlags.flatMap(([bit, letter]) => ((bits & bit) === 0 ? [] : [letter])).join('');
  const gateway = addressFromValue(6, BigInt(`0x${nexthop}`));
  const route: LegacyRoute = {
    ...line,
    destination,
    gatewayHidden: false,
    flags,
    metric: Number.parseInt(metric, 16),
    dev,
    kind: flags.includes('!') ? 'reject' : 'way',
  };
  return { ok: flags.includes('G') && gateway !== undefined ? { ...route, gateway: gateway.text } : route };
}

const addressRow = /^([0-9a-f]{32}) ([0-9a-f]{2,8}) ([0-9a-f]{2}) ([0-9a-f]{2}) ([0-9a-f]{2,3}) +(\S+)$/;

/** IPV6_ADDR_* of include/net/ipv6.h. */
const scopes: Readonly<Record<string, ProcAddress['scope']>> = { '00': 'global', '10': 'host', '20': 'link', '40': 'site', '80': 'compat' };

function addressOf(line: TextLine): Attempt<ProcAddress> {
  const [, digits = '', ifindex = '', length = '', scope = '', flagText = '', dev = ''] = addressRow.exec(line.text) ?? [];
  const address = cidrOf(digits, length);
  if (address === undefined) return { why: 'no row of /proc/net/if_inet6' };
  // IFA_F_* of include/uapi/linux/if_addr.h.
  const bits = Number.parseInt(flagText, 16);
  const has = (bit: number): boolean => (bits & bit) !== 0;
  return {
    ok: {
      ...line,
      address,
      dev,
      ifindex: Number.parseInt(ifindex, 16),
      scope: scopes[scope] ?? 'unknown',
      tentative: has(0x40),
      dadFailed: has(0x08),
      deprecated: has(0x20),
    },
  };
}

function cidrOf(digits: string, length: string): Cidr | undefined {
  const address = digits === '' ? undefined : addressFromValue(6, BigInt(`0x${digits}`));
  return address && makeCidr(address, Number.parseInt(length, 16));
}
