import type { Action, Chain, Rule } from '../../model/netfilter.ts';
import { type Ended, type Place, type State, type Step, type WalkContext, withStep } from './types.ts';

/**
 * A chain that is walked. A rule adds each state that leaves it to one of the three lists, in their order: what it would otherwise hand back in
 * lists of its own is most of what a fork into ten endpoints costs.
 */
export interface ChainWalk {
  place: Place;
  chain: Chain;
  context: WalkContext;
  depth: number;
  /** On to the next rule. */
  next: State[];
  /** Back to the calling chain. */
  returned: State[];
  ended: Ended[];
  /** Follows a rule into the chain that it names. */
  enter: (walk: ChainWalk, jump: Jump, state: State, decision: Step) => void;
}

export type Jump = Extract<Action, { kind: 'jump' | 'goto' }>;

/** A rule that applies to a state. */
export interface RuleRun {
  walk: ChainWalk;
  place: Place;
  context: WalkContext;
  rule: Rule;
  /** The rule, as the step that it is and the decision that may fall at it. */
  decision: Step;
}

/** Writes the rule down as a step, once. */
export const note = (run: RuleRun, state: State, noted = false): State => (noted ? state : withStep(state, run.decision));
