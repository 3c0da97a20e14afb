import type { Assumption, State } from './types.ts';

/**
 * Joins states that can't be told apart any more (same packet, same NAT): probabilities add up; of the steps those of the likelier one stay.
 * Two states that differ only in what was assumed of one rule show that this rule does not matter.
 */
export function mergeStates(states: State[]): State[] {
  if (states.length < 2) return states;
  const merged = new Map<string, State>();
  for (const state of states) {
    const key = stateKey(state);
    const other = merged.get(key);
    merged.set(key, other === undefined ? state : join(other, state));
  }
  return [...merged.values()];
}

/** Everything about a state that later rules or the outcome depend on. */
export const stateKey = (state: State): string => JSON.stringify([state.packet, state.dnat, state.snat, state.masquerade, state.tproxy]);

/** Joins two states of the same key. */
export function join(a: State, b: State): State {
  const { assumptions, exclusive } = joinAssumptions(a.assumptions, b.assumptions);
  const likelier = b.probability > a.probability ? b : a;
  return {
    ...likelier,
    assumptions,
    probability: exclusive ? Math.max(a.probability, b.probability) : Math.min(1, a.probability + b.probability),
  };
}

function joinAssumptions(a: Assumption[], b: Assumption[]): { assumptions: Assumption[]; exclusive: boolean } {
  const [onlyA, onlyB] = [without(a, b), without(b, a)];
  if (onlyA.length === 0 && onlyB.length === 0) return { assumptions: a, exclusive: false };
  const [first, second] = [onlyA[0], onlyB[0]];
  const opposite =
    onlyA.length === 1 && onlyB.length === 1 && first && second && sameRule(first, second) && first.applies !== second.applies;
  if (opposite) return { assumptions: a.filter((assumption) => assumption !== first), exclusive: true };
  // Neither the one nor the other is needed for sure, but nothing shows that the end is reached in any case: it stays uncertain.
  return {
    assumptions: [...a, ...onlyB.filter((assumption) => !a.some((other) => sameRule(other, assumption)))],
    exclusive: isExclusive(a, b),
  };
}

const isExclusive = (a: Assumption[], b: Assumption[]): boolean =>
  a.some((one) => b.some((other) => sameRule(one, other) && one.applies !== other.applies));

const without = (a: Assumption[], b: Assumption[]): Assumption[] =>
  a.filter((one) => !b.some((other) => sameRule(one, other) && one.applies === other.applies));

const sameRule = (a: Assumption, b: Assumption): boolean =>
  a.decision.line === b.decision.line &&
  a.decision.chain === b.decision.chain &&
  a.decision.table === b.decision.table &&
  a.decision.family === b.decision.family &&
  a.decision.source === b.decision.source;
