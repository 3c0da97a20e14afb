import type { Facts } from '../facts/facts.ts';
import type { NamespaceFacts } from '../facts/node-facts.ts';
import type { Hook, NetfilterRuleset } from '../model/netfilter.ts';
import { type Observed, unknown } from '../model/observed.ts';
import type { Packet } from '../model/packet.ts';
import { type Leg, type Passage, passagesOf } from './leg.ts';
import { type Decision, evaluateHooks } from './netfilter.ts';
import { asReply, contextOf, entryOfDecision, packetOf, rulesetsOf, stopOf } from './node-rules.ts';

/** A packet that the rules of one namespace surely stop. */
export interface Stop {
  passage: Passage;
  decision: Decision;
  /** Snapshot key of the output in which the rule or policy stands. */
  entry: string;
  rejectWith: string | undefined;
  /** Share of the packets that it stops, 0 to 1: less than 1 for a rule that leaves it to chance (`statistic`, `numgen`). */
  share: number;
}

export type Verdict = { state: 'passes' } | { state: 'stopped'; stop: Stop } | { state: 'unknown'; detail: string };

const hooksOf: Record<Passage['kind'], readonly Hook[]> = {
  out: ['output', 'postrouting'],
  forward: ['prerouting', 'forward', 'postrouting'],
  bridged: ['prerouting', 'forward', 'postrouting'],
  in: ['prerouting', 'input'],
};

/**
 * Sends a leg's packet through the filters of one namespace: all backends together, without NAT, which changes packets and stops none.
 * A stop counts only where the ruleset that holds it was read whole: a rule that was not understood might have accepted before it.
 */
export function walkPassage(passage: Passage, leg: Leg): Verdict {
  const flow = { source: leg.from.address, destination: leg.to.address, protocol: leg.protocol, ...portsOf(leg) };
  const packet = packetOf(flow, { in: passage.in, out: passage.out });
  return walk(passage, leg.isReply ? asReply(packet) : packet);
}

/** Sends any packet through the hooks of a passage. */
export function walk(passage: Passage, packet: Packet): Verdict {
  const { net } = passage;
  const rulesets = rulesetsOf(net);
  if (rulesets.state !== 'seen')
    return { state: 'unknown', detail: `rules of ${net.prefix}: ${rulesets.state === 'unknown' ? rulesets.detail : 'not there'}` };
  // PREROUTING sees no outgoing device; from FORWARD on it is there. One that is not known is left out, so that rules on it can't be told.
  const onDevices = ({ inInterface: _in, outInterface: _out, ...rest }: Packet): Packet => ({
    ...rest,
    ...(passage.in === undefined ? {} : { inInterface: passage.in }),
    ...(passage.out === undefined ? {} : { outInterface: passage.out }),
  });
  const outcomes = evaluateHooks(rulesets.value.map(withoutNat), hooksOf[passage.kind], onDevices(packet), contextOf(net), onDevices);
  const stopped = stopOf(outcomes);
  if (stopped) {
    const { outcome, decision } = stopped;
    if (!wasReadWhole(net, decision))
      return {
        state: 'unknown',
        detail: `${entryOfDecision(net, decision)} was not read whole, so that "${decision.text}" may come too late`,
      };
    return {
      state: 'stopped',
      stop: { passage, decision, entry: entryOfDecision(net, decision), rejectWith: outcome.rejectWith, share: 1 },
    };
  }
  const partly = outcomes.filter(({ verdict, assumptions }) => (verdict === 'drop' || verdict === 'reject') && assumptions.length === 0);
  const [chance] = partly;
  if (chance?.decidedBy && wasReadWhole(net, chance.decidedBy)) {
    const share = partly.reduce((sum, { probability }) => sum + probability, 0);
    const entry = entryOfDecision(net, chance.decidedBy);
    return { state: 'stopped', stop: { passage, decision: chance.decidedBy, entry, rejectWith: chance.rejectWith, share } };
  }
  const doubtful = outcomes.find((outcome) => outcome.verdict === 'insufficient-info' || outcome.assumptions.length > 0);
  if (doubtful)
    return {
      state: 'unknown',
      detail: `rules of ${net.prefix}: it can't be told whether "${doubtful.decidedBy?.text ?? doubtful.assumptions[0]?.decision.text ?? 'a rule'}" applies${doubtful.why ? ` (${doubtful.why})` : ''}`,
    };
  if (!rulesets.complete && passage.pod === undefined)
    return { state: 'unknown', detail: `not all rules of ${net.prefix} were read: ${unreadRules(net)}` };
  return { state: 'passes' };
}

/** What could not be told about the rules of a namespace. */
export interface Doubt {
  passage: Passage;
  detail: string;
}

/** The first namespace on a leg's way that surely stops it, and what could not be told about the others. */
export function firstStop(facts: Facts, leg: Leg): { stop: Stop | undefined; doubts: Doubt[] } {
  const doubts: Doubt[] = [];
  for (const passage of passagesOf(facts, leg)) {
    const verdict = walkPassage(passage, leg);
    if (verdict.state === 'stopped') return { stop: verdict.stop, doubts };
    if (verdict.state === 'unknown') doubts.push({ passage, detail: verdict.detail });
  }
  return { stop: undefined, doubts };
}

/** The rule as a title names it: `filter FORWARD of iptables-legacy: "-A FORWARD -j DROP"`. */
export const describeDecision = ({ by, source, family, table, chain, text }: Decision): string => {
  const where =
    source === 'nft'
      ? `table ${family} ${table} chain ${chain}`
      : `${table} ${chain}${source === 'iptables-legacy' ? ' of iptables-legacy' : ''}`;
  return by === 'rule' ? `${where}: "${text}"` : `${where}: policy DROP`;
};

const portsOf = (leg: Leg): { sourcePort?: number; destinationPort?: number } => {
  if (leg.port === undefined) return {};
  return leg.isReply ? { sourcePort: leg.port, destinationPort: clientPort } : { sourcePort: clientPort, destinationPort: leg.port };
};
const clientPort = 45_678;

/** nat chains only translate; kube-proxy's are long, and pod addresses meet nothing in them. */
const withoutNat = (ruleset: NetfilterRuleset): NetfilterRuleset => ({
  ...ruleset,
  tables: ruleset.tables.map((table) => ({ ...table, chains: table.chains.filter((chain) => chain.base?.type !== 'nat') })),
});

function wasReadWhole(net: NamespaceFacts, { source }: Decision): boolean {
  const read = source === 'nft' ? net.nft() : source === 'iptables-legacy' ? net.iptablesLegacy() : net.iptables();
  return read.state === 'seen' && read.complete;
}

function unreadRules(net: NamespaceFacts): string {
  const reads: [string, Observed<unknown>][] = [
    ['iptables-save', net.iptables()],
    ['iptables-legacy-save', net.iptablesLegacy()],
    ['nft', net.nft()],
  ];
  const missing = reads.find(([, read]) => read.state !== 'seen' || !read.complete);
  const read = missing?.[1] ?? unknown('unparsed', 'not whole');
  return `${missing?.[0] ?? ''} ${read.state === 'unknown' ? read.detail : 'was not understood whole'}`;
}
