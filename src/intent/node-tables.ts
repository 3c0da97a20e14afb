import { type NamespaceFacts, observe } from '../facts/node-facts.ts';
import { once } from '../facts/once.ts';
import type { IpSet } from '../model/ipset.ts';
import type { VirtualServer } from '../model/ipvs.ts';
import type { Link } from '../model/link.ts';
import type { NetfilterRuleset, RulesetSource } from '../model/netfilter.ts';
import { type Observed, type Reason, unknown } from '../model/observed.ts';
import { parseIpset } from '../parse/ipset.ts';
import { parseIptablesSave } from '../parse/iptables-save.ts';
import { parseIpvsadm } from '../parse/ipvsadm.ts';
import { ipsetLookups } from '../walk/netfilter/ipset.ts';
import type { RouteDecision } from '../walk/netfilter/traverse.ts';
import { type WalkContext, withoutTablesOf } from '../walk/netfilter.ts';
import { routerOf } from './router.ts';
import type { Family } from './service-ports.ts';

/** What was read of one node's packet path in one address family: all backends together, its addresses and routes. */
export interface NodeTables {
  node: string;
  family: Family;
  rulesets: NetfilterRuleset[];
  /** Backends whose rules were not read, or not to their end: what they do is not known. */
  unread: { source: RulesetSource; reason: Reason; detail: string }[];
  /** Addresses of all devices but loopback. */
  addresses: string[];
  context: WalkContext;
  route(address: string): RouteDecision;
  /** The devices by which packets leave are certain. */
  routesSure: boolean;
  /** Snapshot key of the output in which the rules of a backend stand. */
  entryOf(source: RulesetSource): string;
  /** What ipvs mode keeps outside of the rules: virtual servers, sets, and the addresses of the device kube-ipvs0. */
  ipvs(): Observed<VirtualServer[]>;
  ipsets(): Observed<IpSet[]>;
  bound: string[];
}

/** Reads the tables of a node; unknown where its addresses or routes are, or where no backend's rules were read at all. */
export function nodeTablesOf(net: NamespaceFacts, family: Family): Observed<NodeTables> {
  const links = net.addresses();
  if (links.state !== 'seen') return links.state === 'unknown' ? links : unknown('not-collected', `${net.prefix}/ip-addr is not there`);
  const router = routerOf(net, family);
  if (router.state !== 'seen') return router;
  const reads = readRules(net, family);
  const rulesets = reads.flatMap(({ read }) => (read.state === 'seen' ? [read.value] : []));
  const unread = reads.flatMap(({ source, read }) => (read.state === 'seen' && read.complete ? [] : [{ source, ...reasonOf(read) }]));
  if (rulesets.length === 0) return unknown(unread[0]?.reason ?? 'not-collected', unread[0]?.detail ?? 'no rules were read');
  const addressesOf = (items: typeof links.value): string[] =>
    items
      .flatMap((link) => link.addresses.map((address) => String(address.address).split('/')[0] as string))
      .filter((address) => !address.startsWith('127.') && address !== '::1');
  const addresses = addressesOf(links.value);
  const ipsets = once(() => ipsetsOf(net));
  const sets = ipsets();
  return {
    state: 'seen',
    from: net.prefix,
    complete: unread.length === 0,
    value: {
      node: net.prefix.replace(/^node\//, ''),
      family,
      rulesets,
      unread,
      addresses,
      context: {
        localAddresses: addresses,
        interfaceAddress: deviceAddresses(links.value, family),
        addressType: typeOf,
        recentListsEmpty: true,
        ...(sets.state === 'seen' && sets.complete ? { ipsets: ipsetLookups(sets.value) } : {}),
      },
      route: router.value.to,
      routesSure: router.value.sure,
      entryOf: (source) => entryOf(net, source, family),
      ipvs: once(() => ipvsOf(net)),
      ipsets,
      bound: addressesOf(links.value.filter((link) => link.name === 'kube-ipvs0')),
    },
  };
}

/** The first address of each device, which REDIRECT translates to. */
function deviceAddresses(links: readonly Link[], family: Family): (device: string | undefined) => string | undefined {
  const first = new Map(
    links.flatMap((link) => {
      const texts = link.addresses.map((address) => String(address.address).split('/')[0] as string);
      const found = texts.find((text) => text.includes(':') === (family === 'ip6'));
      return found === undefined ? [] : [[link.name, found] as const];
    }),
  );
  return (device) => (device === undefined ? undefined : first.get(device));
}

type Read = { source: RulesetSource; read: Observed<NetfilterRuleset> };

function readRules(net: NamespaceFacts, family: Family): Read[] {
  const nft = net.nft();
  if (family === 'ip') {
    const iptables = net.iptables();
    return [
      { source: 'iptables-nft', read: iptables },
      { source: 'iptables-legacy', read: net.iptablesLegacy() },
      { source: 'nft', read: native(nft, iptables) },
    ];
  }
  const read = (name: string, source: RulesetSource): Observed<NetfilterRuleset> =>
    observe(
      net.entry(name),
      `${net.prefix}/${name}`,
      (text) => parseIptablesSave(noTables.test(text) ? '' : text, { source, family: 'ip6' }),
      true,
    );
  const iptables = read('ip6tables-save', 'iptables-nft');
  return [
    { source: 'iptables-nft', read: iptables },
    { source: 'iptables-legacy', read: read('ip6tables-legacy-save', 'iptables-legacy') },
    { source: 'nft', read: native(nft, iptables) },
  ];
}

/** What the collector's script says where the legacy backend holds no table. */
const noTables = /^# no legacy tables: [^\n]*\n?$/;

/** nft's print of iptables tables is lossy: what iptables-save shows is taken from there, and where it was not read, it is not known. */
function native(nft: Observed<NetfilterRuleset>, iptables: Observed<NetfilterRuleset>): Observed<NetfilterRuleset> {
  if (nft.state !== 'seen') return nft;
  const value = iptables.state === 'seen' ? withoutTablesOf(nft.value, [iptables.value]) : nft.value;
  return { ...nft, value: { ...value, tables: value.tables.filter((table) => !table.lossy) } };
}

const reasonOf = (read: Observed<NetfilterRuleset>): { reason: Reason; detail: string } => {
  if (read.state === 'unknown') return { reason: read.reason, detail: read.detail };
  return read.state === 'seen'
    ? { reason: 'unparsed', detail: `${read.from}: not every line was understood` }
    : { reason: 'not-collected', detail: 'not read' };
};

function entryOf(net: NamespaceFacts, source: RulesetSource, family: Family): string {
  const tool = family === 'ip' ? 'iptables' : 'ip6tables';
  const name = source === 'nft' ? 'nft' : source === 'iptables-legacy' ? `${tool}-legacy-save` : `${tool}-save`;
  return `${net.prefix}/${name}`;
}

const ipsetsOf = (net: NamespaceFacts): Observed<IpSet[]> =>
  observe(net.entry('ipset'), `${net.prefix}/ipset`, (text) => parseIpset(text.startsWith('# no ipset') ? '' : text), true);

const ipvsOf = (net: NamespaceFacts): Observed<VirtualServer[]> =>
  observe(net.entry('ipvs'), `${net.prefix}/ipvs`, (text) => parseIpvsadm(text.startsWith('# no IPVS') ? '' : text), true);

/** Multicast and loopback are told apart by the walk itself; what is left is a unicast address or one of the node's own. */
const typeOf = (): string => 'UNICAST';
