import type { Chain } from '../../model/netfilter.ts';
import { chainNamed } from './lookup.ts';
import { mergeStates } from './merge.ts';
import { runRule } from './rule.ts';
import { isForOthers, rulesFor } from './rule-index.ts';
import type { ChainWalk, Jump } from './run.ts';
import type { Decision, Ended, Place, State, Step, WalkContext } from './types.ts';

/** Deeper than the kernel lets jumps nest (16 in nf_tables); a ruleset that gets here is broken. */
const deepestJump = 32;

/**
 * Sends states through the rules of a chain, all at once: states that become equal again after a rule are joined, so that rules that can't
 * be told do not multiply the work. Of long chains only the rules that an index does not rule out are looked at.
 *
 * Gives the states that come back to the caller; those that end are added to `ended`.
 */
export function evaluateChain(place: Place, chain: Chain, states: State[], context: WalkContext, ended: Ended[], depth = 0): State[] {
  const walk: ChainWalk = { place, chain, context, depth, next: states, returned: [], ended, enter };
  let current = states;
  let plan = rulesFor(chain, states, 0);
  for (let at = 0; at < plan.rules.length && current.length > 0; at++) {
    const position = plan.rules[at] ?? 0;
    const rule = chain.rules[position];
    if (rule === undefined) break;
    const next = runRule(walk, rule, current);
    if (next === current) continue;
    current = mergeStates(next);
    if (isForOthers(plan, current)) {
      plan = rulesFor(chain, current, position + 1);
      at = -1;
    }
  }
  if (!place.table.closed) ended.push(...current.map((state) => cutOff(place, chain, state)));
  else if (walk.returned.length === 0) return mergeStates(current);
  else walk.returned.push(...current);
  return mergeStates(walk.returned);
}

/** The output ends inside this table: rules of this chain may be missing, so that nothing can be said of what comes after the last one. */
function cutOff(place: Place, chain: Chain, state: State): Ended {
  const decision: Decision = {
    by: 'end-of-output',
    source: place.ruleset.source,
    family: place.table.family,
    table: place.table.name,
    chain: chain.name,
    line: chain.line,
    text: `${place.table.name} ${chain.name}`,
  };
  return { verdict: 'insufficient-info', state, decision, why: `the output ends inside table ${place.table.name}: rules may be missing` };
}

function enter({ place, context, depth, next, returned, ended }: ChainWalk, { kind, chain }: Jump, state: State, decision: Step): void {
  const target = chainNamed(place.table, chain);
  if (target !== undefined && depth < deepestJump) {
    const goesOn = kind === 'jump' ? next : returned;
    for (const back of evaluateChain(place, target, [state], context, ended, depth + 1)) goesOn.push(back);
    return;
  }
  const why = target === undefined ? `chain ${chain} is not in the output` : 'jumps are nested too deeply';
  ended.push({ verdict: 'insufficient-info', state, decision, why });
}
