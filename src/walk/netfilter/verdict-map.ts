import type { Action, SetElement } from '../../model/netfilter.ts';
import { keyOf } from './expression.ts';
import type { RuleRun } from './run.ts';
import { elementsOf, hits } from './sets.ts';
import { type State, withAssumption, withShare } from './types.ts';

/** What a verdict map gives: an action, or none when the key is not in it (the rule then ends without a verdict). */
export interface Found {
  action: Action | undefined;
  state: State;
}

/** Looks a packet up in a verdict map. A key that can't be told gives every verdict that it may have, each under its assumption. */
export function lookUpVerdict(action: Extract<Action, { kind: 'verdictMap' }>, run: RuleRun, state: State): Found[] {
  const elements = elementsOf(action.map, run.place, state);
  if (elements === undefined) return [{ action: opaque(action.text, 'the verdict map is not in the output'), state }];
  const found = hits(keyOf(action.key, state, run), elements.elements);
  if (found.length === 0) {
    return [
      { action: elements.known ? undefined : opaque(action.text, 'the output does not show all elements of the verdict map'), state },
    ];
  }
  const [only] = found;
  if (only?.certainty.is === 'yes') return [{ action: verdictOf(only.element), state }];
  const results = found.map(({ element, certainty }): Found => {
    if (certainty.is === 'random') return { action: verdictOf(element), state: withShare(state, certainty.probability) };
    return { action: verdictOf(element), state: certainty.is === 'unknown' ? assuming(state, run, certainty.why, true) : state };
  });
  const missing = found.some((hit) => hit.certainty.is === 'unknown')
    ? [{ action: undefined, state: assuming(state, run, 'it is not known whether the key is in the verdict map', false) }]
    : remainder(found, state);
  return [...results, ...missing];
}

/** A random key may fall beside all elements. */
function remainder(found: ReturnType<typeof hits>, state: State): Found[] {
  const share = found.reduce((sum, { certainty }) => sum + (certainty.is === 'random' ? certainty.probability : 1), 0);
  return share > 0.999999 ? [] : [{ action: undefined, state: withShare(state, 1 - share) }];
}

const assuming = (state: State, { decision }: RuleRun, why: string, applies: boolean): State =>
  withAssumption(state, { decision, applies, why });

const verdictOf = (element: SetElement): Action =>
  element.data === undefined || Array.isArray(element.data)
    ? opaque('element', 'an element of the verdict map without a verdict')
    : element.data;

const opaque = (text: string, why: string): Action => ({ role: 'action', kind: 'opaqueAction', text, why });
