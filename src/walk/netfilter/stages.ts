import type { Hook, NetfilterRuleset } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import { chainsAt, type HookedChain, seesFamily } from './lookup.ts';
import type { Place } from './types.ts';

/** A base chain with everything that its rules are evaluated in. */
export interface Base extends HookedChain {
  place: Place;
}

/**
 * Base chains of one priority. `orders` holds every order in which the kernel may call them: one where the outputs tell it, several where they
 * don't (legacy tables beside those of nf_tables).
 */
export interface Stage {
  priority: number;
  isNat: boolean;
  orders: readonly (readonly Base[])[];
}

const cache = new WeakMap<readonly NetfilterRuleset[], Map<string, readonly Stage[]>>();

/** More orders than this are not tried. */
const mostOrders = 24;

/**
 * The base chains that see a packet at a hook, by priority. All nat chains are called from one hook at priority -100 or 100 (nf_nat_proto.c). Among
 * equal priorities the chain that was registered last is called first (nf_hook_entries_grow in net/netfilter/core.c; tried on Linux 6.18);
 * `nft list ruleset` prints tables and chains in the order in which they were made.
 */
export function stagesAt(rulesets: readonly NetfilterRuleset[], hook: Hook, packet: Packet): readonly Stage[] {
  const device = hook === 'ingress' ? packet.inInterface : hook === 'egress' ? packet.outInterface : '';
  const key = `${hook} ${packet.family} ${device}`;
  const known = cache.get(rulesets) ?? new Map<string, readonly Stage[]>();
  cache.set(rulesets, known);
  let stages = known.get(key);
  if (stages === undefined) {
    stages = sortedStages(basesAt(rulesets, hook, packet.family, device), rulesets);
    known.set(key, stages);
  }
  return stages;
}

/** Which end of a packet the nat chains of a hook translate. */
export const natEnd = (hook: Hook): 'source' | 'destination' => (hook === 'prerouting' || hook === 'output' ? 'destination' : 'source');

export const natPriority = (hook: Hook): number => (natEnd(hook) === 'destination' ? -100 : 100);

function basesAt(rulesets: readonly NetfilterRuleset[], hook: Hook, family: 'ip' | 'ip6', device: string | undefined): Base[] {
  return rulesets.flatMap((ruleset) =>
    chainsAt(ruleset, hook).flatMap((hooked): Base[] => {
      const { base, table } = hooked;
      const onDevice = hook === 'ingress' || hook === 'egress';
      const sees = onDevice
        ? (table.family === 'netdev' || table.family === 'inet') && device !== undefined && base.devices.includes(device)
        : seesFamily(table.family, family);
      return sees ? [{ ...hooked, place: { ruleset, table, hook } }] : [];
    }),
  );
}

function sortedStages(bases: readonly Base[], rulesets: readonly NetfilterRuleset[]): Stage[] {
  const stages = new Map<string, { priority: number; isNat: boolean; bases: Base[] }>();
  for (const base of bases) {
    const isNat = base.base.type === 'nat';
    const priority = isNat ? natPriority(base.place.hook) : base.base.priority;
    const stage = stages.get(`${priority} ${isNat}`) ?? { priority, isNat, bases: [] };
    stage.bases.push(base);
    stages.set(`${priority} ${isNat}`, stage);
  }
  return [...stages.values()]
    .sort((a, b) => a.priority - b.priority)
    .map(({ priority, isNat, bases: own }) => ({ priority, isNat, orders: ordersOf(own, rulesets) }));
}

/** nat chains keep the priorities that they were given among themselves. */
function ordersOf(bases: readonly Base[], rulesets: readonly NetfilterRuleset[]): Base[][] {
  const priorities = [...new Set(bases.map(({ base }) => base.priority))].sort((a, b) => a - b);
  let orders: Base[][] = [[]];
  for (const priority of priorities) {
    const tails = ordersOfEqual(
      bases.filter(({ base }) => base.priority === priority),
      rulesets,
    );
    orders = orders.flatMap((order) => tails.map((tail) => [...order, ...tail])).slice(0, mostOrders);
  }
  return orders;
}

function ordersOfEqual(bases: readonly Base[], rulesets: readonly NetfilterRuleset[]): Base[][] {
  const idle = bases.filter(isIdle);
  const busy = bases.filter((base) => !isIdle(base));
  const order = rulesets.find((ruleset) => ruleset.baseChainOrder !== undefined)?.baseChainOrder;
  const sequences = new Map<unknown, Base[]>();
  for (const base of busy) {
    const registry = registryOf(base, order);
    sequences.set(registry, [...(sequences.get(registry) ?? []), base]);
  }
  const [first = [], ...others] = [...sequences.values()].map((sequence) => lastMadeFirst(sequence, order));
  let orders: Base[][] = [first];
  for (const base of others.flat()) orders = orders.flatMap((known) => insertions(known, base)).slice(0, mostOrders);
  return orders.map((known) => [...known, ...idle]);
}

/** A chain that does nothing, wherever it stands. */
const isIdle = ({ chain, base, table }: Base): boolean => chain.rules.length === 0 && base.policy === 'accept' && table.closed;

/** What shows the order of a chain: the listing of nf_tables, for the tables that it names, or else nothing but the own output. */
const registryOf = (base: Base, order: readonly string[] | undefined): unknown =>
  base.place.ruleset.source !== 'iptables-legacy' && order?.includes(nameOf(base)) === true ? order : base.place.ruleset;

const nameOf = ({ table, chain }: Base): string => `${table.family} ${table.name} ${chain.name}`;

function lastMadeFirst(bases: readonly Base[], order: readonly string[] | undefined): Base[] {
  const rank = (base: Base): number => order?.indexOf(nameOf(base)) ?? -1;
  return bases.toReversed().sort((a, b) => rank(b) - rank(a));
}

const insertions = (bases: readonly Base[], added: Base): Base[][] =>
  Array.from({ length: bases.length + 1 }, (_, at) => [...bases.slice(0, at), added, ...bases.slice(at)]);
