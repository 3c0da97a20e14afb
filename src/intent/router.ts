import type { NamespaceFacts } from '../facts/node-facts.ts';
import { addressMask, addressValue } from '../model/netfilter-address.ts';
import { type Observed, seen, unknown } from '../model/observed.ts';
import { type Route, waysOut } from '../model/route.ts';
import type { RouteDecision } from '../walk/netfilter/traverse.ts';
import type { Family } from './service-ports.ts';

/** Where a node's routes send an address, without its rules: `sure` is false when rules beyond the default three may send it elsewhere. */
export interface Router {
  to(address: string): RouteDecision;
  sure: boolean;
}

interface Prefix {
  value: bigint;
  mask: bigint;
  decision: RouteDecision;
}

/**
 * The tables local, main and default of a node as one list, longest prefix first (then lowest metric), and each answer kept: a node with
 * thousands of Services is asked for thousands of endpoints. Policy routing plays no part in what kube-proxy's rules translate; where there
 * is any, the device that a packet leaves by is not certain.
 */
export function routerOf(net: NamespaceFacts, family: Family): Observed<Router> {
  const routes = net.routes();
  if (routes.state !== 'seen') return routes.state === 'absent' ? unknown('not-collected', `${net.prefix}/ip-route is not there`) : routes;
  const prefixes = routes.value.flatMap((route) => prefixOf(route, family) ?? []).sort(byLength);
  if (prefixes.length === 0) return unknown('not-collected', `${routes.from} shows no route of ${family === 'ip' ? 'IPv4' : 'IPv6'}`);
  const known = new Map<string, RouteDecision>();
  const rules = net.rules();
  const plain = rules.state === 'seen' && rules.value.every(({ priority }) => [0, 32_766, 32_767].includes(priority));
  return seen(
    {
      sure: routes.complete && plain,
      to: (address) => {
        const existing = known.get(address);
        if (existing !== undefined) return existing;
        const decision = lookUp(prefixes, address);
        known.set(address, decision);
        return decision;
      },
    },
    routes.from,
    routes.complete,
  );
}

function lookUp(prefixes: readonly (Prefix & { length: number })[], address: string): RouteDecision {
  const parsed = addressValue(address);
  const found = parsed && prefixes.find((prefix) => (parsed.value & prefix.mask) === prefix.value);
  return found?.decision ?? { to: 'nowhere' };
}

const tables = new Set(['local', 'main', 'default', '255', '254', '253']);
const byLength = (a: Prefix & { length: number; metric: number }, b: Prefix & { length: number; metric: number }): number =>
  b.length - a.length || a.metric - b.metric;

function prefixOf(route: Route, family: Family): (Prefix & { length: number; metric: number }) | undefined {
  if (!tables.has(route.table ?? 'main') || route.type === 'throw' || route.type === 'broadcast' || route.type === 'multicast')
    return undefined;
  if ((route.family ?? 4) !== (family === 'ip' ? 4 : 6)) return undefined;
  const zero = family === 'ip' ? '0.0.0.0/0' : '::/0';
  const text = route.dst === 'default' ? zero : route.dst;
  const mask = addressMask(text);
  if (mask?.family !== family) return undefined;
  const length = Number(text.split('/')[1] ?? (family === 'ip' ? 32 : 128));
  return { value: mask.value, mask: mask.mask, length, metric: route.metric ?? 0, decision: decisionOf(route) };
}

function decisionOf(route: Route): RouteDecision {
  if (route.type === 'local') return { to: 'local' };
  if (route.type === 'blackhole' || route.type === 'unreachable' || route.type === 'prohibit') return { to: 'nowhere' };
  const [way] = waysOut(route) ?? [];
  return way?.dev === undefined ? { to: 'nowhere' } : { to: 'device', outInterface: way.dev };
}
