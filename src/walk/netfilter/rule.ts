import type { Action, Rule, Statement } from '../../model/netfilter.ts';
import { runAction } from './action.ts';
import { assign } from './assign.ts';
import { type Certainty, random, yes } from './certainty.ts';
import { evaluateMatch } from './match.ts';
import { afterRecent } from './recent.ts';
import { type ChainWalk, note, type RuleRun } from './run.ts';
import { copyState, type Place, type State, stepOfRule, type WalkContext } from './types.ts';
import { lookUpVerdict } from './verdict-map.ts';

/**
 * Runs a rule on each state: its statements in order. Where it can't be told whether the rule applies, both ways are followed, each under its
 * assumption. Gives the states that go on to the next rule: the same list where the rule applies to none of them.
 */
export function runRule(walk: ChainWalk, rule: Rule, states: State[]): State[] {
  walk.next = states;
  let run: RuleRun | undefined;
  for (let at = 0; at < states.length; at++) {
    const state = states[at];
    if (state === undefined) break;
    const met = meet(rule.statements, 0, state, walk.place, walk.context);
    if (met !== undefined) {
      if (run === undefined) walk.next = states.slice(0, at);
      run ??= runOf(walk, rule);
      apply(met, run, false);
    } else if (run !== undefined) walk.next.push(state);
  }
  return walk.next;
}

const runOf = (walk: ChainWalk, rule: Rule): RuleRun => {
  const { place, context, chain } = walk;
  return { walk, place, context, rule, decision: stepOfRule(place, chain, rule) };
};

/** What the matches from a place in a rule on come to, and the first statement behind them. */
interface Met {
  certainty: Certainty;
  rest: number;
  state: State;
}

/**
 * The kernel asks one match after the other and stops at the first that fails; only `recent` changes something by being asked. Undefined: the rule
 * does not apply, and the state goes on as it is.
 */
function meet(statements: readonly Statement[], from: number, entered: State, place: Place, context: WalkContext): Met | undefined {
  let state = entered;
  let certainty: Certainty = yes;
  let probability = 1;
  let at = from;
  for (; ; at++) {
    const match = statements[at];
    if (match?.role !== 'match') break;
    const held = evaluateMatch(match, state, context, place);
    if (match.kind === 'recent') state = afterRecent(match, held, certainty.is === 'yes' && probability === 1, state);
    if (held.is === 'no') return state === entered ? undefined : { certainty: held, rest: at, state };
    if (held.is === 'random') probability *= held.probability;
    else if (held.is === 'unknown' && certainty.is === 'yes') certainty = held;
  }
  return { certainty: certainty.is === 'yes' ? random(probability) : certainty, rest: at, state };
}

function apply({ certainty, rest, state }: Met, run: RuleRun, noted: boolean): void {
  const { statements } = run.rule;
  const { next } = run.walk;
  if (certainty.is === 'no') {
    next.push(state);
    return;
  }
  if (rest === statements.length || (certainty.is !== 'yes' && hasNoEffect(statements, rest))) {
    // Nothing happens to the packet whether or not the rule applies, so that it need not be told.
    next.push(certainty.is === 'yes' ? note(run, state, noted) : state);
    return;
  }
  const first = statements[rest];
  // A verdict map that does not hold the key ends the rule as a match that fails does, so that it notes the step itself.
  const isNoted = noted || (first?.role === 'action' && first.kind === 'verdictMap');
  if (certainty.is === 'yes') {
    runFrom(rest, run, note(run, state, isNoted));
    return;
  }
  const applies = under(state, certainty, run, true);
  if (!isNoted) applies.steps = { step: run.decision, before: state.steps };
  runFrom(rest, run, applies);
  next.push(under(state, certainty, run, false));
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

/** Runs the statements from a place on. */
function runFrom(index: number, run: RuleRun, state: State): void {
  const statement = run.rule.statements[index];
  if (statement === undefined) run.walk.next.push(state);
  else if (statement.role === 'action') act(statement, index, run, state);
  else {
    const met = meet(run.rule.statements, index, state, run.place, run.context);
    if (met === undefined) run.walk.next.push(state);
    else apply(met, run, true);
  }
}

/** Runs an action, and where it ends nothing the statements behind it; a random or unknown choice does so for each of its ways. */
function act(action: Action, index: number, run: RuleRun, state: State): void {
  if (action.kind === 'verdictMap') {
    for (const found of lookUpVerdict(action, run, state)) {
      if (found.action === undefined) run.walk.next.push(found.state);
      else act(found.action, index, run, note(run, found.state));
    }
  } else if (action.kind === 'assign') {
    for (const assigned of assign(action, run, state)) {
      if ('breaks' in assigned) run.walk.next.push(assigned.breaks);
      else runFrom(index + 1, run, assigned);
    }
  } else {
    const after = runAction(action, run, state);
    if (after !== undefined) runFrom(index + 1, run, after);
  }
}
