import { namespaceFacts } from '../../src/facts/node-facts.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import type { Station } from '../../src/walk/path/way.ts';
import type { Case } from './case.ts';

/** What is read of the router: the collector's entries, by the same commands. */
const commands = {
  'iptables-save': 'iptables-nft-save -c',
  'ip6tables-save': 'ip6tables-nft-save -c',
  'iptables-legacy-save': 'iptables-legacy-save -c',
  nft: 'nft list ruleset',
  ipset: 'ipset save',
  'ip-addr': 'ip addr',
  'ip-route': 'ip route show table all',
  'ip-rule': 'ip rule',
  'ip-6-rule': 'ip -6 rule',
  sysctl: "grep -s . /proc/sys/net/ipv4/conf/*/rp_filter | sed 's|^/proc/sys/||;s|:| = |'",
} as const;
export type EntryName = keyof typeof commands;
export type Outputs = Partial<Record<EntryName, string>>;

const allEntries = Object.keys(commands) as EntryName[];
const end = '=====end=====';

/** What no rules change, and routes that a case leaves as they are. */
export const baseEntries: readonly EntryName[] = ['ip-addr', 'ip-route', 'ip-rule', 'ip-6-rule', 'sysctl'];

/** The entries that a case may have changed. Where the legacy backend was never used in a namespace, asking would load its tables. */
export const changedEntries = (item: Case, legacyTables: boolean): EntryName[] => [
  ...(item.iptables.length > 0 || item.nft.length > 0 ? (['nft'] as const) : []),
  ...(item.iptables.length > 0 ? ([`${item.family}tables-save`] as const) : []),
  ...(legacyTables ? (['iptables-legacy-save'] as const) : []),
  ...(item.ipsets.length > 0 ? (['ipset'] as const) : []),
  ...(item.routing.length > 0 ? (['ip-route', 'ip-rule', 'ip-6-rule', 'sysctl'] as const) : []),
];

export const dumpScript = (names: readonly EntryName[]): string =>
  names.map((name) => `echo =====${name}; ${commands[name]} 2>/dev/null; echo; echo ${end}`).join('\n');

export function readDump(dump: string): Outputs {
  const outputs: Outputs = {};
  for (const name of allEntries) {
    const heading = `=====${name}\n`;
    const from = dump.indexOf(heading);
    if (from >= 0) outputs[name] = dump.slice(from + heading.length, dump.indexOf(`\n${end}`, from));
  }
  return outputs;
}

/** The router as the product's facts know a node. What is not among the outputs is empty. */
export function stationOf(outputs: Outputs): Station {
  const entries = new Map<string, Entry>();
  for (const name of allEntries) {
    const key = `node/router/${name}`;
    const stdout = outputs[name] ?? '';
    entries.set(key, { key, command: commands[name], on: { kind: 'node', name: 'router' }, exit: 0, stdout, stderr: '' });
  }
  return { key: 'node/router', place: { kind: 'node', name: 'router' }, net: namespaceFacts(entries, 'node/router'), pod: undefined };
}
