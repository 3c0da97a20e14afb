import type { Chain, Match, Rule, Statement } from '../../model/netfilter.ts';
import { runAction } from './action.ts';
import { all, type Certainty } from './certainty.ts';
import { evaluateMatch } from './match.ts';
import { note, type RuleResult, type RuleRun } from './run.ts';
import { decisionOfRule, type Place, type State, type WalkContext } from './types.ts';

/** Runs a rule's statements in order. Where it can't be told whether the rule applies, both ways are followed, each under its assumption. */
export function evaluateRule(place: Place, chain: Chain, rule: Rule, state: State, context: WalkContext): RuleResult[] {
  const decision = decisionOfRule(place, chain, rule);
  return runFrom(0, { place, rule, decision, context }, state, false);
}

function runFrom(index: number, run: RuleRun, state: State, noted: boolean): RuleResult[] {
  const statements = run.rule.statements;
  const matches = matchesAt(statements, index);
  const rest = index + matches.length;
  const certainty = all(matches.map((match) => evaluateMatch(match, state, run.context, run.place)));
  if (certainty.is === 'no') return [{ flow: 'next', state }];
  const effects = statements.slice(rest);
  if (effects.length === 0 || (certainty.is !== 'yes' && hasNoEffect(effects))) {
    // Nothing happens to the packet whether or not the rule applies, so that it need not be told.
    return [{ flow: 'next', state: certainty.is === 'yes' ? note(run, state, noted) : state }];
  }
  const [applies, skipped] = split(state, certainty, run);
  // A verdict map that does not hold the key ends the rule as a match that fails does, so that it notes the step itself.
  const entered = effects[0]?.kind === 'verdictMap' ? applies : note(run, applies, noted);
  return [...runActions(rest, run, entered), ...skipped.map((other): RuleResult => ({ flow: 'next', state: other }))];
}

function matchesAt(statements: readonly Statement[], index: number): Match[] {
  const matches: Match[] = [];
  for (let at = index; at < statements.length; at++) {
    const statement = statements[at];
    if (statement?.role !== 'match') break;
    matches.push(statement);
  }
  return matches;
}

const hasNoEffect = (statements: readonly Statement[]): boolean =>
  statements.every((statement) => statement.role === 'match' || statement.kind === 'fallThrough' || statement.kind === 'continue');

/** The state for which the rule applies, and the one for which it does not, if there is one. */
function split(state: State, certainty: Certainty, run: RuleRun): [State, State[]] {
  if (certainty.is === 'random') {
    const { probability } = certainty;
    return [{ ...state, probability: state.probability * probability }, [{ ...state, probability: state.probability * (1 - probability) }]];
  }
  if (certainty.is === 'unknown') {
    const assume = (applies: boolean): State => ({
      ...state,
      assumptions: [...state.assumptions, { decision: run.decision, applies, why: certainty.why }],
    });
    return [assume(true), [assume(false)]];
  }
  return [state, []];
}

function runActions(index: number, run: RuleRun, state: State): RuleResult[] {
  const statement = run.rule.statements[index];
  if (statement === undefined) return [{ flow: 'next', state }];
  if (statement.role === 'match') return runFrom(index, run, state, true);
  return runAction(statement, run, state).flatMap((result): RuleResult[] =>
    result.flow === 'statement' ? runActions(index + 1, run, result.state) : [result],
  );
}
