import type { Chain, Hook, NetfilterRuleset, Rule, RulesetSource, Table } from '../../model/netfilter.ts';
import { copyPacket, type Packet, type UnknownField } from '../../model/packet.ts';

/** What the rules are evaluated in: the node's own state that rules look at besides the packet. */
export interface WalkContext {
  /**
   * Addresses that are LOCAL on this node (all addresses of all its devices in this network namespace), besides loopback. Left out: not known,
   * so that rules on the address type can't be told.
   */
  localAddresses?: readonly string[];
  /** Kinds of addresses that the node's routes make special (BROADCAST, BLACKHOLE…); undefined where not known. */
  addressType?: (address: string) => string | undefined;
  /** ipsets by name; left out: not collected. */
  ipsets?: ReadonlyMap<string, IpsetLookup>;
  /** True when it is known that no client has an entry in a `recent` list yet. */
  recentListsEmpty?: boolean;
  /** How many seconds ago each packet of an address was put into a `recent` list; undefined: not known. Asked unless the lists are empty. */
  recentEntries?: (list: string, address: string) => readonly number[] | undefined;
  /** The source address that masquerading gives to a packet that leaves by this device. */
  masqueradeAddress?: (outInterface: string | undefined, packet: Packet) => string | undefined;
  /** The primary address of the device that a packet came in by, for REDIRECT. */
  interfaceAddress?: (inInterface: string | undefined, packet: Packet) => string | undefined;
}

export interface IpsetLookup {
  /** Whether the packet's fields are in the set; undefined: cannot tell. */
  contains: (packet: Packet, directions: readonly ('src' | 'dst')[]) => boolean | undefined;
}

/** Where a decision fell: a rule, or a chain's policy. */
export interface Decision {
  by: 'rule' | 'policy' | 'end-of-output';
  source: RulesetSource;
  family: string;
  table: string;
  chain: string;
  /** 1-based line of the ruleset's output. */
  line: number;
  text: string;
}

export interface Step extends Decision {
  hook: Hook;
}

/** A rule of which it is not known whether it applies, and what was supposed of it on this way. */
export interface Assumption {
  decision: Decision;
  applies: boolean;
  why: string;
}

export interface NatChange {
  address?: string;
  port?: number;
  /** The rule that did it. */
  decision: Decision;
}

export type Verdict = 'accept' | 'drop' | 'reject' | 'insufficient-info';

/** One possible end of the packet at a hook. */
export interface Outcome {
  verdict: Verdict;
  /** Type of the reject: `icmp-port-unreachable`, `tcp-reset`, … */
  rejectWith?: string;
  /** Share of packets, from `statistic`, `numgen` and hashes, 0 to 1. */
  probability: number;
  /** The packet as it leaves the hook. */
  packet: Packet;
  dnat?: NatChange;
  snat?: NatChange;
  /** The rule that masqueraded. */
  masquerade?: NatChange;
  /** TPROXY gave the packet to a local socket. */
  tproxy?: NatChange;
  /** Set at the output hook: the packet as it was each time that it was routed again (ip_route_me_harder), in this order. */
  reroutes?: readonly Packet[];
  /** Matching rules in the order in which the packet met them, and the policies that ended chains. */
  steps: Step[];
  /** What ended the way; for an accept the last rule or policy that accepted. Left out when no chain of the hook saw the packet. */
  decidedBy?: Decision;
  /** Not empty: this outcome holds only if these rules apply, or don't; whether they do can't be told from what is known. */
  assumptions: readonly Assumption[];
  /** For insufficient-info: why, and what the possible ends are. */
  why?: string;
  possible?: Outcome[];
}

/** Where in the rules the walk stands. */
export interface Place {
  ruleset: NetfilterRuleset;
  table: Table;
  hook: Hook;
}

export interface StepList {
  step: Step;
  before: StepList | undefined;
}

/** A packet under way. States are never changed, only replaced. */
export interface State {
  packet: Packet;
  probability: number;
  assumptions: readonly Assumption[];
  steps: StepList | undefined;
  dnat: NatChange | undefined;
  snat: NatChange | undefined;
  masquerade: NatChange | undefined;
  tproxy: NatChange | undefined;
  reroutes: readonly Packet[] | undefined;
  decidedBy: Decision | undefined;
  /** Lists of `recent` that rules on this way have put the packet's address into: how often. */
  recent: Readonly<Record<string, number>> | undefined;
  /** Sets that rules on this way have changed: what they hold now is not what the output shows. */
  changedSets: readonly string[] | undefined;
}

/** A state that met its end. */
export interface Ended {
  verdict: Verdict;
  rejectWith?: string;
  state: State;
  decision: Decision;
  why?: string;
}

/** The rule as a step on the way, which is also the decision that falls at it. */
export const stepOfRule = (place: Place, chain: Chain, rule: Rule): Step => ({
  by: 'rule',
  source: place.ruleset.source,
  family: place.table.family,
  table: place.table.name,
  chain: chain.name,
  line: rule.line,
  text: rule.text,
  hook: place.hook,
});

export const initialState = (packet: Packet): State => ({
  packet,
  probability: 1,
  assumptions: [],
  steps: undefined,
  dnat: undefined,
  snat: undefined,
  masquerade: undefined,
  tproxy: undefined,
  reroutes: undefined,
  decidedBy: undefined,
  recent: undefined,
  changedSets: undefined,
});

/** A copy to be changed before it is handed on; written out like {@link copyPacket}. */
export const copyState = (state: State): State => ({
  packet: state.packet,
  probability: state.probability,
  assumptions: state.assumptions,
  steps: state.steps,
  dnat: state.dnat,
  snat: state.snat,
  masquerade: state.masquerade,
  tproxy: state.tproxy,
  reroutes: state.reroutes,
  decidedBy: state.decidedBy,
  recent: state.recent,
  changedSets: state.changedSets,
});

export function withPacket(state: State, change: Partial<Packet>): State {
  const next = copyState(state);
  next.packet = Object.assign(copyPacket(state.packet), change);
  return next;
}

export function withStep(state: State, step: Step): State {
  const next = copyState(state);
  next.steps = { step, before: state.steps };
  return next;
}

/** The state that only a share of the packets come to. */
export function withShare(state: State, share: number): State {
  if (share === 1) return state;
  const next = copyState(state);
  next.probability = state.probability * share;
  return next;
}

export function withAssumption(state: State, assumption: Assumption): State {
  const next = copyState(state);
  next.assumptions = [...state.assumptions, assumption];
  return next;
}

/** Whether a rule on this way has changed a set: `ipset NAME`, or `FAMILY TABLE NAME` of nft. */
export const hasChanged = (state: State, set: string): boolean => state.changedSets?.includes(set) === true;

export const withChanged = (state: State, set: string): State =>
  hasChanged(state, set) ? state : { ...state, changedSets: [...(state.changedSets ?? []), set] };

export const isUnknown = (state: State, field: UnknownField): boolean => state.packet.unknown?.includes(field) === true;

export const withUnknown = (state: State, field: UnknownField): State =>
  isUnknown(state, field) ? state : withPacket(state, { unknown: [...(state.packet.unknown ?? []), field] });

export const withKnown = (state: State, field: UnknownField): State =>
  isUnknown(state, field) ? withPacket(state, { unknown: (state.packet.unknown ?? []).filter((other) => other !== field) }) : state;
