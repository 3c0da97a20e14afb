import type { Decision, Outcome } from '../walk/netfilter.ts';
import type { Expected } from './expected.ts';
import type { FrontFlow } from './flows.ts';
import type { Found } from './found.ts';
import type { Front } from './node-plan.ts';
import { isOfKubeProxy } from './writers.ts';

/** How a node's tables part from the API's meaning. */
export type DifferenceKind =
  /** Nothing translates, or nothing refuses, what something should. */
  | 'missing'
  /** The rules are there, and no packet comes to them. */
  | 'unhooked'
  /** Another rule takes the packet before. */
  | 'shadowed'
  /** Translated to what is no endpoint (any more). */
  | 'stale-endpoint'
  /** An endpoint that should be used is not. */
  | 'missing-endpoint'
  /** Refused or dropped although there are endpoints, or the one instead of the other. */
  | 'wrong-verdict'
  | 'wrong-masquerade'
  /** Session affinity asked for, and no rule keeps it, or the other way round. */
  | 'wrong-affinity'
  /** Rules of another mode or backend translate the same. */
  | 'doubled'
  /** Translated although no Service has that address and port. */
  | 'stale-front'
  /** Translated as meant, and then stopped by a rule that is not kube-proxy's. */
  | 'stopped-after';

/** One difference of one flow. */
export interface Difference {
  kind: DifferenceKind;
  front: Front;
  flow: FrontFlow;
  /** Endpoints that it is about, `address:port`. */
  endpoints: string[];
  /** All that the node's tables do with the flow. */
  found: Found;
  /** The one outcome that shows the difference, where one does. */
  outcome?: Outcome;
  expects: Expected['kind'];
  /** No packet goes wrong by it; told only where its reason is one that others will go wrong by. */
  harmless?: true;
  /** In words: what is, against what should be. */
  is: string;
  should: string;
}

export type Comparison = { differences: Difference[] } | { unknown: string };

/** Holds what a node's tables do against what they should do, for one flow. */
export function compareFlow(front: Front, flow: FrontFlow, expected: Expected, found: Found, masqueradeSure: boolean): Comparison {
  if (expected.kind === 'unknown') return { unknown: expected.why };
  const [unrouted] = found.rest.filter(({ kind }) => kind === 'unrouted');
  if (unrouted && expected.kind !== 'untouched' && expected.kind !== 'accepted')
    return { unknown: `the node has no route to ${flow.destination}, so that no rule after the routing sees the packet` };
  const differences =
    expected.kind === 'translated'
      ? againstEndpoints(front, flow, expected, found, masqueradeSure)
      : againstVerdict(front, flow, expected, found);
  if (differences.length > 0 && found.unknown !== null) return { unknown: found.unknown };
  if (found.unknown !== null && found.passages.every(({ outcome }) => outcome.verdict === 'insufficient-info'))
    return { unknown: found.unknown };
  return { differences };
}

type Translated = Extract<Expected, { kind: 'translated' }>;
type Refused = Exclude<Expected, Translated | { kind: 'unknown' }>;
type Base = Pick<Difference, 'front' | 'flow' | 'found' | 'expects' | 'should'>;

const difference = (base: Base, kind: DifferenceKind, is: string, endpoints: readonly string[], outcome?: Outcome): Difference => ({
  ...base,
  kind,
  is,
  endpoints: [...endpoints],
  ...(outcome === undefined ? {} : { outcome }),
});

function againstEndpoints(front: Front, flow: FrontFlow, expected: Translated, found: Found, masqueradeSure: boolean): Difference[] {
  const wanted = [...expected.endpoints.keys()];
  const base: Base = { front, flow, found, expects: expected.kind, should: `to be translated to ${listed(wanted)}` };
  const taken = [...found.endpoints].filter(([, { decision }]) => !isOfKubeProxy(decision)).map(([key]) => key);
  if (taken.length > 0)
    return [difference(base, 'shadowed', `is translated to ${listed(taken)} by a rule that is not kube-proxy's`, taken)];
  if (found.endpoints.size === 0) return untranslated(base, wanted);
  return [
    ...endpointsOf(base, wanted, expected),
    ...(masqueradeSure ? masqueradeOf(base, expected) : []),
    ...affinityOf(base),
    ...stoppedAfter(base),
  ];
}

function endpointsOf(base: Base, wanted: readonly string[], expected: Translated): Difference[] {
  const { endpoints, rest } = base.found;
  const extra = [...endpoints.keys()].filter((key) => !expected.endpoints.has(key));
  const lacking = wanted.filter((key) => !endpoints.has(key));
  const [leak] = rest;
  if (extra.length > 0) {
    const instead = lacking.length === 0 ? '' : `, and never to ${listed(lacking)}`;
    return [difference(base, 'stale-endpoint', `is translated to ${listed(extra)}, not among its endpoints (any more)${instead}`, extra)];
  }
  if (lacking.length > 0)
    return [difference(base, 'missing-endpoint', `is never translated to ${listed(lacking)}`, lacking, leak?.outcome)];
  if (leak === undefined) return [];
  return [difference(base, 'missing-endpoint', `is not translated in ${percent(leak.share)} of the connections`, [], leak.outcome)];
}

/** Not translated at all: dropped or rejected by somebody, or left as it is; why is a matter of explain.ts. */
function untranslated(base: Base, wanted: readonly string[]): Difference[] {
  const [rest] = base.found.rest;
  if (!rest) return [];
  const { outcome, kind } = rest;
  const by = outcome.decidedBy;
  if (kind === 'untouched' || by === undefined || answersForNone(by))
    return [difference(base, 'missing', 'is not translated', wanted, outcome)];
  return isOfKubeProxy(by)
    ? [difference(base, 'wrong-verdict', `is ${kind} by kube-proxy's own rule`, wanted, outcome)]
    : [difference(base, 'shadowed', `is ${kind} by a rule that is not kube-proxy's`, wanted, outcome)];
}

/** nftables mode rejects what goes to a ClusterIP and was not translated: that it was not is the matter, not who rejects it. */
const answersForNone = (by: Decision): boolean => by.source === 'nft' && by.table === 'kube-proxy' && by.chain === 'cluster-ips-check';

const shouldOf: Record<Refused['kind'], string> = {
  rejected: 'to be rejected, as it has no endpoints',
  dropped: 'to be dropped on this node',
  accepted: 'to be accepted',
  untouched: 'to be left alone',
};

function againstVerdict(front: Front, flow: FrontFlow, expected: Refused, found: Found): Difference[] {
  const base: Base = { front, flow, found, expects: expected.kind, should: shouldOf[expected.kind] };
  const own = [...found.endpoints].filter(([, { decision }]) => isOfKubeProxy(decision)).map(([key]) => key);
  if (own.length > 0) return [difference(base, 'stale-endpoint', `is translated to ${listed(own)}`, own)];
  const refuses = expected.kind === 'rejected' || expected.kind === 'dropped';
  if (found.endpoints.size > 0)
    return refuses ? [difference(base, 'shadowed', "is translated by a rule that is not kube-proxy's", [...found.endpoints.keys()])] : [];
  const [rest] = found.rest;
  if (!rest) return [];
  const { outcome, kind } = rest;
  const isOwn = outcome.decidedBy !== undefined && isOfKubeProxy(outcome.decidedBy);
  if (refuses && kind === 'untouched') return [difference(base, 'missing', 'is neither rejected nor dropped', [], outcome)];
  if (kind === 'untouched' || kind === 'unrouted' || kind === expected.kind) return [];
  // Who else stops a packet that should be stopped does kube-proxy's work.
  if (isOwn) return [difference(base, 'wrong-verdict', `is ${kind} by kube-proxy's own rule`, [], outcome)];
  return expected.kind === 'accepted' ? [difference(base, 'shadowed', `is ${kind} by a rule that is not kube-proxy's`, [], outcome)] : [];
}

/**
 * A pod network may hide sources too, on its way out of the cluster: only what kube-proxy's own rules hide can be too much. Where it hides
 * what kube-proxy should, no packet is wrong; it is handed on nonetheless, since kube-proxy's own rules may have come off their hook.
 */
function masqueradeOf(base: Base, expected: Translated): Difference[] {
  const differs = [...expected.endpoints].filter(([key, { masquerade }]) => {
    const endpoint = base.found.endpoints.get(key);
    if (!endpoint || masquerade === null || endpoint.masquerade === null) return false;
    const own = endpoint.masqueradedBy !== undefined && isOfKubeProxy(endpoint.masqueradedBy);
    return masquerade ? !own : own;
  });
  const [first] = differs;
  if (!first) return [];
  const byOthers = differs.every(([key]) => base.found.endpoints.get(key)?.masquerade === true) && first[1].masquerade === true;
  const [is, should] = first[1].masquerade
    ? [byOthers ? 'is masqueraded by others alone' : 'keeps its source address, so that answers may go past this node', 'to be masqueraded']
    : ['is masqueraded, so that the endpoint sees the node instead of the client', 'to keep its source address'];
  const found = difference(
    { ...base, should },
    'wrong-masquerade',
    is,
    differs.map(([key]) => key),
  );
  return [byOthers ? { ...found, harmless: true } : found];
}

/** Affinity shows in the rules that the packet met: `recent --set` in iptables, `update @affinity…` in nftables mode. */
function affinityOf(base: Base): Difference[] {
  const wanted = base.front.planned.port.affinitySeconds !== null;
  const passage = base.found.passages.find(({ outcome }) => outcome.dnat !== undefined && isOfKubeProxy(outcome.dnat.decision));
  if (!passage) return [];
  const kept = passage.outcome.steps.some(({ text }) => /-m recent .*--set|\bupdate @affinity/.test(text));
  if (kept === wanted) return [];
  const [is, should] = wanted
    ? ['goes to any endpoint each time', 'to stay with one endpoint (sessionAffinity ClientIP)']
    : ['stays with one endpoint', 'to go to any endpoint (sessionAffinity None)'];
  return [difference({ ...base, should }, 'wrong-affinity', is, [], passage.outcome)];
}

function stoppedAfter(base: Base): Difference[] {
  const stopped = base.found.stopped.filter(({ outcome }) => outcome.decidedBy !== undefined && !isOfKubeProxy(outcome.decidedBy));
  const [first] = stopped;
  if (!first) return [];
  const kind = first.outcome.verdict === 'drop' ? 'dropped' : 'rejected';
  const is = `is translated as meant, and then ${kind} by a rule that is not kube-proxy's`;
  return [
    difference(
      base,
      'stopped-after',
      is,
      stopped.map(({ endpoint }) => endpoint),
      first.outcome,
    ),
  ];
}

const mostListed = 4;

/** `a, b, c and 7 more`. */
export function listed(items: readonly string[]): string {
  const rest = items.length - mostListed;
  return rest > 1 ? `${items.slice(0, mostListed).join(', ')} and ${rest} more` : items.join(', ');
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
