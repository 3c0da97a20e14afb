import type { Packet } from '../../model/packet.ts';
import { evaluateChain } from './chain.ts';
import { mergeStates, sameEnds } from './merge.ts';
import { type Base, natEnd, type Stage } from './stages.ts';
import { copyState, type Ended, type State, type Step, type WalkContext, withStep } from './types.ts';

/** What is left of the states that entered: those that every chain accepted, and those that ended. */
export interface Passed {
  accepted: State[];
  ended: Ended[];
}

/**
 * Sends states through all base chains of a stage, one after the other. Where the order of the chains is not known, each order is tried; if they
 * come to different ends, nothing can be said.
 */
export function runStage(stage: Stage, states: State[], context: WalkContext): Passed {
  const [first, ...others] = stage.orders.map((order) => runOrder(order, stage.isNat, states, context));
  if (first === undefined) return { accepted: states, ended: [] };
  const differs = others.some((other) => !sameEnds(endsOf(first), endsOf(other)));
  return differs ? { accepted: [], ended: states.map((state) => orderUnknown(stage, state)) } : first;
}

/** Only the first packet of a connection asks the nat chains, and only until one of them has answered; ICMP errors never do (nf_nat_inet_fn). */
export const asksNat = (packet: Packet, end: 'source' | 'destination'): boolean =>
  (packet.conntrack.state === 'new' || (packet.conntrack.state === 'related' && !packet.protocol.startsWith('icmp'))) &&
  !packet.conntrack.natSettled.includes(end);

const endsOf = ({ accepted, ended }: Passed): Ended[] => [
  ...ended,
  ...accepted.flatMap((state): Ended[] => (state.decidedBy === undefined ? [] : [{ verdict: 'accept', state, decision: state.decidedBy }])),
];

function runOrder(order: readonly Base[], isNat: boolean, states: State[], context: WalkContext): Passed {
  let accepted = states;
  const ended: Ended[] = [];
  for (const base of order) {
    if (accepted.length === 0) break;
    const passed = runBase(base, isNat, accepted, context);
    ended.push(...passed.ended);
    accepted = passed.accepted;
  }
  return { accepted, ended };
}

function runBase(base: Base, isNat: boolean, states: State[], context: WalkContext): Passed {
  if (base.base.type === 'route' && base.place.hook === 'output') return runRouteChain(base, states, context);
  if (!isNat) return runChain(base, states, context);
  const end = natEnd(base.place.hook);
  const asking = states.filter((state) => asksNat(state.packet, end));
  if (asking.length === 0) return { accepted: states, ended: [] };
  const { accepted, ended } = runChain(base, asking, context);
  const settled = states.filter((state) => !asking.includes(state));
  return { accepted: settled.length === 0 ? accepted : mergeStates([...settled, ...accepted]), ended };
}

function runChain(base: Base, states: State[], context: WalkContext): Passed {
  const met: Ended[] = [];
  for (const state of evaluateChain(base.place, base.chain, states, context, met)) met.push(atPolicy(base, state));
  const accepted: State[] = [];
  const ended: Ended[] = [];
  for (const end of met) {
    if (end.verdict === 'accept') accepted.push(acceptedBy(end));
    else ended.push(end);
  }
  return { accepted: mergeStates(accepted), ended };
}

function acceptedBy({ state, decision }: Ended): State {
  const accepted = copyState(state);
  accepted.decidedBy = decision;
  return accepted;
}

/** A packet of which such a chain changes what routes look at is routed again behind it (ipt_mangle_out, nf_route_table_hook4). */
function runRouteChain(base: Base, states: State[], context: WalkContext): Passed {
  const results = states.map((state): Passed => {
    const { accepted, ended } = runChain(base, [state], context);
    return { accepted: accepted.map((after) => (isRoutedOtherwise(state.packet, after.packet) ? routedAgain(after) : after)), ended };
  });
  return { accepted: mergeStates(results.flatMap(({ accepted }) => accepted)), ended: results.flatMap(({ ended }) => ended) };
}

/** Notes that the packet is routed again as it is now. */
export const routedAgain = (state: State): State => ({ ...state, reroutes: [...(state.reroutes ?? []), state.packet] });

/** nf_route_table_hook6 compares the hop limit as well. */
const isRoutedOtherwise = (before: Packet, after: Packet): boolean =>
  before.mark !== after.mark ||
  before.source !== after.source ||
  before.destination !== after.destination ||
  before.dscp !== after.dscp ||
  (after.family === 'ip6' && before.ttl !== after.ttl);

function atPolicy(base: Base, state: State): Ended {
  const { place, chain, base: hooked } = base;
  const decision: Step = {
    by: 'policy',
    source: place.ruleset.source,
    family: place.table.family,
    table: place.table.name,
    chain: chain.name,
    line: chain.line,
    text: `${chain.name} policy ${hooked.policy}`,
    hook: place.hook,
  };
  const noted = withStep(state, decision);
  if (hooked.policy === 'unknown')
    return { verdict: 'insufficient-info', state: noted, decision, why: `the policy of ${chain.name} is not in the output` };
  return { verdict: hooked.policy, state: noted, decision };
}

function orderUnknown(stage: Stage, state: State): Ended {
  const [order = []] = stage.orders;
  const names = order.map(({ table, chain }) => `${table.family} ${table.name} ${chain.name}`).join(', ');
  const [first] = order;
  if (first === undefined) throw new RangeError('a stage without chains');
  const decision = atPolicy(first, state).decision;
  return {
    verdict: 'insufficient-info',
    state,
    decision,
    why: `chains of one priority end differently by their order, which no output shows: ${names}`,
  };
}
