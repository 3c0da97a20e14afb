import type { NamespaceFacts } from '../facts/node-facts.ts';
import { type EvidenceRef, evidence } from '../model/evidence.ts';
import type { NetfilterRuleset, Rule } from '../model/netfilter.ts';
import { chainOutcomes, type Decision, evaluateHook, type Outcome } from './netfilter.ts';
import { contextOf, deviceFor, entryOfDecision, packetOf, rulesetsOf } from './node-rules.ts';
import { untrackedBy } from './step-rule.ts';

/** What a node's rules do to the first packet to a virtual address. */
export interface VirtualAddressWalk {
  /** Backends that it is translated to, `address:port`. */
  backends: { address: string; port: number | undefined; decision: Decision }[];
  /** What happens to it where it is not translated. */
  untranslated: 'none' | 'passes' | 'rejected' | 'dropped' | 'cannot-tell';
  /** The rule that rejects or drops, or that can't be told. */
  decision: Decision | undefined;
  why: string | undefined;
  outcomes: Outcome[];
  /** The rule by which every packet to the address is untracked, so that none can be translated. */
  untrackedBy: Decision | undefined;
  /** Rules and map elements that name the address, wherever they stand. */
  mentions: Mention[];
  /** All rules of the node were read, so that "there is none" can be said. */
  complete: boolean;
  incompleteWhy: string | undefined;
}

export interface Mention {
  ref: EvidenceRef;
  text: string;
  /** It belongs to translation (nat table, or kube-proxy's map of Services), not to a filter. */
  translates: boolean;
  line: number;
  source: NetfilterRuleset['source'];
  /** The chain that the rule stands in; an element of a map stands in none. */
  chain?: string;
}

/**
 * Sends a packet to a virtual address through the hook that translates it: PREROUTING for a pod behind the node, OUTPUT for a process of the
 * node itself. Only then are the rules searched for the address, to say why it is not translated.
 */
export function walkVirtualAddress(
  net: NamespaceFacts,
  flow: { source: string; address: string; port: number; protocol: 'tcp' | 'udp' | 'sctp' },
  from: 'pod' | 'node',
): VirtualAddressWalk | { unknown: string } {
  const rulesets = rulesetsOf(net);
  if (rulesets.state !== 'seen') return { unknown: rulesets.state === 'unknown' ? rulesets.detail : 'no rules' };
  const packet = packetOf(
    { source: flow.source, destination: flow.address, protocol: flow.protocol, destinationPort: flow.port },
    from === 'pod' ? { in: deviceFor(net, flow.source) } : { out: deviceFor(net, flow.address) },
  );
  const first = evaluateHook(rulesets.value, from === 'pod' ? 'prerouting' : 'output', packet, contextOf(net));
  // A Service without endpoints is rejected in FORWARD or OUTPUT of the filter table (kube-proxy proxier.go, KUBE-SERVICES).
  const outcomes =
    from === 'pod'
      ? first.flatMap((outcome) =>
          outcome.verdict === 'accept' && !outcome.dnat
            ? evaluateHook(
                rulesets.value,
                'forward',
                { ...outcome.packet, outInterface: deviceFor(net, flow.address) ?? '' },
                contextOf(net),
              ).map((later) => chainOutcomes(outcome, later))
            : [outcome],
        )
      : first;
  const backends = outcomes.flatMap((outcome) =>
    outcome.dnat?.address ? [{ address: outcome.dnat.address, port: outcome.dnat.port, decision: outcome.dnat.decision }] : [],
  );
  const rest = outcomes.filter((outcome) => !outcome.dnat?.address);
  const worst =
    rest.find((outcome) => outcome.verdict === 'insufficient-info') ?? rest.find((outcome) => outcome.verdict !== 'accept') ?? rest[0];
  const stepOf = (outcome: Outcome | undefined): Decision | undefined =>
    outcome?.assumptions.length === 0 ? untrackedBy(rulesets.value, outcome) : undefined;
  return {
    backends,
    untranslated:
      worst === undefined
        ? 'none'
        : ({ accept: 'passes', drop: 'dropped', reject: 'rejected', 'insufficient-info': 'cannot-tell' } as const)[worst.verdict],
    decision: worst?.verdict === 'accept' ? undefined : worst?.decidedBy,
    why: worst?.why,
    outcomes,
    untrackedBy: outcomes.length > 0 && outcomes.every((outcome) => stepOf(outcome) !== undefined) ? stepOf(outcomes[0]) : undefined,
    mentions: rulesets.value.flatMap((ruleset) => mentionsOf(net, ruleset, flow.address, flow.port)),
    complete: rulesets.complete,
    incompleteWhy: rulesets.complete ? undefined : incompleteReason(net),
  };
}

function incompleteReason(net: NamespaceFacts): string {
  for (const [name, observed] of [
    ['iptables', net.iptables()],
    ['iptables-legacy', net.iptablesLegacy()],
    ['nft', net.nft()],
  ] as const) {
    if (observed.state === 'unknown') return `${name}: ${observed.detail}`;
    if (observed.state === 'seen' && !observed.complete) return `${name}: not every line was understood`;
  }
  return 'not all rules were read';
}

function mentionsOf(net: NamespaceFacts, ruleset: NetfilterRuleset, address: string, port: number): Mention[] {
  const base = { source: ruleset.source, decisionSource: ruleset.source };
  const entry = entryOfDecision(net, { source: base.decisionSource } as Decision);
  const named = new RegExp(`(^|[^0-9.])${address.replaceAll('.', '\\.')}(/32)?([^0-9.]|$)`);
  const portNamed = new RegExp(`(^|[^0-9])${port}([^0-9]|$)`);
  return ruleset.tables.flatMap((table) => [
    ...table.chains.flatMap((chain) =>
      chain.rules
        .filter((rule: Rule) => named.test(rule.text) && portNamed.test(rule.text))
        .map((rule) => ({
          ref: evidence(entry, rule.line),
          text: rule.text,
          // A Service's own chain names its address too; what leads to that chain is another rule.
          translates:
            (table.name === 'nat' && !/^KUBE-(SVC|SEP|FW|EXT|XLB|SVL)-/.test(chain.name)) || /^(service-ips|services)$/.test(chain.name),
          line: rule.line,
          source: ruleset.source,
          chain: chain.name,
        })),
    ),
    ...table.sets.flatMap((set) =>
      set.elements
        .filter(
          (element) =>
            element.key[0]?.type === 'literal' &&
            element.key[0].text === address &&
            element.key.some((part) => part.type === 'literal' && part.text === String(port)),
        )
        .map((element) => ({
          ref: evidence(entry, element.line),
          text: `${set.name}: ${address}`,
          translates: set.name === 'service-ips',
          line: element.line,
          source: ruleset.source,
        })),
    ),
  ]);
}
