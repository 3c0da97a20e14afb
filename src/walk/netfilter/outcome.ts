import type { Packet } from '../../model/packet.ts';
import { grouped, joinStates, sameState } from './merge.ts';
import type { Ended, NatChange, Outcome, State, Step, Verdict } from './types.ts';

/**
 * Turns what ended and what passed into outcomes. Ends that hold only under assumptions, where others with another verdict hold under the
 * opposite ones, become one `insufficient-info` outcome.
 */
export function outcomesOf(ended: Ended[], passed: State[]): Outcome[] {
  const outcomes = joined([...ended, ...passed.map((state) => ({ verdict: 'accept' as const, state }))]);
  const uncertain = outcomes.filter((outcome) => outcome.assumptions.length > 0);
  if (uncertain.length === 0 || outcomes.every((outcome) => outcome.verdict === outcomes[0]?.verdict)) return outcomes;
  const definite = outcomes.filter((outcome) => outcome.assumptions.length === 0);
  return [...definite, undecided(uncertain, definite)];
}

/** Of a packet that no chain sees. */
export const passing = (packet: Packet): Outcome => ({ verdict: 'accept', probability: 1, packet, steps: [], assumptions: [] });

/** Whether no chain has seen the packet, so that nothing is to be told of the hook. */
const isPassing = ({ steps, decidedBy, reroutes, assumptions, probability }: Outcome): boolean =>
  steps.length === 0 && decidedBy === undefined && reroutes === undefined && assumptions.length === 0 && probability === 1;

/** One word for all outcomes: `mixed` when the verdict is a matter of chance or of the endpoint. */
export function verdictOf(outcomes: readonly Outcome[]): Verdict | 'mixed' {
  const verdicts = new Set(outcomes.map((outcome) => outcome.verdict));
  if (verdicts.has('insufficient-info')) return 'insufficient-info';
  const [first] = verdicts;
  return first === undefined || verdicts.size > 1 ? 'mixed' : first;
}

type End = Omit<Ended, 'decision'> & { decision?: Ended['decision'] };

const joined = (ends: End[]): Outcome[] =>
  grouped(
    ends,
    (end) => end.state,
    sameEnd,
    (a, b) => ({ ...a, state: joinStates(a.state, b.state) }),
  ).map(outcomeOf);

/** What accepted does not tell two outcomes apart; what refused does. */
const sameEnd = (a: End, b: End): boolean =>
  a.verdict === b.verdict &&
  a.rejectWith === b.rejectWith &&
  a.why === b.why &&
  (a.verdict === 'accept' || JSON.stringify(a.decision) === JSON.stringify(b.decision)) &&
  sameState(a.state, b.state);

function outcomeOf({ verdict, rejectWith, state, decision, why }: End): Outcome {
  const decidedBy = decision ?? state.decidedBy;
  const { probability, packet } = state;
  const outcome: Outcome = { verdict, probability, packet, steps: stepsOf(state), assumptions: state.assumptions };
  if (rejectWith !== undefined) outcome.rejectWith = rejectWith;
  if (decidedBy !== undefined) outcome.decidedBy = decidedBy;
  if (why !== undefined) outcome.why = why;
  return withChanges(outcome, state);
}

interface Changes {
  dnat?: NatChange | undefined;
  snat?: NatChange | undefined;
  masquerade?: NatChange | undefined;
  tproxy?: NatChange | undefined;
  reroutes?: readonly Packet[] | undefined;
}

/** Notes in an outcome what was done to the packet, where it was not done again since. */
function withChanges(outcome: Outcome, { dnat, snat, masquerade, tproxy, reroutes }: Changes): Outcome {
  if (dnat !== undefined) outcome.dnat ??= dnat;
  if (snat !== undefined) outcome.snat ??= snat;
  if (masquerade !== undefined) outcome.masquerade ??= masquerade;
  if (tproxy !== undefined) outcome.tproxy ??= tproxy;
  if (reroutes !== undefined) outcome.reroutes ??= reroutes;
  return outcome;
}

/** What happened at an earlier hook, and then at a later one, as one outcome. */
export function chainOutcomes(earlier: Outcome, later: Outcome): Outcome {
  if (isPassing(earlier)) return later;
  const outcome: Outcome = {
    verdict: later.verdict,
    probability: earlier.probability * later.probability,
    packet: later.packet,
    steps: earlier.steps.length === 0 ? later.steps : earlier.steps.concat(later.steps),
    assumptions: earlier.assumptions.length === 0 ? later.assumptions : [...earlier.assumptions, ...later.assumptions],
  };
  const decidedBy = later.decidedBy ?? earlier.decidedBy;
  if (decidedBy !== undefined) outcome.decidedBy = decidedBy;
  if (later.rejectWith !== undefined) outcome.rejectWith = later.rejectWith;
  if (later.why !== undefined) outcome.why = later.why;
  if (later.possible !== undefined) outcome.possible = later.possible;
  return withChanges(withChanges(outcome, later), earlier);
}

function stepsOf(state: State): Step[] {
  let last = -1;
  for (let at = state.steps; at !== undefined; at = at.before) last += 1;
  const steps = new Array<Step>(last + 1);
  for (let at = state.steps; at !== undefined; at = at.before) steps[last--] = at.step;
  return steps;
}

function undecided(possible: Outcome[], definite: Outcome[]): Outcome {
  const [first] = possible;
  const assumption = first?.assumptions[0];
  const settled = definite.reduce((sum, outcome) => sum + outcome.probability, 0);
  if (first === undefined || assumption === undefined) throw new RangeError('no uncertain outcome');
  return {
    verdict: 'insufficient-info',
    probability: Math.max(0, 1 - settled),
    packet: first.packet,
    steps: first.steps,
    decidedBy: assumption.decision,
    assumptions: [],
    why: assumption.why,
    possible,
  };
}
