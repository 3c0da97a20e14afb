import { baseRoutes, baseRoutes6, deviceNames } from './lab.ts';
import type { Sent } from './wire.ts';

export interface IptablesTable {
  name: 'raw' | 'mangle' | 'nat' | 'filter';
  /** Policies other than ACCEPT. */
  drops: string[];
  chains: string[];
  /** `-A CHAIN …` */
  rules: string[];
}

export interface NftChain {
  name: string;
  /** `type filter hook forward priority 0; policy drop;` */
  base?: string;
  rules: string[];
}

export interface NftTable {
  family: 'ip' | 'ip6' | 'inet';
  name: string;
  /** Whole blocks: `set s { … }`. */
  sets: string[];
  chains: NftChain[];
}

export interface Flow extends Sent {
  /** The device that it comes in by; left out: a process of the router sends it. */
  device?: (typeof deviceNames)[number];
  /** Mark of the sending socket. */
  mark: number;
}

/** Rules of a router and packets to it. */
export interface Case {
  seed: number;
  /** Of all packets, and of the rules but for tables of `inet`. */
  family: 'ip' | 'ip6';
  /** In which order the backends are loaded: among equal priorities the kernel calls the chain first that came last. */
  order: ('iptables' | 'legacy' | 'nft')[];
  iptables: IptablesTable[];
  legacy: IptablesTable[];
  nft: NftTable[];
  /** Lines of `ipset restore`. */
  ipsets: string[];
  /** Commands. */
  routing: string[];
  flows: Flow[];
}

/** What a case has used besides nf_tables, and so has to be put back after it. */
export interface Used {
  legacy: boolean;
  ipsets: boolean;
  routing: boolean;
}

export const usedBy = (item: Case): Used => ({
  legacy: item.legacy.length > 0,
  ipsets: item.ipsets.length > 0,
  routing: item.routing.length > 0,
});

/** Takes away what a case before has left. Tables of the legacy backend stay, empty, as on a node where they were used once. */
export const resetScript = (used: Used): string =>
  [
    'nft flush ruleset',
    ...(used.legacy ? heredoc('iptables-legacy-restore', emptyTables) : []),
    ...(used.ipsets ? ['ipset destroy'] : []),
    ...(used.routing ? resetRouting : []),
  ].join('\n');

const emptyTables = Object.entries({
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
})
  .flatMap(([table, chains]) => [`*${table}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), 'COMMIT'])
  .join('\n');

const resetRouting = [
  'ip rule flush; ip rule add priority 32766 lookup main; ip rule add priority 32767 lookup default',
  'ip -6 rule flush; ip -6 rule add priority 32766 lookup main',
  ...['ip', 'ip -6'].map((ip) => `for t in 100 101; do ${ip} route flush table $t 2>/dev/null; done; ${ip} route flush proto static`),
  baseRoutes,
  baseRoutes6,
  `for d in all ${deviceNames.join(' ')}; do echo 0 >/proc/sys/net/ipv4/conf/$d/rp_filter; done`,
];

/** A shell script that loads the case and fails with the tool's message when a tool refuses it. */
export function loadScript(item: Case): string {
  const loads = {
    iptables: item.iptables.length === 0 ? [] : heredoc(`${item.family}tables-nft-restore`, restoreText(item.iptables)),
    legacy: item.legacy.length === 0 ? [] : heredoc('iptables-legacy-restore', restoreText(item.legacy)),
    nft: item.nft.length === 0 ? [] : heredoc('nft -f -', nftText(item.nft)),
  };
  return [
    'set -e',
    ...(item.ipsets.length === 0 ? [] : heredoc('ipset restore', item.ipsets.join('\n'))),
    ...item.order.flatMap((backend) => loads[backend]),
    ...item.routing,
  ].join('\n');
}

const heredoc = (command: string, text: string): string[] => [`${command} <<'E'`, text, 'E'];

export const restoreText = (tables: readonly IptablesTable[]): string =>
  tables
    .flatMap((table) => [
      `*${table.name}`,
      ...table.drops.map((chain) => `:${chain} DROP [0:0]`),
      ...table.chains.map((chain) => `:${chain} - [0:0]`),
      ...table.rules,
      'COMMIT',
    ])
    .join('\n');

export const nftText = (tables: readonly NftTable[]): string =>
  tables
    .flatMap((table) => [
      `table ${table.family} ${table.name} {`,
      ...table.sets,
      ...table.chains.flatMap((chain) => [`chain ${chain.name} {`, ...(chain.base === undefined ? [] : [chain.base]), ...chain.rules, '}']),
      '}',
    ])
    .join('\n');

/** The case with one thing less, in every way there is; bigger things first. */
export function* smaller(item: Case): Generator<Case> {
  if (item.flows.length > 1) for (const flow of item.flows) yield { ...item, flows: [flow] };
  for (const backend of ['iptables', 'legacy'] as const) {
    for (const tables of withoutEach(item[backend])) yield { ...item, [backend]: tables };
    for (const [at, table] of item[backend].entries()) {
      const put = (change: Partial<IptablesTable>): Case => ({ ...item, [backend]: item[backend].with(at, { ...table, ...change }) });
      for (const rules of halves(table.rules)) yield put({ rules });
      for (const rules of withoutEach(table.rules)) yield put({ rules });
      for (const drops of withoutEach(table.drops)) yield put({ drops });
      for (const chains of withoutEach(table.chains)) yield put({ chains });
    }
  }
  for (const nft of withoutEach(item.nft)) yield { ...item, nft };
  for (const [at, table] of item.nft.entries()) {
    const put = (change: Partial<NftTable>): Case => ({ ...item, nft: item.nft.with(at, { ...table, ...change }) });
    for (const sets of withoutEach(table.sets)) yield put({ sets });
    for (const chains of withoutEach(table.chains)) yield put({ chains });
    for (const [place, chain] of table.chains.entries())
      for (const rules of withoutEach(chain.rules)) yield put({ chains: table.chains.with(place, { ...chain, rules }) });
  }
  for (const ipsets of withoutEach(item.ipsets)) yield { ...item, ipsets };
  for (const routing of withoutEach(item.routing)) yield { ...item, routing };
}

const withoutEach = <T>(items: readonly T[]): T[][] => items.map((_, at) => items.toSpliced(at, 1));

function halves<T>(items: readonly T[]): T[][] {
  const middle = Math.floor(items.length / 2);
  return items.length < 4 ? [] : [items.slice(0, middle), items.slice(middle)];
}
