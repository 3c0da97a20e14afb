import type { Rule } from '../../model/netfilter.ts';
import type { Decision, Ended, Place, State, WalkContext } from './types.ts';

/** What a rule does with one state: on to the next rule, back to the calling chain, into a chain, or the end. */
export type RuleResult =
  | { flow: 'next'; state: State }
  | { flow: 'return'; state: State }
  | { flow: 'jump'; chain: string; state: State; decision: Decision }
  | { flow: 'goto'; chain: string; state: State; decision: Decision }
  | { flow: 'end'; ended: Ended };

export interface RuleRun {
  place: Place;
  rule: Rule;
  decision: Decision;
  context: WalkContext;
}

/** Writes the rule down as a step, once. */
export function note(run: RuleRun, state: State, noted = false): State {
  if (noted) return state;
  return { ...state, steps: { step: { ...run.decision, hook: run.place.hook }, before: state.steps } };
}
