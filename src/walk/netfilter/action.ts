import type { Action } from '../../model/netfilter.ts';
import { assign } from './assign.ts';
import { isTracked } from './conntrack.ts';
import { changeDestination, changeSource, masquerade, type NoTarget, netmap, redirect } from './nat.ts';
import { note, type RuleResult, type RuleRun } from './run.ts';
import { nameOfSet } from './sets.ts';
import { isUnknown, type State, type Verdict, withChanged, withKnown, withPacket, withUnknown } from './types.ts';
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
      // nft asks for TCP before it resets, and does not print that it does.
      if (action.with === 'tcp-reset' && state.packet.protocol !== 'tcp') return [{ flow: 'next', state }];
      return [{ flow: 'end', ended: { verdict: 'reject', rejectWith: action.with, state, decision: run.decision } }];
    case 'return':
      return [{ flow: 'return', state }];
    case 'continue':
      return [{ flow: 'statement', state }];
    case 'fallThrough':
      return [{ flow: 'statement', state: fallThrough(action, run, state) }];
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
      return assign(action, run, state).map((result) =>
        'breaks' in result ? { flow: 'next', state: result.breaks } : { flow: 'statement', state: result },
      );
    case 'notrack':
      return [{ flow: 'statement', state: notrack(state) }];
    case 'dnat':
      return accepted(run, state, changeDestination(action, run, state));
    case 'snat':
      return accepted(run, state, changeSource(action, run, state));
    case 'masquerade':
      return accepted(run, state, [masquerade(action, run, state)]);
    case 'redirect':
      return accepted(run, state, [redirect(action, run, state)]);
    case 'tproxy':
      return [tproxy(action, run, state)];
    case 'netmap':
      return accepted(run, state, [netmap(action, run, state)]);
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

/** What lets the packet go on, but changes what later rules look at. */
function fallThrough(action: Extract<Action, { kind: 'fallThrough' }>, run: RuleRun, state: State): State {
  if (action.name === 'SET') return action.options.reduce((at, option) => withChanged(at, `ipset ${option.values[0]}`), state);
  if (action.name === 'set-update') return withChanged(state, nameOfSet(run.place, updatedSet(action)));
  const field = changedFields[action.name];
  if (field === undefined) return state;
  const { [field]: _, ...packet } = state.packet;
  return { ...state, packet };
}

const changedFields: Record<string, 'ttl' | 'dscp' | undefined> = { TTL: 'ttl', HL: 'ttl', DSCP: 'dscp', TOS: 'dscp', ECN: 'dscp' };

const updatedSet = ({ options, text }: Extract<Action, { kind: 'fallThrough' }>): string =>
  (options[0]?.values[0] ?? /@([^\s"},]+)/.exec(text)?.[1] ?? '').replace(/^@/, '');

/** NOTRACK and `notrack` do something only before the connection is looked up (notrack_tg in xt_CT.c, nft_notrack_eval). */
const notrack = (state: State): State =>
  state.packet.conntrack.state === 'invalid'
    ? withPacket(state, { conntrack: { ...state.packet.conntrack, state: 'untracked', status: [] } })
    : state;

/** xt_mark: mark = (mark & ~mask) ^ value. */
function setMark(action: Extract<Action, { kind: 'setMark' }>, state: State): State {
  const field = action.of === 'packet' ? 'mark' : 'connectionMark';
  if (field === 'connectionMark' && !isTracked(state.packet)) return state;
  const all = action.mask === 0xffffffff;
  if (all) return withKnown(withPacket(state, { [field]: action.value }), field);
  const old = state.packet[field];
  if (old === undefined || isUnknown(state, field)) return withUnknown(state, field);
  return withPacket(state, { [field]: ((old & ~action.mask) ^ action.value) >>> 0 });
}

/** xt_connmark with --save-mark or --restore-mark. */
function copyMark(action: Extract<Action, { kind: 'copyMark' }>, state: State): State {
  if (!isTracked(state.packet)) return state;
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
