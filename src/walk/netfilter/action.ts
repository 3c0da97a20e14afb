import type { Action } from '../../model/netfilter.ts';
import { assign } from './assign.ts';
import { changeDestination, changeSource, masquerade, type NoTarget, redirect } from './nat.ts';
import { note, type RuleResult, type RuleRun } from './run.ts';
import { isUnknown, type State, type Verdict, withKnown, withPacket, withUnknown } from './types.ts';
import { lookUpVerdict } from './verdict-map.ts';

export type ActionResult = RuleResult | { flow: 'statement'; state: State };

/** Runs one action on a state. Most end in one result; a random or unknown choice gives several. */
export function runAction(action: Action, run: RuleRun, state: State): ActionResult[] {
  switch (action.kind) {
    case 'accept':
      return [end('accept', run, state)];
    case 'drop':
      return [end('drop', run, state)];
    case 'reject':
      return [{ flow: 'end', ended: { verdict: 'reject', rejectWith: action.with, state, decision: run.decision } }];
    case 'return':
      return [{ flow: 'return', state }];
    case 'continue':
    case 'fallThrough':
      return [{ flow: 'statement', state }];
    case 'jump':
    case 'goto':
      return [{ flow: action.kind, chain: action.chain, state, decision: run.decision }];
    case 'queue':
      return [cannotSay(run, state, 'the packet goes to a queue of a user-space program, which decides')];
    case 'opaqueAction':
      return [cannotSay(run, state, `${action.text}: ${action.why}`)];
    case 'verdictMap':
      return lookUpVerdict(action, run, state).flatMap((found) =>
        found.action === undefined ? [{ flow: 'next', state: found.state }] : runAction(found.action, run, note(run, found.state)),
      );
    default:
      return changePacket(action, run, state);
  }
}

type ChangingAction = Extract<
  Action,
  { kind: 'dnat' | 'snat' | 'masquerade' | 'redirect' | 'netmap' | 'setMark' | 'copyMark' | 'assign' | 'notrack' | 'tproxy' }
>;

function changePacket(action: ChangingAction, run: RuleRun, state: State): ActionResult[] {
  switch (action.kind) {
    case 'setMark':
      return [{ flow: 'statement', state: setMark(action, state) }];
    case 'copyMark':
      return [{ flow: 'statement', state: copyMark(action, state) }];
    case 'assign':
      return [{ flow: 'statement', state: assign(action, run, state) }];
    case 'notrack':
      return [
        { flow: 'statement', state: withPacket(state, { conntrack: { ...state.packet.conntrack, state: 'untracked', status: [] } }) },
      ];
    case 'dnat':
      return accepted(run, state, changeDestination(action, run, state));
    case 'snat':
      return accepted(run, state, changeSource(action, run, state));
    case 'masquerade':
      return accepted(run, state, [masquerade(run, state)]);
    case 'redirect':
      return accepted(run, state, [redirect(action, run, state)]);
    case 'tproxy':
      return [tproxy(action, run, state)];
    case 'netmap':
      return [cannotSay(run, state, 'NETMAP is not worked out')];
  }
}

const end = (verdict: Verdict, run: RuleRun, state: State): ActionResult => ({
  flow: 'end',
  ended: { verdict, state, decision: run.decision },
});

const cannotSay = (run: RuleRun, state: State, why: string): ActionResult => ({
  flow: 'end',
  ended: { verdict: 'insufficient-info', state, decision: run.decision, why },
});

/** NAT targets accept the packet for their chain; a translation that can't be worked out ends without a verdict. */
const accepted = (run: RuleRun, state: State, results: (State | NoTarget)[]): ActionResult[] =>
  results.map((result) => {
    if (!('why' in result)) return end('accept', run, result);
    return result.breaks ? { flow: 'next', state } : cannotSay(run, state, result.why);
  });

/** xt_mark: mark = (mark & ~mask) ^ value. */
function setMark(action: Extract<Action, { kind: 'setMark' }>, state: State): State {
  const field = action.of === 'packet' ? 'mark' : 'connectionMark';
  const all = action.mask === 0xffffffff;
  if (all) return withKnown(withPacket(state, { [field]: action.value }), field);
  const old = state.packet[field];
  if (old === undefined || isUnknown(state, field)) return withUnknown(state, field);
  return withPacket(state, { [field]: ((old & ~action.mask) ^ action.value) >>> 0 });
}

/** xt_connmark with --save-mark or --restore-mark. */
function copyMark(action: Extract<Action, { kind: 'copyMark' }>, state: State): State {
  const { mark, connectionMark } = state.packet;
  const target = action.from === 'packet' ? 'connectionMark' : 'mark';
  const isLost = connectionMark === undefined || isUnknown(state, 'mark') || isUnknown(state, 'connectionMark');
  if (isLost || connectionMark === undefined) return withUnknown(state, target);
  const change =
    action.from === 'packet'
      ? { connectionMark: ((connectionMark & ~action.connectionMask) ^ (mark & action.packetMask)) >>> 0 }
      : { mark: ((mark & ~action.packetMask) ^ (connectionMark & action.connectionMask)) >>> 0 };
  return withPacket(state, change);
}

function tproxy(action: Extract<Action, { kind: 'tproxy' }>, run: RuleRun, state: State): ActionResult {
  const mark = ((state.packet.mark & ~action.mask) ^ action.value) >>> 0;
  const target = {
    ...(action.address === undefined ? {} : { address: action.address }),
    ...(action.port === undefined ? {} : { port: action.port }),
    decision: run.decision,
  };
  const changed: State = { ...withPacket(state, { mark }), tproxy: target };
  return action.ends ? end('accept', run, changed) : { flow: 'statement', state: changed };
}
