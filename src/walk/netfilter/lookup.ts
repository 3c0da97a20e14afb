import type { BaseChain, Chain, Hook, NamedSet, NetfilterRuleset, Table, TableFamily } from '../../model/netfilter.ts';

/** A chain that a hook calls. */
export interface HookedChain {
  table: Table;
  chain: Chain;
  base: BaseChain;
}

/** Rulesets are never changed once they are parsed, so that what is found in them once is kept as long as they are. */
const chainsByName = new WeakMap<Table, ReadonlyMap<string, Chain>>();
const setsByName = new WeakMap<Table, ReadonlyMap<string, NamedSet>>();
const hookedChains = new WeakMap<NetfilterRuleset, ReadonlyMap<Hook, HookedChain[]>>();

/** The chain of that name, by an index of the table's chains. */
export const chainNamed = (table: Table, name: string): Chain | undefined => remember(chainsByName, table, table.chains).get(name);

/** The set or map of that name, by an index of the table's sets. */
export const setNamed = (table: Table, name: string): NamedSet | undefined => remember(setsByName, table, table.sets).get(name);

/** The base chains of a ruleset at a hook, in the order of the output; dormant tables have none. */
export function chainsAt(ruleset: NetfilterRuleset, hook: Hook): readonly HookedChain[] {
  let byHook = hookedChains.get(ruleset);
  if (byHook === undefined) {
    byHook = hooksOf(ruleset);
    hookedChains.set(ruleset, byHook);
  }
  return byHook.get(hook) ?? [];
}

/** Whether a table of the first family sees packets of the second one. */
export const seesFamily = (table: TableFamily, packet: 'ip' | 'ip6'): boolean => table === packet || table === 'inet';

function hooksOf(ruleset: NetfilterRuleset): Map<Hook, HookedChain[]> {
  const byHook = new Map<Hook, HookedChain[]>();
  for (const table of ruleset.tables) {
    if (table.dormant) continue;
    for (const chain of table.chains) {
      if (chain.base === undefined) continue;
      const known = byHook.get(chain.base.hook) ?? [];
      known.push({ table, chain, base: chain.base });
      byHook.set(chain.base.hook, known);
    }
  }
  return byHook;
}

/** The first of equal names counts, as in a search from the start. */
function remember<T extends { name: string }>(cache: WeakMap<Table, ReadonlyMap<string, T>>, table: Table, items: readonly T[]) {
  let byName = cache.get(table);
  if (byName === undefined) {
    byName = new Map(items.toReversed().map((item) => [item.name, item]));
    cache.set(table, byName);
  }
  return byName;
}
