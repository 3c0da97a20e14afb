import { anyCidr, type Cidr, cidrContains, type IpAddress, type IpFamily, parseCidr } from './ip.ts';
import type { HasLine } from './parsed.ts';

/** Route types of rtnetlink (linux/rtnetlink.h, names of iproute2's rt_names). */
export const routeTypes = [
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
  'xresolve',
] as const;
export type RouteType = (typeof routeTypes)[number];

/** One way out of a route: of the route itself, or one of its `nexthop` lines. */
export interface Nexthop {
  /** Gateway. It may be IPv6 for an IPv4 route (`via inet6 fe80::1`). */
  via?: string;
  dev?: string;
  weight?: number;
  /** `onlink`, `linkdown`, `dead`, `pervasive`, `offload`, `trap`… as printed. */
  flags: string[];
  /** `encap …` as printed, for lightweight tunnels. */
  encap?: string;
}

export interface Route extends HasLine, Nexthop {
  /** The route as the tool printed it (for JSON: rendered in the words of `ip route`). */
  text: string;
  type: RouteType;
  /** `undefined` when the output does not tell, for example `default dev eth0`. */
  family: IpFamily | undefined;
  /** The destination as printed: `default`, `10.0.0.0/24`, `10.0.0.7`. */
  dst: string;
  /** The destination as a prefix; `undefined` only for `default` of an unknown family. */
  destination: Cidr | undefined;
  /** Source prefix of a source-specific route (`from …`, IPv6 only). */
  from?: string;
  /** Routing table as printed; `undefined` when not printed, which means the table that was asked for (main by default). */
  table?: string;
  protocol?: string;
  scope?: string;
  /** Preferred source address. */
  src?: string;
  metric?: number;
  tos?: string;
  mtu?: number;
  mtuLocked?: boolean;
  /** Seconds until the route goes, for learned routes and path MTU exceptions. */
  expires?: number;
  /** IPv6 router preference: low, medium, high. */
  pref?: string;
  /** Id of a nexthop object (`nhid`). */
  nexthopId?: number;
  /** Error number of a reject route as old iproute2 prints it (`error -113`). */
  error?: number;
  /** More than one way out. Empty for an ordinary route. */
  nexthops: Nexthop[];
  /** The route has ways out that the output does not show (BusyBox prints multipath routes without their nexthops): nothing is known about where it leads. */
  nexthopsHidden?: true;
  /** Everything else that was printed, by its keyword. */
  other: Record<string, string>;
}

/** Answer of `ip route get`: the route that the kernel took, or why it took none. */
export type RouteGetAnswer = RouteGetRoute | RouteGetError;

export interface RouteGetRoute {
  kind: 'route';
  line: number;
  route: Route;
  /** Flags of the `cache` line: `local`, `brd`, `mc`, `redirected`… */
  cacheFlags: string[];
  /** Path MTU that the kernel learned (`cache … mtu 1400`): never shown in the route itself. */
  pathMtu?: number;
  /** Incoming interface that was asked with. */
  iif?: string;
  mark?: string;
  uid?: number;
}

export interface RouteGetError {
  kind: 'error';
  line: number;
  text: string;
  /** The words behind `RTNETLINK answers:` or `Error:`. */
  message: string;
  means: RouteGetMeaning;
}

/**
 * What an error of `ip route get` can come from. `blackhole-or-rp-filter`: EINVAL is a blackhole route, and since kernel 6.x also a packet that
 * strict reverse path filtering would drop (`rp-filter`, EXDEV, on older kernels). `no-route-or-throw`: ENETUNREACH is an empty result, also after a `throw` route.
 */
export type RouteGetMeaning = 'blackhole-or-rp-filter' | 'rp-filter' | 'prohibit' | 'unreachable' | 'no-route-or-throw' | 'other';

export interface Rule extends HasLine {
  text: string;
  priority: number;
  not: boolean;
  from: string;
  to: string;
  fwmark?: { value: number; mask: number };
  iif?: string;
  /** The interface of `iif` does not exist now: the rule cannot match. */
  iifDetached?: boolean;
  oif?: string;
  oifDetached?: boolean;
  tos?: string;
  ipproto?: string;
  sport?: string;
  dport?: string;
  uidrange?: string;
  action: RuleAction;
  suppressPrefixLength?: number;
  suppressInterfaceGroup?: string;
  realms?: string;
  protocol?: string;
  /** Everything else that was printed, by its keyword. */
  other: Record<string, string>;
}

export type RuleAction =
  | { kind: 'lookup'; table: string }
  /** The table of the VRF that the packet belongs to. */
  | { kind: 'l3mdev' }
  | { kind: 'goto'; priority: number | undefined; unresolved: boolean }
  | { kind: 'nop' | 'blackhole' | 'prohibit' | 'unreachable' };

/** True, false, or `undefined` when the family of a `default` route is not known. */
export const routeCovers = (route: Route, address: IpAddress): boolean | undefined => {
  if (route.family !== undefined && route.family !== address.family) return false;
  return route.destination === undefined ? undefined : cidrContains(route.destination, address);
};

/** The prefix of a printed destination. */
export const destinationOf = (dst: string, family: IpFamily | undefined): Cidr | undefined => {
  if (dst !== 'default') return parseCidr(dst);
  return family === undefined ? undefined : anyCidr(family);
};

/** All ways out of a route: its nexthop lines, or itself. Empty for types that send nothing; `undefined` when the output hides them. */
export const waysOut = (route: Route): Nexthop[] | undefined => {
  if (route.nexthopsHidden === true) return undefined;
  if (route.nexthops.length > 0) return route.nexthops;
  return route.dev === undefined && route.via === undefined ? [] : [route];
};
