import type { Packet } from '../../model/packet.ts';
import type { Assumption, Ended, State } from './types.ts';

/**
 * Joins states that can't be told apart any more (same packet, same NAT): probabilities add up; of the steps those of the likelier one stay.
 * Two states that differ only in what was assumed of one rule show that this rule does not matter.
 */
export function mergeStates(states: State[]): State[] {
  return grouped(states, (state) => state, sameState, joinStates);
}

/**
 * Joins the items that are the same, in the order of their first ones. `stateOf` gives the state by which they are told apart at a glance, so that
 * ten endpoints of a Service need not be compared each with each.
 */
export function grouped<T>(items: T[], stateOf: (item: T) => State, isSame: (a: T, b: T) => boolean, join: (a: T, b: T) => T): T[] {
  if (items.length < 2) return items;
  const result: T[] = [];
  /** Of each destination the last place in the result, and for each place the one before it with the same destination. */
  const last = new Map<string, number>();
  const before: (number | undefined)[] = [];
  for (const item of items) {
    const { packet } = stateOf(item);
    const newest = last.get(packet.destination);
    let place = newest;
    for (; place !== undefined; place = before[place]) {
      const other = result[place];
      if (other !== undefined && looksAlike(stateOf(other).packet, packet) && isSame(other, item)) break;
    }
    if (place !== undefined) result[place] = join(result[place] ?? item, item);
    else {
      last.set(packet.destination, result.push(item) - 1);
      before.push(newest);
    }
  }
  return result;
}

const looksAlike = (a: Packet, b: Packet): boolean => a.destinationPort === b.destinationPort && a.source === b.source && a.mark === b.mark;

/** Everything about a state that later rules or the outcome depend on. */
export const sameState = (a: State, b: State): boolean =>
  (a.packet === b.packet || JSON.stringify(a.packet) === JSON.stringify(b.packet)) &&
  same(a.dnat, b.dnat) &&
  same(a.snat, b.snat) &&
  same(a.masquerade, b.masquerade) &&
  same(a.tproxy, b.tproxy) &&
  same(a.reroutes, b.reroutes) &&
  same(a.recent, b.recent) &&
  same(a.changedSets, b.changedSets);

const same = (a: object | undefined, b: object | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b));

/** Whether two lists hold the same ends for the packet, with the same shares; which rules led there does not matter. */
export function sameEnds(a: readonly Ended[], b: readonly Ended[]): boolean {
  const [first, second] = [a, b].map((ends) => ends.map(endKey).sort());
  return JSON.stringify(first) === JSON.stringify(second);
}

const endKey = ({ verdict, rejectWith, state, why }: Ended): string =>
  JSON.stringify([verdict, rejectWith, why, verdict === 'accept' ? state.packet : undefined, state.reroutes, state.probability.toFixed(6)]);

/** Joins two states that are the same. */
export function joinStates(a: State, b: State): State {
  const { assumptions, exclusive } = joinAssumptions(a.assumptions, b.assumptions);
  const likelier = b.probability > a.probability ? b : a;
  return {
    ...likelier,
    assumptions,
    probability: exclusive ? Math.max(a.probability, b.probability) : Math.min(1, a.probability + b.probability),
  };
}

function joinAssumptions(a: readonly Assumption[], b: readonly Assumption[]): { assumptions: readonly Assumption[]; exclusive: boolean } {
  if (a.length === 0 && b.length === 0) return { assumptions: a, exclusive: false };
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

const isExclusive = (a: readonly Assumption[], b: readonly Assumption[]): boolean =>
  a.some((one) => b.some((other) => sameRule(one, other) && one.applies !== other.applies));

const without = (a: readonly Assumption[], b: readonly Assumption[]): readonly Assumption[] =>
  a.filter((one) => !b.some((other) => sameRule(one, other) && one.applies === other.applies));

const sameRule = (a: Assumption, b: Assumption): boolean =>
  a.decision.line === b.decision.line &&
  a.decision.chain === b.decision.chain &&
  a.decision.table === b.decision.table &&
  a.decision.family === b.decision.family &&
  a.decision.source === b.decision.source;
