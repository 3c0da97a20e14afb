import type { NetfilterRuleset } from '../../model/netfilter.ts';
import { isTracked } from './conntrack.ts';
import { chainsAt, seesFamily } from './lookup.ts';
import { type Ended, type State, stepOfRule, type WalkContext } from './types.ts';

/**
 * A later packet of a connection that was masqueraded for one device and now leaves by another is dropped at POSTROUTING, and its connection is
 * forgotten (nf_nat_oif_changed in net/netfilter/nf_nat_core.c). The table of connections does not show which were masqueraded: of one that has
 * the address of another device of this station it can't be told where a rule masquerades. Undefined: it goes on.
 */
export function leavesByAnother(rulesets: readonly NetfilterRuleset[], state: State, context: WalkContext): Ended | undefined {
  const { packet } = state;
  const { outInterface, conntrack } = packet;
  const { reply, direction, masqueradedBy } = conntrack;
  if (!isTracked(packet) || conntrack.state === 'related' || reply === undefined || direction === 'reply') return undefined;
  if (masqueradedBy === null || masqueradedBy === outInterface || outInterface === undefined) return undefined;
  const rule = masqueradeOf(rulesets, packet.family);
  if (rule === undefined) return undefined;
  const end = { state, decision: rule };
  if (masqueradedBy !== undefined) return { ...end, verdict: 'drop' };
  const isOther = context.masqueradeAddress?.(outInterface, packet) !== reply.destination;
  const mayBe = conntrack.status.includes('snat') && isOther && context.localAddresses?.includes(reply.destination) !== false;
  const why = `whether its connection was masqueraded for another device than ${outInterface}, and ends here, no output shows`;
  return mayBe ? { ...end, verdict: 'insufficient-info', why } : undefined;
}

const found = new WeakMap<readonly NetfilterRuleset[], Map<string, Ended['decision'] | undefined>>();

/** The first rule that masquerades a family. */
function masqueradeOf(rulesets: readonly NetfilterRuleset[], family: 'ip' | 'ip6'): Ended['decision'] | undefined {
  const known = found.get(rulesets) ?? new Map<string, Ended['decision'] | undefined>();
  found.set(rulesets, known);
  if (!known.has(family)) known.set(family, search(rulesets, family));
  return known.get(family);
}

function search(rulesets: readonly NetfilterRuleset[], family: 'ip' | 'ip6'): Ended['decision'] | undefined {
  for (const ruleset of rulesets) {
    const tables = new Set(chainsAt(ruleset, 'postrouting').flatMap(({ table }) => (seesFamily(table.family, family) ? [table] : [])));
    for (const table of tables)
      for (const chain of table.chains) {
        const rule = chain.rules.find(({ statements }) => statements.some(({ kind }) => kind === 'masquerade'));
        if (rule) return stepOfRule({ ruleset, table, hook: 'postrouting' }, chain, rule);
      }
  }
  return undefined;
}
