import type { Chain, Hook, NetfilterRuleset } from '../model/netfilter.ts';
import type { Packet } from '../model/packet.ts';
import { evaluateChain } from './netfilter/chain.ts';
import { mergeStates } from './netfilter/merge.ts';
import { outcomesOf } from './netfilter/outcome.ts';
import type { Decision, Ended, Outcome, Place, State, WalkContext } from './netfilter/types.ts';

export { verdictOf } from './netfilter/outcome.ts';
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
  let states = [initialState(atHook(packet, hook))];
  const ended: Ended[] = [];
  for (const base of baseChains(rulesets, hook, packet.family)) {
    const result = runBase(base, states, context);
    ended.push(...result.ended);
    states = result.accepted;
  }
  return outcomesOf(
    ended,
    states.map((state) => settleNat(state, hook)),
  );
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

/** What happened at an earlier hook, and then at a later one, as one outcome. */
export const chainOutcomes = (earlier: Outcome, later: Outcome): Outcome => ({
  ...(earlier.dnat === undefined ? {} : { dnat: earlier.dnat }),
  ...(earlier.snat === undefined ? {} : { snat: earlier.snat }),
  ...(earlier.masquerade === undefined ? {} : { masquerade: earlier.masquerade }),
  ...(earlier.tproxy === undefined ? {} : { tproxy: earlier.tproxy }),
  ...(later.decidedBy === undefined && earlier.decidedBy !== undefined ? { decidedBy: earlier.decidedBy } : {}),
  ...later,
  probability: earlier.probability * later.probability,
  steps: [...earlier.steps, ...later.steps],
  assumptions: [...earlier.assumptions, ...later.assumptions],
});

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
  return { ...nft, tables: nft.tables.filter((table) => !covered.has(`${table.family} ${table.name}`)) };
}

interface Base {
  place: Place;
  chain: Chain;
  isNat: boolean;
  order: [number, number];
}

/** Base chains at a hook, in the order in which the kernel calls them. All nat chains are called from one hook at priority -100 or 100. */
function baseChains(rulesets: readonly NetfilterRuleset[], hook: Hook, family: 'ip' | 'ip6'): Base[] {
  const bases: Base[] = [];
  for (const ruleset of rulesets) {
    for (const table of ruleset.tables) {
      if (table.dormant || (table.family !== family && table.family !== 'inet')) continue;
      for (const chain of table.chains) {
        if (chain.base?.hook !== hook) continue;
        const isNat = chain.base.type === 'nat';
        const order: [number, number] = [isNat ? natPriority(hook) : chain.base.priority, chain.base.priority];
        bases.push({ place: { ruleset, table, hook }, chain, isNat, order });
      }
    }
  }
  return bases.sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1]);
}

const natEnd = (hook: Hook): 'source' | 'destination' => (hook === 'prerouting' || hook === 'output' ? 'destination' : 'source');
const natPriority = (hook: Hook): number => (natEnd(hook) === 'destination' ? -100 : 100);

function runBase(base: Base, states: State[], context: WalkContext): { accepted: State[]; ended: Ended[] } {
  const sees = (state: State): boolean => !base.isNat || asksNat(state.packet, base.place.hook);
  const entering = states.filter(sees);
  if (entering.length === 0) return { accepted: states, ended: [] };
  const result = evaluateChain(base.place, base.chain, entering, context);
  const atPolicy = result.returned.map((state) => applyPolicy(base, state));
  const all = [...result.ended, ...atPolicy];
  const accepted = all.filter((end) => end.verdict === 'accept').map((end) => ({ ...end.state, decidedBy: end.decision }));
  return {
    accepted: mergeStates([...states.filter((state) => !sees(state)), ...accepted]),
    ended: all.filter((end) => end.verdict !== 'accept'),
  };
}

/** Only the first packet of a connection asks the nat chains, and only until one of them has answered. */
const asksNat = (packet: Packet, hook: Hook): boolean =>
  (packet.conntrack.state === 'new' || packet.conntrack.state === 'related') && !packet.conntrack.natSettled.includes(natEnd(hook));

function applyPolicy(base: Base, state: State): Ended {
  const policy = base.chain.base?.policy ?? 'unknown';
  const { place, chain } = base;
  const decision: Decision = {
    by: 'policy',
    source: place.ruleset.source,
    family: place.table.family,
    table: place.table.name,
    chain: chain.name,
    line: chain.line,
    text: `${chain.name} policy ${policy}`,
  };
  const noted: State = { ...state, steps: { step: { ...decision, hook: place.hook }, before: state.steps } };
  if (policy === 'unknown')
    return { verdict: 'insufficient-info', state: noted, decision, why: `the policy of ${chain.name} is not in the output` };
  return { verdict: policy, state: noted, decision };
}

const initialState = (packet: Packet): State => ({ packet, probability: 1, assumptions: [], steps: undefined });

/** At prerouting and input a packet has no outgoing device, at output no incoming one: rules see the empty name. */
function atHook(packet: Packet, hook: Hook): Packet {
  if (hook === 'prerouting' || hook === 'input') return { ...packet, outInterface: '' };
  return hook === 'output' ? { ...packet, inInterface: '' } : packet;
}

/** When no nat chain translates, the kernel settles that too, so that a later pass of the hook does not ask again. */
function settleNat(state: State, hook: Hook): State {
  const end = natEnd(hook);
  if (hook === 'forward' || !asksNat(state.packet, hook)) return state;
  const { conntrack } = state.packet;
  return { ...state, packet: { ...state.packet, conntrack: { ...conntrack, natSettled: [...conntrack.natSettled, end] } } };
}
