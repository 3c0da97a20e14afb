import type { ConntrackTable } from '../model/conntrack.ts';
import type { BridgePort, FdbEntry, Link, Neighbour } from '../model/link.ts';
import type { NetfilterRuleset } from '../model/netfilter.ts';
import { type Observed, seen, unknown } from '../model/observed.ts';
import type { Parsed } from '../model/parsed.ts';
import type { Route, Rule } from '../model/route.ts';
import type { Socket } from '../model/socket.ts';
import { parseBridgeFdb } from '../parse/bridge-fdb.ts';
import { parseBridgeLink } from '../parse/bridge-link.ts';
import { parseConntrack } from '../parse/conntrack.ts';
import { parseIpAddr } from '../parse/ip-addr.ts';
import { parseIpLink } from '../parse/ip-link.ts';
import { parseIpNeigh } from '../parse/ip-neigh.ts';
import { parseIpRoute } from '../parse/ip-route.ts';
import { parseIpRule } from '../parse/ip-rule.ts';
import { parseIptablesSave } from '../parse/iptables-save.ts';
import { parseNftText } from '../parse/nft-text.ts';
import { parseSs } from '../parse/ss.ts';
import { parseSysctl, type SysctlEntry } from '../parse/sysctl.ts';
import type { Entry } from '../snapshot/entry.ts';
import { once } from './once.ts';

/** What one network namespace (a node's or a pod's) said, parsed when first asked for. `from` is the snapshot key to quote. */
export interface NamespaceFacts {
  /** Key prefix of its entries: `node/n1` or `pod/default/client`. */
  prefix: string;
  /** `ip -d -s link`: device details and counters. */
  links(): Observed<Link[]>;
  /** `ip addr`: devices with their addresses. */
  addresses(): Observed<Link[]>;
  /** All tables. */
  routes(): Observed<Route[]>;
  rules(): Observed<Rule[]>;
  /** `ip -6 rule`. */
  rules6(): Observed<Rule[]>;
  neighbours(): Observed<Neighbour[]>;
  fdb(): Observed<FdbEntry[]>;
  bridgePorts(): Observed<BridgePort[]>;
  sysctls(): Observed<SysctlEntry[]>;
  sockets(): Observed<Socket[]>;
  conntrack(): Observed<ConntrackTable>;
  /** iptables-save of the nft backend. */
  iptables(): Observed<NetfilterRuleset>;
  /** ip6tables-save of the nft backend. */
  ip6tables(): Observed<NetfilterRuleset>;
  iptablesLegacy(): Observed<NetfilterRuleset>;
  /** `nft list ruleset`: native tables, and a lossy picture of the iptables ones. */
  nft(): Observed<NetfilterRuleset>;
  /** Any entry of it by the last part of its key. */
  entry(name: string): Entry | undefined;
}

export function namespaceFacts(entries: ReadonlyMap<string, Entry>, prefix: string): NamespaceFacts {
  const entry = (name: string): Entry | undefined => entries.get(`${prefix}/${name}`);
  const of = <T>(name: string, parse: (text: string) => Parsed<T>, emptyMeansNothing = true): (() => Observed<T>) =>
    once(() => observe(entry(name), `${prefix}/${name}`, parse, emptyMeansNothing));
  return {
    prefix,
    entry,
    links: of('ip-link', parseIpLink, false),
    addresses: of('ip-addr', parseIpAddr, false),
    routes: of('ip-route', (text) => parseIpRoute(text)),
    rules: of('ip-rule', (text) => parseIpRule(text), false),
    rules6: of('ip-6-rule', (text) => parseIpRule(text), false),
    neighbours: of('ip-neigh', parseIpNeigh),
    fdb: of('bridge-fdb', parseBridgeFdb),
    bridgePorts: of('bridge-link', parseBridgeLink),
    sysctls: of('sysctl', parseSysctl, false),
    sockets: of('ss', (text) => parseSs(text), false),
    conntrack: of('conntrack', parseConntrack),
    iptables: of('iptables-save', (text) => parseIptablesSave(text, { source: 'iptables-nft' })),
    ip6tables: of('ip6tables-save', (text) => parseIptablesSave(text, { source: 'iptables-nft', family: 'ip6' })),
    iptablesLegacy: of('iptables-legacy-save', (text) =>
      parseIptablesSave(noLegacyTables.test(text) ? '' : text, { source: 'iptables-legacy' }),
    ),
    nft: of('nft', parseNftText),
  };
}

/** What the collector's own script says where the legacy backend holds no table: nothing, and all of it. */
const noLegacyTables = /^# no legacy tables: [^\n]*\n?$/;

/** An entry through a parser: a failed command is unknown, a partly understood output is seen but not complete. */
export function observe<T>(
  entry: Entry | undefined,
  key: string,
  parse: (text: string) => Parsed<T>,
  emptyMeansNothing: boolean,
): Observed<T> {
  if (!entry) return unknown('not-collected', `${key} was not collected`);
  if (entry.failure) return unknown(entry.failure.reason, `${entry.command}: ${entry.failure.detail}`);
  if (entry.exit !== 0 && entry.stdout.trim() === '')
    return unknown(
      'tool-failed',
      `${entry.command} ended with ${entry.exit}: ${entry.stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`,
    );
  if (!emptyMeansNothing && entry.stdout.trim() === '') return unknown('tool-failed', `${entry.command} printed nothing`);
  const parsed = parse(entry.stdout);
  return seen(parsed.value, key, parsed.complete && entry.exit === 0);
}
