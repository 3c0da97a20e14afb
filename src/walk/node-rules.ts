import type { NamespaceFacts } from '../facts/node-facts.ts';
import { parseAddress } from '../model/ip.ts';
import type { Hook, NetfilterRuleset } from '../model/netfilter.ts';
import { type Observed, seen, unknown } from '../model/observed.ts';
import { newConnection, type Packet } from '../model/packet.ts';
import type { Route } from '../model/route.ts';
import { routeCovers } from '../model/route.ts';
import type { Decision, Outcome, WalkContext } from './netfilter.ts';
import { evaluateHook, evaluateHooks, withoutTablesOf } from './netfilter.ts';

/**
 * All IPv4 rules of a network namespace: iptables-nft, iptables-legacy and native nft tables together. Seen as soon as one of them was read;
 * `complete` only when all three were, because a drop in any of them drops.
 */
export function rulesetsOf(net: NamespaceFacts): Observed<NetfilterRuleset[]> {
  const [iptables, legacy, nft] = [net.iptables(), net.iptablesLegacy(), net.nft()];
  const xt = [iptables, legacy].flatMap((item) => (item.state === 'seen' ? [item.value] : []));
  const native = nft.state === 'seen' ? [withoutTablesOf(nft.value, iptables.state === 'seen' ? [iptables.value] : [])] : [];
  const all = [...xt, ...native];
  if (all.length === 0)
    return unknown(
      iptables.state === 'unknown' ? iptables.reason : 'not-collected',
      iptables.state === 'unknown' ? iptables.detail : 'no rules were read',
    );
  return seen(
    all,
    net.prefix,
    [iptables, legacy, nft].every((item) => item.state === 'seen' && item.complete),
  );
}

/** All IPv6 rules: ip6tables-save, and the native tables of nft; the legacy backend's are not read. */
export function rulesets6Of(net: NamespaceFacts): Observed<NetfilterRuleset[]> {
  const [saved, nft] = [net.ip6tables(), net.nft()];
  if (saved.state !== 'seen') return saved;
  const native = nft.state === 'seen' ? [withoutTablesOf(nft.value, [saved.value])] : [];
  return seen([saved.value, ...native], saved.from, saved.complete && nft.state === 'seen' && nft.complete);
}

/** Snapshot key of the output that a decision stands in. */
export function entryOfDecision(net: NamespaceFacts, { source, family }: Decision): string {
  if (source === 'nft') return `${net.prefix}/nft`;
  if (source === 'iptables-legacy') return `${net.prefix}/iptables-legacy-save`;
  return `${net.prefix}/${family === 'ip6' ? 'ip6tables-save' : 'iptables-save'}`;
}

export interface Flow {
  source: string;
  destination: string;
  protocol: 'tcp' | 'udp' | 'sctp' | 'icmp';
  sourcePort?: number;
  destinationPort?: number;
}

const ephemeralPort = 45_678;

export function packetOf(flow: Flow, devices: { in?: string | undefined; out?: string | undefined }): Packet {
  const ports =
    flow.protocol === 'icmp'
      ? { icmpType: 8, icmpCode: 0 }
      : {
          sourcePort: flow.sourcePort ?? ephemeralPort,
          ...(flow.destinationPort === undefined ? {} : { destinationPort: flow.destinationPort }),
        };
  return newConnection({
    family: 'ip',
    source: flow.source,
    destination: flow.destination,
    protocol: flow.protocol,
    ...ports,
    ...(devices.in === undefined ? {} : { inInterface: devices.in }),
    ...(devices.out === undefined ? {} : { outInterface: devices.out }),
    length: 60,
    ttl: 64,
    fragment: false,
  });
}

/** The same packet as the answer to a connection that conntrack knows. */
export const asReply = (packet: Packet): Packet => ({
  ...packet,
  ...(packet.protocol === 'tcp' ? { tcpFlags: ['SYN', 'ACK'] } : {}),
  ...(packet.protocol === 'icmp' ? { icmpType: 0 } : {}),
  conntrack: {
    ...packet.conntrack,
    state: 'established',
    direction: 'reply',
    status: ['seen-reply', 'confirmed'],
    natSettled: ['source', 'destination'],
    original: { source: packet.destination, destination: packet.source },
  },
});

export function contextOf(net: NamespaceFacts): WalkContext {
  const addresses = net.addresses();
  return {
    recentListsEmpty: true,
    ...(addresses.state === 'seen'
      ? {
          localAddresses: addresses.value
            .flatMap((link) => link.addresses.map((address) => address.address))
            .flatMap((text) => plain(text)),
        }
      : {}),
  };
}

const plain = (address: unknown): string[] => (typeof address === 'string' ? [address.split('/')[0] as string] : []);

/** The main-table route for an address, by longest prefix (and the first of equal ones); null when there is none. Unknown when other tables may decide. */
export function routeFor(net: NamespaceFacts, address: string): Observed<Route | null> {
  const routes = net.routes();
  if (routes.state !== 'seen') return routes;
  const parsed = parseAddress(address);
  if (!parsed) return unknown('unparsed', `${address} is no address`);
  const candidates = routes.value
    .filter(
      (route) =>
        (route.table === undefined || route.table === 'main' || route.table === 'local') &&
        (route.family ?? 4) === 4 &&
        (route.dst === 'default' || routeCovers(route, parsed) === true) &&
        route.type !== 'broadcast' &&
        route.type !== 'multicast',
    )
    .sort((a, b) => prefixLength(b) - prefixLength(a) || (a.metric ?? 0) - (b.metric ?? 0));
  return seen(candidates[0] ?? null, routes.from, routes.complete);
}

const prefixLength = (route: Route): number => (route.dst === 'default' ? 0 : (route.destination?.length ?? 0));

export const deviceFor = (net: NamespaceFacts, address: string): string | undefined => {
  const route = routeFor(net, address);
  return route.state === 'seen' ? (route.value?.dev ?? route.value?.nexthops[0]?.dev) : undefined;
};

/**
 * A packet that a node routes from one pod to another, through PREROUTING, FORWARD and POSTROUTING; devices by the node's own routes.
 * With `nat: false` the nat tables are left out: what filters would do to the packet as it is.
 */
export function walkForwarded(net: NamespaceFacts, rulesets: readonly NetfilterRuleset[], flow: Flow, reply = false): Outcome[] {
  const devices = { in: deviceFor(net, flow.source), out: deviceFor(net, flow.destination) };
  const packet = packetOf(flow, devices);
  return evaluateHooks(rulesets, ['prerouting', 'forward', 'postrouting'], reply ? asReply(packet) : packet, contextOf(net), (next) => {
    const out = deviceFor(net, next.destination);
    return { ...next, ...(out === undefined ? {} : { outInterface: out }) };
  });
}

/** One hook alone. */
export const walkHook = (net: NamespaceFacts, rulesets: readonly NetfilterRuleset[], hook: Hook, packet: Packet): Outcome[] =>
  evaluateHook(rulesets, hook, packet, contextOf(net));

/** The rule that surely stops a packet: all outcomes are drop or reject. A matter of chance or doubt is none. */
export function stopOf(outcomes: readonly Outcome[]): { outcome: Outcome; decision: Decision } | null {
  const stopped = outcomes.filter((outcome) => outcome.verdict === 'drop' || outcome.verdict === 'reject');
  const first = stopped[0];
  if (!first?.decidedBy || stopped.length !== outcomes.length || outcomes.length === 0) return null;
  return { outcome: first, decision: first.decidedBy };
}
