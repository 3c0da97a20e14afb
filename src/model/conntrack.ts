import type { HasLine } from './parsed.ts';

/** One direction of a connection: addresses, ports or ICMP fields, and counters where accounting is on. */
export interface ConntrackTuple {
  src: string;
  dst: string;
  sport?: number;
  dport?: number;
  icmpType?: number;
  icmpCode?: number;
  icmpId?: number;
  /** Zone of this direction only (`zone-orig=`, `zone-reply=`). */
  zone?: number;
  packets?: number;
  bytes?: number;
  /** Keys of GRE. */
  srckey?: string;
  dstkey?: string;
}

export interface ConntrackFlow extends HasLine {
  /** The line as printed. */
  text: string;
  /** Both lines, where another message had been written into the middle of the entry. */
  lines?: number[];
  /** Event kind of `conntrack -E`, as printed in brackets. */
  event?: 'NEW' | 'UPDATE' | 'DESTROY';
  /** Layer 3 protocol where printed (`-o extended`, /proc/net/nf_conntrack): 2 is IPv4, 10 IPv6. */
  layer3?: number;
  /** Name as printed; `unknown` for protocols without a tracker of their own. */
  protocol: string;
  protocolNumber: number;
  /** Seconds left. Not printed for `[DESTROY]` events and offloaded flows. */
  timeout?: number;
  /** TCP, SCTP and DCCP only. */
  state?: string;
  original: ConntrackTuple;
  /** `undefined` only in XML of an event without it. */
  reply: ConntrackTuple;
  /** No packet came back yet. Normal for one-way protocols such as VXLAN. */
  unreplied: boolean;
  assured: boolean;
  /** Further bracketed words, where there are any: OFFLOAD, HW_OFFLOAD, USERSPACE… */
  flags?: readonly string[];
  mark?: number;
  zone?: number;
  use?: number;
  id?: string;
  /** Everything else, where there is any, by its key: `secctx`, `helper`, `labels`, `delta-time`, `start`, `stop`, `portid`… */
  other?: Readonly<Record<string, string>>;
}

export interface ConntrackTable {
  flows: ConntrackFlow[];
  /** The count that conntrack wrote to its standard error, when that was recorded with it. */
  announced?: number;
}

/** One line of `conntrack -L expect`. */
export interface ConntrackExpectation extends HasLine {
  text: string;
  timeout?: number;
  protocolNumber: number;
  src: string;
  dst: string;
  sport?: number;
  dport?: number;
  masterSrc?: string;
  masterDst?: string;
  helper?: string;
  other: Record<string, string>;
}

/** Counters of one CPU (`cpu` undefined in outputs that do not split them). */
export interface ConntrackCpuStats extends HasLine {
  text: string;
  cpu: number | undefined;
  /** By the names of conntrack(8): found, invalid, insert, insert_failed, drop, early_drop, error, search_restart, clash_resolve… */
  counters: Record<string, number>;
}

export interface ConntrackStats {
  cpus: ConntrackCpuStats[];
  /** Connections in the table, where the source prints it (one number for the table, repeated on each CPU's row). */
  entries?: number;
}

/** The sum over CPUs; `undefined` when the counter is not printed at all (which is not 0: names differ between kernels). */
export const conntrackTotal = (stats: ConntrackStats, counter: string): number | undefined => {
  const values = stats.cpus.map((cpu) => (Object.hasOwn(cpu.counters, counter) ? cpu.counters[counter] : undefined));
  const seen = values.filter((value) => value !== undefined);
  return seen.length === 0 ? undefined : seen.reduce((sum, value) => sum + value, 0);
};

/** What network address translation did to the flow, read off the two tuples. */
export const translationOf = (flow: ConntrackFlow): { source: boolean; destination: boolean } => ({
  source: flow.reply.dst !== flow.original.src || portsDiffer(flow.reply.dport, flow.original.sport),
  destination: flow.reply.src !== flow.original.dst || portsDiffer(flow.reply.sport, flow.original.dport),
});

const portsDiffer = (a: number | undefined, b: number | undefined): boolean => a !== undefined && b !== undefined && a !== b;
