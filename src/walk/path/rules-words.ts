import type { EvidenceRef } from '../../model/evidence.ts';
import { evidence } from '../../model/evidence.ts';
import type { Hook } from '../../model/netfilter.ts';
import type { Packet } from '../../model/packet.ts';
import type { Disposition, Step } from '../../model/trace.ts';
import type { Decision, Outcome } from '../netfilter.ts';
import { entryOfDecision } from '../node-rules.ts';
import { describeDecision } from '../passage-rules.ts';
import { nameOf, type Station, withPort } from './way.ts';

/** The rule's line, and for kube-proxy's maps the elements that the packet's address stands in. */
export const decisionEvidence = (station: Station, decision: Decision): EvidenceRef[] => [
  evidence(entryOfDecision(station.net, decision), decision.line),
];

/** What a hook did, as a step; undefined where no chain of the hook saw the packet. */
export function rulesStep(station: Station, hook: Hook, outcome: Outcome, before: Packet): Step | undefined {
  const changes = changesOf(outcome);
  const { decidedBy } = outcome;
  if (decidedBy === undefined && changes.length === 0) return undefined;
  const name = hook.toUpperCase();
  const decisions = [
    ...changes.map((change) => change.decision),
    ...(decidedBy === undefined ? [] : [decidedBy]),
    ...(changes.length > 0 || outcome.verdict !== 'accept' ? [] : natPolicies(outcome)),
  ];
  const quoted = [...decisions.flatMap((decision) => decisionEvidence(station, decision)), ...elementEvidence(station, outcome, before)];
  const base = { kind: 'rules' as const, evidence: distinct(quoted) };
  if (outcome.verdict === 'accept') {
    const words = changes.map((change) => change.words).join(', ');
    return { ...base, says: `${name} of ${nameOf(station)}: ${words || 'lets it through'}`, brief: words };
  }
  const verb = outcome.verdict === 'reject' ? `rejects it (${outcome.rejectWith ?? 'icmp-port-unreachable'})` : 'drops it';
  const rule = decidedBy ? `: ${describeDecision(decidedBy)}` : '';
  return {
    ...base,
    says: `${name} of ${nameOf(station)} ${verb}${rule}`,
    brief: `${name} ${outcome.verdict === 'reject' ? 'rejects' : 'drops'}`,
  };
}

interface Change {
  words: string;
  decision: Decision;
}

function changesOf({ dnat, snat, masquerade, tproxy, packet }: Outcome): Change[] {
  const source = packet.unknown?.includes('source') ? 'an address that is not known' : packet.source;
  return [
    ...(dnat ? [{ words: `DNAT to ${withPort(packet.destination, packet.destinationPort)}`, decision: dnat.decision }] : []),
    ...(snat ? [{ words: `SNAT to ${source}`, decision: snat.decision }] : []),
    ...(masquerade ? [{ words: `masquerade as ${source}`, decision: masquerade.decision }] : []),
    ...(tproxy ? [{ words: 'TPROXY to a local socket', decision: tproxy.decision }] : []),
  ];
}

/** Where nothing translates, the ends of the nat chains prove it. */
const natPolicies = (outcome: Outcome): Decision[] => outcome.steps.filter((step) => step.by === 'policy' && step.table === 'nat');

/** Elements of sets and maps that the rules met look into, and that hold the packet's address. */
function elementEvidence(station: Station, outcome: Outcome, before: Packet): EvidenceRef[] {
  const nft = station.net.nft();
  if (nft.state !== 'seen') return [];
  const rules = outcome.steps.filter((step) => step.source === 'nft' && step.by === 'rule' && step.text.includes('@'));
  return rules.flatMap((rule) => {
    const names = [...rule.text.matchAll(/@([\w.-]+)/g)].map(([, name]) => name);
    const table = nft.value.tables.find((item) => item.name === rule.table && item.family === rule.family);
    return (table?.sets ?? [])
      .filter((set) => names.includes(set.name))
      .flatMap((set) => set.elements)
      .filter((element) => keyHolds(element.key, before))
      .map((element) => evidence(`${station.key}/nft`, element.line));
  });
}

type ElementKey = { type: string; text?: string }[];

function keyHolds(key: readonly object[], packet: Packet): boolean {
  const texts = (key as ElementKey).map((part) => (part.type === 'literal' ? part.text : undefined));
  return texts.includes(packet.destination) && (key.length === 1 || texts.includes(String(packet.destinationPort)));
}

const distinct = (refs: readonly EvidenceRef[]): EvidenceRef[] => {
  const seen = new Set<string>();
  return refs.filter((ref) => {
    const key = JSON.stringify(ref);
    return seen.has(key) ? false : seen.add(key);
  });
};

/**
 * kube-proxy's own refusals (KUBE-SERVICES "has no endpoints", nft map no-endpoint-services -> reject-chain; pkg/proxy/{iptables,nftables}/proxier.go)
 * and the chains of policy agents are told apart from other drops: Calico's cali-tw- (to a workload) and cali-fw- (from one), kube-router's
 * KUBE-POD-FW-.
 */
export function dispositionOf(outcome: Outcome): Disposition {
  const decision = outcome.decidedBy;
  const met = [...outcome.steps.map((step) => step.chain), decision?.chain ?? ''];
  if (/has no (local )?endpoints/.test(decision?.text ?? '') || outcome.steps.some((step) => step.text.includes('@no-endpoint-services')))
    return 'no-endpoint';
  if (met.some((chain) => chain.startsWith('cali-tw-'))) return 'denied-in';
  if (met.some((chain) => chain.startsWith('cali-fw-'))) return 'denied-out';
  return outcome.verdict === 'reject' ? 'rejected' : 'dropped';
}
