import type { Hook, NetfilterRuleset } from '../model/netfilter.ts';
import { copyConntrack, copyPacket, type Packet } from '../model/packet.ts';
import { asksNat, type Passed, routedAgain, runStage } from './netfilter/base.ts';
import { leavesByAnother } from './netfilter/masquerade-device.ts';
import { chainOutcomes, outcomesOf, passing } from './netfilter/outcome.ts';
import { natEnd, natPriority, type Stage, stagesAt } from './netfilter/stages.ts';
import { hasNat, translateKnown } from './netfilter/translate.ts';
import { type Ended, initialState, type Outcome, type State, type WalkContext, withPacket } from './netfilter/types.ts';

export { chainOutcomes, verdictOf } from './netfilter/outcome.ts';
export type { Decision, Outcome, Step, WalkContext } from './netfilter/types.ts';

/**
 * Sends one packet through one hook of all rulesets of a node together: every base chain at the hook, in the order of priority; an accept ends
 * a chain, a drop or reject in any of them ends the packet. Chains of type nat see only the first packet of a connection, and the first of
 * them that translates settles it (nf_nat_inet_fn in net/netfilter/nf_nat_core.c).
 *
 * Gives every possible end with its probability. What depends on a rule of which it can't be told whether it applies comes out as several
 * outcomes with `assumptions` when all of them have the same verdict, and otherwise as one `insufficient-info` outcome that names the rule and
 * holds what is `possible`. An empty list of rulesets accepts: nothing is hooked in. Rulesets that could not be read must not be left
 * out; their absence can't be seen here.
 */
export function evaluateHook(rulesets: readonly NetfilterRuleset[], hook: Hook, packet: Packet, context: WalkContext = {}): Outcome[] {
  const stages = stagesAt(rulesets, hook, packet);
  const entering = atHook(packet, hook);
  if (stages.length === 0 && hasNoNat(hook)) return [passing(entering)];
  const early = stages.filter(({ priority }) => isBeforeLookup(hook, priority, packet));
  const first = runStages(early, [initialState(early.length === 0 ? entering : withoutConnection(entering))], context);
  const tracked = early.length === 0 ? first.accepted : first.accepted.map((state) => withConnection(state, packet));
  const passed = runWithNat(rulesets, hook, stages.slice(early.length), tracked, context);
  return outcomesOf([...first.ended, ...passed.ended], passed.accepted);
}

/** Sends a packet through several hooks one after the other, as long as it is accepted; `between` may change it on the way (routing). */
export function evaluateHooks(
  rulesets: readonly NetfilterRuleset[],
  hooks: readonly Hook[],
  packet: Packet,
  context: WalkContext = {},
  between: (packet: Packet, next: Hook) => Packet = (unchanged) => unchanged,
): Outcome[] {
  const [first, ...rest] = hooks;
  if (first === undefined) return [];
  return evaluateHook(rulesets, first, packet, context).flatMap((outcome) => {
    const [next] = rest;
    if (next === undefined || outcome.verdict !== 'accept') return [outcome];
    return evaluateHooks(rulesets, rest, between(outcome.packet, next), context, between).map((later) => chainOutcomes(outcome, later));
  });
}

/**
 * The nft ruleset without the tables that an iptables-save of the same node shows too. nft prints such tables with losses, so that the
 * iptables-save is to be believed; tables that only nft knows stay.
 */
export function withoutTablesOf(nft: NetfilterRuleset, iptables: readonly NetfilterRuleset[]): NetfilterRuleset {
  const covered = new Set(
    iptables
      .filter((ruleset) => ruleset.source !== 'iptables-legacy' && ruleset.source !== 'nft')
      .flatMap((ruleset) => ruleset.tables.map((table) => `${table.family} ${table.name}`)),
  );
  const baseChainOrder = nft.tables.flatMap((table) =>
    table.chains.flatMap((chain) => (chain.base === undefined ? [] : [`${table.family} ${table.name} ${chain.name}`])),
  );
  return { ...nft, tables: nft.tables.filter((table) => !covered.has(`${table.family} ${table.name}`)), baseChainOrder };
}

/** Priority of ipv4_conntrack_in and ipv4_conntrack_local (NF_IP_PRI_CONNTRACK); raw tables come before. */
const connectionLookup = -200;

const isBeforeLookup = (hook: Hook, priority: number, { conntrack }: Packet): boolean =>
  conntrack.attached !== true && (hook === 'ingress' || ((hook === 'prerouting' || hook === 'output') && priority < connectionLookup));

/** Before its connection is looked up a packet has none: its state reads as invalid (xt_conntrack.c, nft_ct.c). */
const withoutConnection = (packet: Packet): Packet => ({
  ...packet,
  conntrack: { state: 'invalid', status: [], direction: 'original', natSettled: [] },
});

/** Gives the packet its connection, unless a rule has said that it shall have none. */
const withConnection = (state: State, { conntrack }: Packet): State =>
  state.packet.conntrack.state === 'untracked' ? state : withPacket(state, { conntrack });

function runStages(stages: readonly Stage[], states: State[], context: WalkContext): Passed {
  let accepted = states;
  const ended: Ended[] = [];
  for (const stage of stages) {
    const passed = runStage(stage, accepted, context);
    ended.push(...passed.ended);
    accepted = passed.accepted;
  }
  return { accepted, ended };
}

/** Runs the stages up to the place of the hook's NAT, then NAT, then the others. At `forward` and at the devices there is none. */
function runWithNat(
  rulesets: readonly NetfilterRuleset[],
  hook: Hook,
  stages: readonly Stage[],
  states: State[],
  context: WalkContext,
): Passed {
  if (hasNoNat(hook)) return runStages(stages, states, context);
  const at = natPriority(hook);
  const isLater = ({ priority, isNat }: Stage): boolean => priority > at || (priority === at && !isNat);
  const before = runStages(
    stages.filter((stage) => !isLater(stage)),
    states,
    context,
  );
  const end = natEnd(hook);
  const settles = hasNat(rulesets, states[0]?.packet.family ?? 'ip');
  const { accepted, ended } = before;
  const translated: State[] = [];
  for (const state of accepted) {
    const strayed = hook === 'postrouting' ? leavesByAnother(rulesets, state, context) : undefined;
    if (strayed !== undefined) {
      ended.push(strayed);
      continue;
    }
    const known = translateKnown(rulesets, state, end);
    const routed = hook === 'output' && isSentElsewhere(states, known) ? routedAgain(known) : known;
    translated.push(settles ? settleNat(routed, end) : routed);
  }
  const after = runStages(stages.filter(isLater), translated, context);
  return { accepted: after.accepted, ended: ended.concat(after.ended) };
}

const hasNoNat = (hook: Hook): boolean => hook === 'forward' || hook === 'ingress' || hook === 'egress';

/** nf_nat_ipv4_local_fn: what got another destination is routed again, with the mark that it has at that time. */
const isSentElsewhere = (entered: readonly State[], { packet }: State): boolean =>
  packet.unknown?.includes('destination') === true || entered.every((state) => state.packet.destination !== packet.destination);

/** At prerouting and input a packet has no outgoing device, at output no incoming one: rules see the empty name. */
function atHook(packet: Packet, hook: Hook): Packet {
  const hidden =
    hook === 'prerouting' || hook === 'input' || hook === 'ingress' ? 'outInterface' : hook === 'output' ? 'inInterface' : undefined;
  if (hidden === undefined || packet[hidden] === '') return packet;
  const copy = copyPacket(packet);
  copy[hidden] = '';
  return copy;
}

/** When no nat chain translates, the kernel settles that too, so that a later pass of the hook does not ask again. */
function settleNat(state: State, end: 'source' | 'destination'): State {
  if (!asksNat(state.packet, end)) return state;
  const { conntrack } = state.packet;
  const settled = copyConntrack(conntrack);
  settled.natSettled = conntrack.natSettled.concat(end);
  return withPacket(state, { conntrack: settled });
}
