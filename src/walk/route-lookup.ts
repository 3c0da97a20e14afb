import type { NamespaceFacts } from '../facts/node-facts.ts';
import { type Cidr, cidrContains, type IpAddress, parseAddress, parseCidr } from '../model/ip.ts';
import { type Observed, seen, unknown } from '../model/observed.ts';
import { type Route, type Rule, routeCovers, waysOut } from '../model/route.ts';

/** A packet as the routing of one namespace sees it; without `iif` it is the namespace's own. */
export interface RouteQuery {
  to: string;
  from?: string | undefined;
  iif?: string | undefined;
}

/** What a namespace does with a destination: a route, a rule that refuses, or neither (`Network is unreachable`). */
export interface RouteDecision {
  route: Route | null;
  /** Set when a rule (`unreachable`, `prohibit`, `blackhole`) and no route decided. */
  refusedBy: Rule | null;
  /** Device of the first way out; undefined where the output does not show it (a nexthop object). */
  dev: string | undefined;
  /** Gateway of the first way out; undefined for a destination on the link. */
  via: string | undefined;
}

/**
 * The route that an IPv4 packet takes, by the rules and all tables of the namespace: rules in the order of their priority, longest prefix and
 * then lowest metric in each table, `throw` goes on with the next rule (ip-rule(8), ip-route(8)).
 *
 * `complete` is false when a rule before the answer looks at something that is not known here (marks, ports, users), when rules or routes were
 * not read whole, or when no rules were read at all (then the three default rules are taken). Unknown when there are no routes to look at.
 */
export function lookupRoute(net: NamespaceFacts, query: RouteQuery): Observed<RouteDecision> {
  const routes = net.routes();
  if (routes.state !== 'seen') return routes;
  const to = parseAddress(query.to);
  if (to?.family !== 4) return unknown('unsupported', `${query.to} is no IPv4 address`);
  const read = net.rules();
  const rules = read.state === 'seen' ? [...read.value].sort((a, b) => a.priority - b.priority) : defaultRules;
  let sure = routes.complete && read.state === 'seen' && read.complete;
  for (const rule of rules) {
    const applies = ruleApplies(rule, query, to);
    if (applies === 'no') continue;
    if (applies === 'cannot-tell') {
      sure = false;
      continue;
    }
    const { action } = rule;
    if (action.kind === 'blackhole' || action.kind === 'prohibit' || action.kind === 'unreachable')
      return seen({ route: null, refusedBy: rule, dev: undefined, via: undefined }, routes.from, sure);
    if (action.kind !== 'lookup') {
      if (action.kind !== 'nop') sure = false;
      continue;
    }
    const route = bestIn(routes.value, action.table, to, rule.suppressPrefixLength);
    if (route && route.type !== 'throw') return seen(decisionOf(route), routes.from, sure);
  }
  return seen({ route: null, refusedBy: null, dev: undefined, via: undefined }, routes.from, sure);
}

export const isDefault = (route: Route): boolean => (route.destination?.length ?? 0) === 0;

const decisionOf = (route: Route): RouteDecision => {
  const [way] = waysOut(route) ?? [];
  return { route, refusedBy: null, dev: way?.dev, via: way?.via };
};

const tableRule = (priority: number, table: string): Rule => ({
  line: 0,
  text: `from all lookup ${table}`,
  priority,
  not: false,
  from: 'all',
  to: 'all',
  other: {},
  action: { kind: 'lookup', table },
});
const defaultRules: readonly Rule[] = [tableRule(0, 'local'), tableRule(32766, 'main'), tableRule(32767, 'default')];

function ruleApplies(rule: Rule, query: RouteQuery, to: IpAddress): 'yes' | 'no' | 'cannot-tell' {
  const from = query.from === undefined ? undefined : parseAddress(query.from);
  const parts = [inPrefix(rule.from, from), inPrefix(rule.to, to), interfaceIs(rule, query), markIs(rule)];
  const hidden =
    [rule.oif, rule.tos, rule.ipproto, rule.sport, rule.dport, rule.uidrange].some((field) => field !== undefined) ||
    rule.action.kind === 'l3mdev';
  const all = parts.includes('no') ? 'no' : parts.includes('cannot-tell') || hidden ? 'cannot-tell' : 'yes';
  if (!rule.not || all === 'cannot-tell') return all;
  return all === 'yes' ? 'no' : 'yes';
}

function inPrefix(prefix: string, address: IpAddress | undefined): 'yes' | 'no' | 'cannot-tell' {
  if (prefix === 'all') return 'yes';
  const cidr: Cidr | undefined = parseCidr(prefix);
  if (!cidr || !address) return 'cannot-tell';
  return cidrContains(cidr, address) ? 'yes' : 'no';
}

function interfaceIs(rule: Rule, query: RouteQuery): 'yes' | 'no' {
  if (rule.iif === undefined) return 'yes';
  if (rule.iifDetached) return 'no';
  return rule.iif === (query.iif ?? 'lo') ? 'yes' : 'no';
}

/** A packet may have been given a mark on its way, so that only a rule for unmarked packets is surely met. */
const markIs = (rule: Rule): 'yes' | 'cannot-tell' =>
  rule.fwmark === undefined || (rule.fwmark.value & rule.fwmark.mask) === 0 ? 'yes' : 'cannot-tell';

const tableOf = (route: Route): string => route.table ?? 'main';
const tableNames: Readonly<Record<string, string>> = { '255': 'local', '254': 'main', '253': 'default' };

function bestIn(routes: readonly Route[], table: string, to: IpAddress, suppressed: number | undefined): Route | undefined {
  const wanted = tableNames[table] ?? table;
  const length = (route: Route): number => route.destination?.length ?? 0;
  return routes
    .filter(
      (route) =>
        (tableNames[tableOf(route)] ?? tableOf(route)) === wanted &&
        (route.family ?? 4) === 4 &&
        routeCovers({ ...route, family: 4 }, to) !== false &&
        (suppressed === undefined || length(route) > suppressed),
    )
    .filter((route) => !(waysOut(route) ?? []).some((way) => way.flags.includes('dead')))
    .sort((a, b) => length(b) - length(a) || (a.metric ?? 0) - (b.metric ?? 0))[0];
}
