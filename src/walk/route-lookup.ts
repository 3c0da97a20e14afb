import type { NamespaceFacts } from '../facts/node-facts.ts';
import { type Cidr, cidrContains, type IpAddress, parseAddress, parseCidr } from '../model/ip.ts';
import { type Observed, seen, unknown } from '../model/observed.ts';
import { type Nexthop, type Route, type Rule, routeCovers, waysOut } from '../model/route.ts';

/** A packet as the routing of one namespace sees it; without `iif` it is the namespace's own. What is left out is not known. */
export interface RouteQuery {
  to: string;
  from?: string | undefined;
  iif?: string | undefined;
  /** Device that a packet of the namespace's own is bound to. */
  oif?: string | undefined;
  mark?: number | undefined;
  protocol?: string | undefined;
  sourcePort?: number | undefined;
  destinationPort?: number | undefined;
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
  /** All ways out that are not dead; undefined where the output hides them. */
  ways: Nexthop[] | undefined;
  /** The first rule of which it can't be told whether it applies; with it the answer is not complete. */
  doubt: Rule | undefined;
}

/**
 * The route that a packet takes, by the rules and all tables of the namespace: rules in the order of their priority, longest prefix and
 * then lowest metric in each table, `throw` goes on with the next rule (ip-rule(8), ip-route(8)).
 *
 * `complete` is false when a rule before the answer looks at something that is not known here (marks, ports, users), when rules or routes were
 * not read whole, or when no rules were read at all (then the default rules are taken; IPv6 has rules of its own, `ip -6 rule`). Unknown when
 * there are no routes to look at.
 */
export function lookupRoute(net: NamespaceFacts, query: RouteQuery): Observed<RouteDecision> {
  const routes = net.routes();
  if (routes.state !== 'seen') return routes;
  const to = parseAddress(query.to);
  if (to === undefined) return unknown('unsupported', `${query.to} is no address`);
  const read = to.family === 4 ? net.rules() : net.rules6();
  const rules = read.state === 'seen' ? [...read.value].sort((a, b) => a.priority - b.priority) : defaultRules;
  const sure = routes.complete && read.state === 'seen' && read.complete;
  let doubt: Rule | undefined;
  let from = Number.NEGATIVE_INFINITY;
  const answer = (decision: Omit<RouteDecision, 'doubt'>) => seen({ ...decision, doubt }, routes.from, sure && doubt === undefined);
  for (const rule of rules) {
    if (rule.priority < from) continue;
    const applies = ruleApplies(rule, query, to);
    if (applies === 'no') continue;
    const { action } = rule;
    if (applies === 'cannot-tell') {
      // Where its table has no route for the destination it makes no difference whether the rule applies.
      const found = action.kind === 'lookup' && bestIn(routes.value, action.table, to, query.oif, rule.suppressPrefixLength);
      if (action.kind !== 'nop' && (action.kind !== 'lookup' || (found && found.type !== 'throw'))) doubt ??= rule;
      continue;
    }
    if (action.kind === 'blackhole' || action.kind === 'prohibit' || action.kind === 'unreachable')
      return answer({ ...noRoute, refusedBy: rule });
    // fib_rules_lookup: goes on with the first rule of that priority.
    if (action.kind === 'goto' && action.priority !== undefined && !action.unresolved) from = action.priority;
    if (action.kind === 'l3mdev') doubt ??= rule;
    if (action.kind !== 'lookup') continue;
    const route = bestIn(routes.value, action.table, to, query.oif, rule.suppressPrefixLength);
    if (route && route.type !== 'throw') return answer(decisionOf(route));
  }
  return answer(noRoute);
}

const noRoute: Omit<RouteDecision, 'doubt'> = { route: null, refusedBy: null, dev: undefined, via: undefined, ways: [] };

export const isDefault = (route: Route): boolean => (route.destination?.length ?? 0) === 0;

const decisionOf = (route: Route): Omit<RouteDecision, 'doubt'> => {
  const ways = waysOut(route)?.filter((way) => !way.flags.includes('dead'));
  const [way] = ways ?? [];
  return { route, refusedBy: null, dev: way?.dev, via: way?.via, ways };
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

function ruleApplies(rule: Rule, query: RouteQuery, to: IpAddress): Tristate {
  const from = query.from === undefined ? undefined : parseAddress(query.from);
  const parts = [
    inPrefix(rule.from, from),
    inPrefix(rule.to, to),
    interfaceIs(rule, query),
    markIs(rule, query.mark),
    wordIs(rule.ipproto, query.protocol),
    portIs(rule.sport, query.sourcePort),
    portIs(rule.dport, query.destinationPort),
  ];
  const hidden = rule.tos !== undefined || rule.uidrange !== undefined || Object.keys(rule.other).length > 0;
  const all = parts.includes('no') ? 'no' : parts.includes('cannot-tell') || hidden ? 'cannot-tell' : 'yes';
  if (!rule.not || all === 'cannot-tell') return all;
  return all === 'yes' ? 'no' : 'yes';
}

type Tristate = 'yes' | 'no' | 'cannot-tell';
const yesIf = (holds: boolean): Tristate => (holds ? 'yes' : 'no');

function inPrefix(prefix: string, address: IpAddress | undefined): Tristate {
  if (prefix === 'all') return 'yes';
  const cidr: Cidr | undefined = parseCidr(prefix);
  if (!cidr || !address) return 'cannot-tell';
  return yesIf(cidrContains(cidr, address));
}

function interfaceIs(rule: Rule, query: RouteQuery): Tristate {
  const comesIn = rule.iif === undefined || (!rule.iifDetached && rule.iif === (query.iif ?? 'lo'));
  const goesOut = rule.oif === undefined || (!rule.oifDetached && rule.oif === query.oif);
  return yesIf(comesIn && goesOut);
}

function wordIs(wanted: string | undefined, word: string | undefined): Tristate {
  if (wanted === undefined) return 'yes';
  return word === undefined ? 'cannot-tell' : yesIf(wanted === word);
}

/** `80` or `8000-8080`. */
function portIs(wanted: string | undefined, port: number | undefined): Tristate {
  if (wanted === undefined) return 'yes';
  const [first, last] = wanted.split('-').map(Number);
  if (port === undefined || first === undefined || Number.isNaN(first)) return 'cannot-tell';
  return yesIf(port >= first && port <= (last ?? first));
}

/** Where the mark is not known it may be any, so that only a rule for unmarked packets is surely met. */
const markIs = ({ fwmark }: Rule, mark: number | undefined): Tristate => {
  if (fwmark === undefined) return 'yes';
  if (mark !== undefined) return yesIf(((mark ^ fwmark.value) & fwmark.mask) === 0);
  return (fwmark.value & fwmark.mask) === 0 ? 'yes' : 'cannot-tell';
};

const tableOf = (route: Route): string => route.table ?? 'main';
const tableNames: Readonly<Record<string, string>> = { '255': 'local', '254': 'main', '253': 'default' };

function bestIn(
  routes: readonly Route[],
  table: string,
  to: IpAddress,
  oif: string | undefined,
  suppressed: number | undefined,
): Route | undefined {
  const wanted = tableNames[table] ?? table;
  const length = (route: Route): number => route.destination?.length ?? 0;
  return routes
    .filter(
      (route) =>
        (tableNames[tableOf(route)] ?? tableOf(route)) === wanted &&
        (route.family ?? to.family) === to.family &&
        routeCovers({ ...route, family: to.family }, to) !== false &&
        (suppressed === undefined || length(route) > suppressed),
    )
    .filter((route) => isAlive(route) && (oif === undefined || (waysOut(route) ?? []).some((way) => way.dev === oif)))
    .sort((a, b) => length(b) - length(a) || (a.metric ?? 0) - (b.metric ?? 0))[0];
}

const isAlive = (route: Route): boolean => {
  const ways = waysOut(route) ?? [];
  return ways.length === 0 || ways.some((way) => !way.flags.includes('dead'));
};
