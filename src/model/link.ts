import type { HasLine } from './parsed.ts';

/** A network interface as `ip link` and `ip addr` show it. */
export interface Link extends HasLine {
  /** The interface as printed (several lines joined by a newline; for JSON: rendered in the words of `ip link`). */
  text: string;
  /** Number of the last line that belongs to the interface (equal to `line` for JSON items). */
  lastLine: number;
  /** Not printed by `ip -br` and ifconfig. */
  index?: number;
  name: string;
  /** What stands behind the `@`. `index` is a peer or lower interface, perhaps of another namespace; a name may be wrong with BusyBox and `bridge`. */
  peer?: LinkPeer;
  /** `undefined` when not printed at all (`ip -o addr`, `ip -br addr`). */
  flags: string[] | undefined;
  mtu?: number;
  qdisc?: string;
  master?: string;
  /** UP, DOWN, UNKNOWN, LOWERLAYERDOWN, DORMANT…; BusyBox prints none. A tunnel or dummy that works is UNKNOWN. */
  state?: string;
  qlen?: number;
  group?: string;
  /** ether, loopback, ipip, none… */
  linkType?: string;
  /** MAC address, or the local address of a tunnel. */
  address?: string;
  broadcast?: string;
  /** Remote address of a tunnel (`link/ipip 192.0.2.1 peer 192.0.2.60`). */
  peerAddress?: string;
  permanentAddress?: string;
  /** Namespace id of the peer, or the name of that namespace. */
  netns?: string;
  alias?: string;
  altNames: string[];
  /** From `ip -d`: vxlan, bridge, veth, vlan…. `undefined` means not printed, not "physical". */
  kind?: string;
  vxlan?: Vxlan;
  /** Details of the kind by keyword, as printed: `id`, `vlan_filtering`, `remote`… Flag words have an empty value. */
  details: Record<string, string>;
  /** `bridge`, `bond`, `vrf`… when the interface is a port of one, with the details of the port: `state` forwarding, `hairpin` on. */
  portKind?: string;
  portDetails: Record<string, string>;
  counters?: LinkCounters;
  addresses: LinkAddress[];
  /** Everything else that was printed, by its keyword (`minmtu`, `gso_max_size`…). */
  other: Record<string, string>;
}

export interface LinkPeer {
  index?: number;
  name?: string;
}

/** `ip -d link` of a VXLAN interface. What is not printed is `undefined`. */
export interface Vxlan {
  /** `undefined` with `external`. */
  id?: number;
  local?: string;
  /** Unicast remote. */
  remote?: string;
  /** Multicast group. */
  group?: string;
  dev?: string;
  /** Destination UDP port: 4789 by IANA, 8472 in Linux' default and flannel. */
  dstport?: number;
  learning?: boolean;
  external?: boolean;
}

export interface LinkAddress extends HasLine {
  family: 4 | 6;
  address: string;
  prefixLength: number;
  /** Far end of a point-to-point address. */
  peer?: string;
  broadcast?: string;
  scope?: string;
  label?: string;
  /** secondary, deprecated, tentative, dadfailed, dynamic, noprefixroute… */
  flags: string[];
  metric?: number;
  protocol?: string;
  /** Seconds, or `forever`. */
  validLifetime?: number | 'forever';
  preferredLifetime?: number | 'forever';
}

export interface LinkCounters {
  rx: DirectionCounters;
  tx: DirectionCounters;
}

/**
 * Counters by the names of the output (`bytes`, `packets`, `errors`, `dropped`, `missed`, `overrun`, `mcast`, `carrier`, `collsns`…).
 * `dropped` of TX does not count what a queueing discipline dropped.
 */
export type DirectionCounters = Record<string, number>;

/** Neighbour states of linux/neighbour.h. */
export const neighbourStates = ['INCOMPLETE', 'REACHABLE', 'STALE', 'DELAY', 'PROBE', 'FAILED', 'NOARP', 'PERMANENT', 'NONE'] as const;
export type NeighbourState = (typeof neighbourStates)[number];

export interface Neighbour extends HasLine {
  text: string;
  address: string;
  /** Left out by `ip neigh show dev X`. */
  dev?: string;
  /** `undefined` while unresolved. */
  mac?: string;
  /** `undefined` in outputs of tools that print no state. */
  states: NeighbourState[];
  /** router, proxy, extern_learn, offload, managed… */
  flags: string[];
  protocol?: string;
  /** Seconds since used / confirmed / updated (`-s`). */
  used?: { used: number; confirmed: number; updated: number };
  probes?: number;
  refcount?: number;
  vlan?: number;
}

export interface FdbEntry extends HasLine {
  text: string;
  mac: string;
  /** Left out by `bridge fdb show dev X`. */
  dev?: string;
  /** VTEP that a VXLAN interface sends this MAC to. */
  dst?: string;
  vlan?: number;
  vni?: number;
  srcVni?: number;
  port?: number;
  via?: string;
  nexthopId?: number;
  /** Bridge whose table holds the entry; entries without it are of the interface itself. */
  master?: string;
  /** self, router, sticky, extern_learn, offload, local, dynamic… */
  flags: string[];
  /** permanent, static, stale; empty for a learned entry. */
  state: string;
  /** Seconds since used and updated (`-s`). */
  used?: { used: number; updated: number };
}

export interface BridgePort extends HasLine {
  text: string;
  index: number;
  name: string;
  flags: string[];
  mtu?: number;
  master?: string;
  /** disabled, listening, learning, forwarding, blocking. */
  state?: string;
  priority?: number;
  cost?: number;
  /** From `-d`: `hairpin` on or off and the like. */
  options: Record<string, string>;
}

export interface BridgeVlan extends HasLine {
  text: string;
  port: string;
  first: number;
  last: number;
  pvid: boolean;
  untagged: boolean;
  /** First tunnel id (`bridge vlan tunnelshow`). */
  tunnelId?: number;
  options: Record<string, string>;
}

export interface MdbEntry extends HasLine {
  text: string;
  bridge: string;
  port?: string;
  group: string;
  source?: string;
  flags: string[];
  vlan?: number;
  state?: string;
  /** `router on` lines: a port with a multicast router. */
  kind: 'entry' | 'router';
  other: Record<string, string>;
}

/** Whether the interface is administratively up; `undefined` when the output shows no flags. */
export const isUp = (link: Pick<Link, 'flags'>): boolean | undefined => link.flags?.includes('UP');

/**
 * Whether it is up and its lower layer carries (`LOWER_UP`, no `NO-CARRIER`; `RUNNING` in ifconfig). `undefined` when the output shows neither flags nor
 * a word about the carrier.
 */
export const hasCarrier = (link: Pick<Link, 'flags'>): boolean | undefined => {
  if (link.flags === undefined) return undefined;
  if (link.flags.includes('NO-CARRIER') || !link.flags.includes('UP')) return false;
  return link.flags.includes('LOWER_UP') || link.flags.includes('RUNNING') ? true : undefined;
};
