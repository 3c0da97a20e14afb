import type { HasLine } from './parsed.ts';

/** An ipset of the kernel. */
export interface IpSet extends HasLine {
  name: string;
  /** `hash:ip,port`, `bitmap:port`, `list:set`, … */
  type: string;
  family: 'ip' | 'ip6';
  /** Words of the header: `family inet hashsize 1024 maxelem 65536 netmask 24`. */
  header: Record<string, string>;
  members: IpSetMember[];
  /** Number of entries that the listing names, where it does. */
  entries?: number;
  /** Number of rules and sets that refer to it. */
  references?: number;
}

export interface IpSetMember extends HasLine {
  /** Parts of the element: `10.43.0.10`, `udp:53`. */
  parts: string[];
  /** An exception of a hash:net set. */
  nomatch: boolean;
  comment?: string;
  /** Seconds until it goes away; 0: never. */
  timeout?: number;
}
