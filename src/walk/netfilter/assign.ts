import type { Action } from '../../model/netfilter.ts';
import { bitsOf } from './expression.ts';
import type { RuleRun } from './run.ts';
import { type State, withKnown, withPacket, withUnknown } from './types.ts';

/** `meta mark set …` and `ct mark set …`; other fields that nft can set (priority, dscp, tcp option) change nothing that rules look at here. */
export function assign(action: Extract<Action, { kind: 'assign' }>, run: RuleRun, state: State): State {
  const field = action.target === 'meta mark' ? 'mark' : action.target === 'ct mark' ? 'connectionMark' : undefined;
  if (field === undefined) return state;
  const value = bitsOf(action.value, 'number', state, run);
  return value === undefined ? withUnknown(state, field) : withKnown(withPacket(state, { [field]: Number(value & 0xffffffffn) }), field);
}
