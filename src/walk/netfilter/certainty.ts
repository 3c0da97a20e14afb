/** Whether something matches: yes, no, with a probability, or cannot be told. */
export type Certainty = { is: 'yes' } | { is: 'no' } | { is: 'random'; probability: number } | { is: 'unknown'; why: string };

export const yes: Certainty = { is: 'yes' };
export const no: Certainty = { is: 'no' };
export const cannotTell = (why: string): Certainty => ({ is: 'unknown', why });
export const random = (probability: number): Certainty => (probability >= 1 ? yes : probability <= 0 ? no : { is: 'random', probability });

export const certain = (value: boolean): Certainty => (value ? yes : no);

export function not(certainty: Certainty): Certainty {
  if (certainty.is === 'yes') return no;
  if (certainty.is === 'no') return yes;
  if (certainty.is === 'random') return random(1 - certainty.probability);
  return certainty;
}

export const negatedIf = (negated: boolean, certainty: Certainty): Certainty => (negated ? not(certainty) : certainty);

/** All must hold. One "no" settles it, whatever the unknown ones are. */
export function all(parts: readonly Certainty[]): Certainty {
  let probability = 1;
  let unknown: Certainty | undefined;
  for (const part of parts) {
    if (part.is === 'no') return no;
    if (part.is === 'unknown') unknown ??= part;
    if (part.is === 'random') probability *= part.probability;
  }
  return unknown ?? random(probability);
}

/** One must hold. Random parts are taken as independent. */
export function any(parts: readonly Certainty[]): Certainty {
  return not(all(parts.map(not)));
}
