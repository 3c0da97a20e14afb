import type { Chain, Rule, Statement } from '../../model/netfilter.ts';
import { runAction } from './action.ts';
import { type Certainty, random, yes } from './certainty.ts';
import { evaluateMatch } from './match.ts';
import { afterRecent } from './recent.ts';
import { note, type RuleResult, type RuleRun } from './run.ts';
import { copyState, type Place, type State, stepOfRule, type WalkContext } from './types.ts';

/**
 * Runs a rule's statements in order. Where it can't be told whether the rule applies, both ways are followed, each under its assumption. No result
 * at all: the rule does not apply, and the state goes on as it is.
 */
export function evaluateRule(place: Place, chain: Chain, rule: Rule, state: State, context: WalkContext): readonly RuleResult[] {
  const met = meet(rule.statements, 0, state, place, context);
  if (met.certainty.is === 'no') return met.state === state ? untouched : [{ flow: 'next', state: met.state }];
  const run: RuleRun = { place, rule, decision: stepOfRule(place, chain, rule), context };
  return apply(met, run, false);
}

const untouched: readonly RuleResult[] = [];

/** What the matches from a place in a rule on come to, and the first statement behind them. */
interface Met {
  certainty: Certainty;
  rest: number;
  state: State;
}

/** The kernel asks one match after the other and stops at the first that fails; only `recent` changes something by being asked. */
function meet(statements: readonly Statement[], from: number, entered: State, place: Place, context: WalkContext): Met {
  let state = entered;
  let certainty: Certainty = yes;
  let probability = 1;
  let at = from;
  for (; ; at++) {
    const match = statements[at];
    if (match?.role !== 'match') break;
    const held = evaluateMatch(match, state, context, place);
    if (match.kind === 'recent') state = afterRecent(match, held, certainty.is === 'yes' && probability === 1, state);
    if (held.is === 'no') return { certainty: held, rest: at, state };
    if (held.is === 'random') probability *= held.probability;
    else if (held.is === 'unknown' && certainty.is === 'yes') certainty = held;
  }
  return { certainty: certainty.is === 'yes' ? random(probability) : certainty, rest: at, state };
}

function apply({ certainty, rest, state }: Met, run: RuleRun, noted: boolean): RuleResult[] {
  if (certainty.is === 'no') return [{ flow: 'next', state }];
  const { statements } = run.rule;
  if (rest === statements.length || (certainty.is !== 'yes' && hasNoEffect(statements, rest))) {
    // Nothing happens to the packet whether or not the rule applies, so that it need not be told.
    return [{ flow: 'next', state: certainty.is === 'yes' ? note(run, state, noted) : state }];
  }
  const first = statements[rest];
  // A verdict map that does not hold the key ends the rule as a match that fails does, so that it notes the step itself.
  const isNoted = noted || (first?.role === 'action' && first.kind === 'verdictMap');
  if (certainty.is === 'yes') return runActions(rest, run, note(run, state, isNoted));
  const applies = under(state, certainty, run, true);
  if (!isNoted) applies.steps = { step: run.decision, before: state.steps };
  const results = runActions(rest, run, applies);
  results.push({ flow: 'next', state: under(state, certainty, run, false) });
  return results;
}

const hasNoEffect = (statements: readonly Statement[], from: number): boolean =>
  statements.every(
    (statement, at) =>
      at < from ||
      (statement.role === 'match'
        ? statement.kind !== 'recent'
        : statement.kind === 'continue' || (statement.kind === 'fallThrough' && !changesLookups(statement.name))),
  );

/** What goes on to the next statement but changes what later rules look up. */
const changesLookups = (name: string): boolean => ['SET', 'set-update', 'TTL', 'HL', 'DSCP', 'TOS', 'ECN'].includes(name);

/** A copy of the state with the share of the packets, or under the assumption, for which the rule applies or does not. */
function under(state: State, certainty: Exclude<Certainty, { is: 'yes' | 'no' }>, { decision }: RuleRun, applies: boolean): State {
  const copy = copyState(state);
  if (certainty.is === 'random') copy.probability *= applies ? certainty.probability : 1 - certainty.probability;
  else copy.assumptions = [...copy.assumptions, { decision, applies, why: certainty.why }];
  return copy;
}

function runActions(index: number, run: RuleRun, state: State): RuleResult[] {
  const statement = run.rule.statements[index];
  if (statement === undefined) return [{ flow: 'next', state }];
  if (statement.role === 'match') return apply(meet(run.rule.statements, index, state, run.place, run.context), run, true);
  const results = runAction(statement, run, state);
  const [only] = results;
  if (results.length === 1 && only !== undefined) return only.flow === 'statement' ? runActions(index + 1, run, only.state) : [only];
  return results.flatMap((result) => (result.flow === 'statement' ? runActions(index + 1, run, result.state) : [result]));
}
