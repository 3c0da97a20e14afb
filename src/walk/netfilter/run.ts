import type { Rule } from '../../model/netfilter.ts';
import { type Decision, type Ended, type Place, type State, type Step, type WalkContext, withStep } from './types.ts';

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
  /** The rule, as the step that it is and the decision that may fall at it. */
  decision: Step;
  context: WalkContext;
}

/** Writes the rule down as a step, once. */
export const note = (run: RuleRun, state: State, noted = false): State => (noted ? state : withStep(state, run.decision));
