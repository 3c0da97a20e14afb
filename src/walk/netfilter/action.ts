import type { Action } from '../../model/netfilter.ts';
import { isTracked } from './conntrack.ts';
import { changeDestination, changeSource, masquerade, type NoTarget, netmap, redirect } from './nat.ts';
import type { RuleRun } from './run.ts';
import { nameOfSet } from './sets.ts';
import { isUnknown, type State, type Verdict, withChanged, withKnown, withPacket, withUnknown } from './types.ts';

/** All but those that choose between several ways to go on. */
type SingleAction = Exclude<Action, { kind: 'verdictMap' | 'assign' }>;

/** Runs one action on a state. Gives the state for the rule's next statement; undefined: the action has sent it elsewhere. */
export function runAction(action: SingleAction, run: RuleRun, state: State): State | undefined {
  const { walk, decision } = run;
  switch (action.kind) {
    case 'accept':
    case 'drop':
      return end(action.kind, run, state);
    case 'reject':
      // nft asks for TCP before it resets, and does not print that it does.
      if (action.with === 'tcp-reset' && state.packet.protocol !== 'tcp') walk.next.push(state);
      else walk.ended.push({ verdict: 'reject', rejectWith: action.with, state, decision });
      return undefined;
    case 'return':
      walk.returned.push(state);
      return undefined;
    case 'continue':
      return state;
    case 'fallThrough':
      if (choosesZone(action))
        return cannotSay(run, state, 'connections of another conntrack zone: whether their answers are found is not worked out');
      return fallThrough(action, run, state);
    case 'jump':
    case 'goto':
      walk.enter(walk, action, state, decision);
      return undefined;
    case 'queue':
      return cannotSay(run, state, 'the packet goes to a queue of a user-space program, which decides');
    case 'opaqueAction':
      return cannotSay(run, state, `${action.text}: ${action.why}`);
    default:
      return changePacket(action, run, state);
  }
}

type ChangingAction = Extract<
  Action,
  { kind: 'dnat' | 'snat' | 'masquerade' | 'redirect' | 'netmap' | 'setMark' | 'copyMark' | 'notrack' | 'tproxy' }
>;

function changePacket(action: ChangingAction, run: RuleRun, state: State): State | undefined {
  switch (action.kind) {
    case 'setMark':
      return setMark(action, state);
    case 'copyMark':
      return copyMark(action, state);
    case 'notrack':
      return notrack(state);
    case 'dnat':
      for (const result of changeDestination(action, run, state)) translated(run, state, result);
      return undefined;
    case 'snat':
      for (const result of changeSource(action, run, state)) translated(run, state, result);
      return undefined;
    case 'masquerade':
      return end('accept', run, masquerade(action, run, state));
    case 'redirect':
      return translated(run, state, redirect(action, run, state));
    case 'tproxy':
      return tproxy(action, run, state);
    case 'netmap':
      return translated(run, state, netmap(action, run, state));
  }
}

function end(verdict: Verdict, { walk, decision }: RuleRun, state: State): undefined {
  walk.ended.push({ verdict, state, decision });
}

function cannotSay({ walk, decision }: RuleRun, state: State, why: string): undefined {
  walk.ended.push({ verdict: 'insufficient-info', state, decision, why });
}

/** NAT targets accept the packet for their chain; a translation that can't be worked out ends without a verdict. */
function translated(run: RuleRun, state: State, result: State | NoTarget): undefined {
  if (!('why' in result)) end('accept', run, result);
  else if (result.breaks) run.walk.next.push(state);
  else cannotSay(run, state, result.why);
}

/** CT --zone, --zone-orig, --zone-reply: the connection is kept in a table of its own, where answers without the same rule do not find it. */
const choosesZone = ({ name, options }: Extract<Action, { kind: 'fallThrough' }>): boolean =>
  name === 'CT' && options.some((option) => option.name.startsWith('zone'));

/** What lets the packet go on, but changes what later rules look at. */
function fallThrough(action: Extract<Action, { kind: 'fallThrough' }>, run: RuleRun, state: State): State {
  if (action.name === 'SET') return action.options.reduce((at, option) => withChanged(at, `ipset ${option.values[0]}`), state);
  if (action.name === 'set-update') return withChanged(state, nameOfSet(run.place, updatedSet(action)));
  const field = changedFields[action.name];
  if (field === undefined) return state;
  const ttl = field === 'ttl' ? hopsLeft(action, state.packet.ttl) : undefined;
  if (ttl !== undefined) return withPacket(state, { ttl });
  const { [field]: _, ...packet } = state.packet;
  return { ...state, packet };
}

/** xt_HL.c: --ttl-set, --ttl-dec, --ttl-inc and the same of HL, held between 0 and 255. Undefined where it can't be told. */
function hopsLeft({ options }: Extract<Action, { kind: 'fallThrough' }>, before: number | undefined): number | undefined {
  const [option, ...more] = options;
  const value = Number(option?.values[0]);
  const [, how] = /^(?:ttl|hl)-(set|dec|inc)$/.exec(option?.name ?? '') ?? [];
  if (how === undefined || more.length > 0 || !Number.isInteger(value)) return undefined;
  if (how === 'set') return value;
  return before === undefined ? undefined : Math.min(255, Math.max(0, how === 'dec' ? before - value : before + value));
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

function tproxy(action: Extract<Action, { kind: 'tproxy' }>, run: RuleRun, state: State): State | undefined {
  const mark = ((state.packet.mark & ~action.mask) ^ action.value) >>> 0;
  const target = {
    ...(action.address === undefined ? {} : { address: action.address }),
    ...(action.port === undefined ? {} : { port: action.port }),
    decision: run.decision,
  };
  const changed: State = { ...withPacket(state, { mark }), tproxy: target };
  return action.ends ? end('accept', run, changed) : changed;
}
