import type { NetfilterRuleset } from '../model/netfilter.ts';
import type { Packet } from '../model/packet.ts';
import { type Passage, type RouteDecision, traverseNode } from '../walk/netfilter/traverse.ts';
import type { Decision, Outcome } from '../walk/netfilter.ts';
import { type FrontFlow, packetOf } from './flows.ts';
import type { NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import { endpointKey } from './service-ports.ts';

/** One endpoint that a node's rules translate to. */
export interface FoundEndpoint {
  /** Share of the connections, 0 to 1. */
  share: number;
  /** The rule that translates. */
  decision: Decision;
  /** Null where the packet did not get as far as POSTROUTING, or another endpoint stands for this one. */
  masquerade: boolean | null;
  masqueradedBy: Decision | undefined;
}

/** What a node's tables do with the packet of a flow. */
export interface Found {
  endpoints: Map<string, FoundEndpoint>;
  /** Share of packets that are not translated, and what becomes of them; `unrouted`: the node has no route for them as they are. */
  rest: { kind: 'untouched' | 'unrouted' | 'rejected' | 'dropped'; share: number; outcome: Outcome }[];
  /** Translated, and stopped after that. */
  stopped: { outcome: Outcome; endpoint: string }[];
  /** Set where a rule could not be told: nothing is claimed then. */
  unknown: string | null;
  passages: Passage[];
}

const nothing = 1e-9;

/**
 * Sends the flow's packet through all tables of the node together, from the hook where it comes in to the one where it leaves. Of endpoints
 * whose packets leave alike (device, mark, source), one goes all the way: what kube-proxy does behind the translation depends on nothing else,
 * and a node may have a hundred thousand endpoints.
 */
export function walkFlow(
  plan: NodePlan,
  tables: NodeTables,
  flow: FrontFlow,
  rulesets: readonly NetfilterRuleset[] = tables.rulesets,
): Found {
  const passages = traverseNode(
    rulesets,
    packetOf(plan, flow),
    { origin: flow.origin === 'node' ? 'local' : 'network', route: oneOfEach(tables, flow) },
    tables.context,
  );
  const found: Found = { endpoints: new Map(), rest: [], stopped: [], unknown: null, passages };
  for (const passage of passages) addPassage(found, passage);
  return found;
}

function oneOfEach(tables: NodeTables, flow: FrontFlow): (packet: Packet) => RouteDecision {
  const taken = new Map<string, string>();
  return ({ source, destination, mark, unknown }) => {
    const decision = tables.route(destination);
    if (destination === flow.destination) return decision;
    const out = decision.to === 'device' ? decision.outInterface : decision.to;
    const like = `${out} ${mark} ${source} ${source === destination} ${unknown?.join()}`;
    const first = taken.get(like) ?? destination;
    taken.set(like, first);
    return first === destination ? decision : { to: 'nowhere' };
  };
}

function addPassage(found: Found, { outcome, end }: Passage): void {
  if (outcome.probability < nothing) return;
  if (outcome.verdict === 'insufficient-info') {
    found.unknown ??= `${outcome.why ?? 'a rule can not be told'}${outcome.decidedBy ? `: ${outcome.decidedBy.text}` : ''}`;
    return;
  }
  const [assumed] = outcome.assumptions;
  if (assumed) found.unknown ??= `${assumed.why}: ${assumed.decision.text}`;
  const { dnat } = outcome;
  if (dnat === undefined) {
    const passed = end === 'no-route' ? 'unrouted' : 'untouched';
    const kind = outcome.verdict === 'accept' ? passed : outcome.verdict === 'drop' ? 'dropped' : 'rejected';
    found.rest.push({ kind, share: outcome.probability, outcome });
    return;
  }
  const key = endpointKey(outcome.packet.destination, outcome.packet.destinationPort ?? 0);
  const by = outcome.masquerade?.decision ?? outcome.snat?.decision;
  const before = found.endpoints.get(key);
  found.endpoints.set(key, {
    share: (before?.share ?? 0) + outcome.probability,
    decision: dnat.decision,
    masquerade: end === 'sent' || by !== undefined ? by !== undefined : null,
    masqueradedBy: by,
  });
  if (outcome.verdict !== 'accept') found.stopped.push({ outcome, endpoint: key });
}
