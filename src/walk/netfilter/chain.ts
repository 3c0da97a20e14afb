import type { Chain, Rule } from '../../model/netfilter.ts';
import { chainNamed } from './lookup.ts';
import { mergeStates } from './merge.ts';
import { evaluateRule } from './rule.ts';
import { isForOthers, rulesFor } from './rule-index.ts';
import type { RuleResult } from './run.ts';
import type { Decision, Ended, Place, State, WalkContext } from './types.ts';

/** What became of the states that entered a chain: those that came back to the caller, and those that ended. */
export interface ChainResult {
  returned: State[];
  ended: Ended[];
}

/** Deeper than the kernel lets jumps nest (16 in nf_tables); a ruleset that gets here is broken. */
const deepestJump = 32;

/**
 * Sends states through the rules of a chain, all at once: states that become equal again after a rule are joined, so that rules that can't
 * be told do not multiply the work. Of long chains only the rules that an index does not rule out are looked at.
 */
export function evaluateChain(place: Place, chain: Chain, states: State[], context: WalkContext, depth = 0): ChainResult {
  const result: ChainResult = { returned: [], ended: [] };
  let current = states;
  let plan = rulesFor(chain, states, 0);
  for (let at = 0; at < plan.rules.length && current.length > 0; at++) {
    const position = plan.rules[at] ?? 0;
    const rule = chain.rules[position];
    if (rule === undefined) break;
    current = mergeStates(runRule(place, chain, rule, current, context, depth, result));
    if (isForOthers(plan, current)) {
      plan = rulesFor(chain, current, position + 1);
      at = -1;
    }
  }
  if (place.table.closed) result.returned.push(...current);
  else result.ended.push(...current.map((state) => cutOff(place, chain, state)));
  return { returned: mergeStates(result.returned), ended: result.ended };
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

function runRule(
  place: Place,
  chain: Chain,
  rule: Rule,
  states: State[],
  context: WalkContext,
  depth: number,
  result: ChainResult,
): State[] {
  const next: State[] = [];
  for (const state of states) {
    for (const outcome of evaluateRule(place, chain, rule, state, context)) {
      follow(place, outcome, context, depth, result, next);
    }
  }
  return next;
}

function follow(place: Place, outcome: RuleResult, context: WalkContext, depth: number, result: ChainResult, next: State[]): void {
  if (outcome.flow === 'next') next.push(outcome.state);
  else if (outcome.flow === 'return') result.returned.push(outcome.state);
  else if (outcome.flow === 'end') result.ended.push(outcome.ended);
  else if (outcome.flow === 'jump' || outcome.flow === 'goto') {
    const inner = enter(place, outcome, context, depth);
    result.ended.push(...inner.ended);
    if (outcome.flow === 'jump') next.push(...inner.returned);
    else result.returned.push(...inner.returned);
  }
}

function enter(place: Place, outcome: Extract<RuleResult, { flow: 'jump' | 'goto' }>, context: WalkContext, depth: number): ChainResult {
  const target = chainNamed(place.table, outcome.chain);
  const why = target === undefined ? `chain ${outcome.chain} is not in the output` : 'jumps are nested too deeply';
  if (target === undefined || depth >= deepestJump) {
    return { returned: [], ended: [{ verdict: 'insufficient-info', state: outcome.state, decision: outcome.decision, why }] };
  }
  return evaluateChain(place, target, [outcome.state], context, depth + 1);
}
