import type { NetfilterRuleset } from '../../model/netfilter.ts';
import type { ConntrackTuple } from '../../model/packet.ts';
import { chainsAt, seesFamily } from './lookup.ts';
import { type State, withPacket } from './types.ts';

const natHooks = ['prerouting', 'input', 'output', 'postrouting'] as const;

/**
 * Gives a packet of a connection that is translated already the addresses that its entry says, at one end: the destination at prerouting and
 * output, the source at input and postrouting; of an answer as of the first direction (nf_nat_packet in net/netfilter/nf_nat_core.c). Without any
 * nat chain in the namespace nobody calls the translation, and the packet stays as it is.
 */
export function translateKnown(rulesets: readonly NetfilterRuleset[], state: State, end: 'source' | 'destination'): State {
  const { conntrack, family } = state.packet;
  const { original, reply, direction } = conntrack;
  const isKnown = conntrack.state === 'established' || conntrack.state === 'related' || conntrack.natSettled.length === 2;
  if (original === undefined || reply === undefined || !isKnown || !hasNat(rulesets, family)) return state;
  const other = direction === 'original' ? reply : original;
  return end === 'destination' ? toward(state, other) : from(state, other);
}

/** Whether a nat chain is there for a family at any hook: then the kernel translates at all four. */
export const hasNat = (rulesets: readonly NetfilterRuleset[], family: 'ip' | 'ip6'): boolean =>
  rulesets.some((ruleset) =>
    natHooks.some((hook) => chainsAt(ruleset, hook).some(({ base, table }) => base.type === 'nat' && seesFamily(table.family, family))),
  );

/** The answer comes from where this packet goes to. */
const toward = (state: State, { source, sourcePort }: ConntrackTuple): State =>
  withPacket(state, { destination: source, ...(sourcePort === undefined ? {} : { destinationPort: sourcePort }) });

const from = (state: State, { destination, destinationPort }: ConntrackTuple): State =>
  withPacket(state, { source: destination, ...(destinationPort === undefined ? {} : { sourcePort: destinationPort }) });
