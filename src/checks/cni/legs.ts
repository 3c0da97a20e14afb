import type { Facts } from '../../facts/facts.ts';
import { isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Reason } from '../../model/observed.ts';
import type { Leg, Place } from '../../walk/leg.ts';
import { lookupRoute } from '../../walk/route-lookup.ts';
import { type CheckResult, cannotTell, type Fault, type FaultParts, fail, fault, pass, skip } from '../check.ts';
import { dependenciesOf, flowEndpoints, hostOf, originNode } from '../traffic.ts';

/** Legs by the two addresses alone, either way: what breaks the way or the way back, whatever is sent on it. */
export const pathKey = (leg: Leg): string => [leg.from.address, leg.to.address].sort().join('-');
/** Legs by addresses, protocol and port: what a rule may tell apart. */
export const flowKey = (leg: Leg): string => `${leg.from.address}>${leg.to.address}:${leg.protocol}${leg.port ?? ''}`;

const legsByProbe = new WeakMap<ProbeResult, Leg[]>();

/** The pod-to-pod (or node-to-node) legs that a probe needs; those to other addresses (a node's, an outside one) among them. */
export function legsOf(facts: Facts, probe: ProbeResult): Leg[] {
  const known = legsByProbe.get(probe);
  if (known) return known;
  const legs = dependenciesOf(facts, probe).addresses.flatMap((address) => {
    const from = originPlace(facts, probe, address);
    return from ? [{ from, to: placeOf(facts, address), ...portOf(facts, probe, address), isReply: false }] : [];
  });
  legsByProbe.set(probe, legs);
  return legs;
}

/**
 * Every leg that this diagnosis is about: those to the addresses that were probed, and those that a failing name or Service needs. Where no
 * probe could be sent, those from the client to its endpoints and DNS servers. A Service with hundreds of endpoints is judged by a few.
 */
export function flowLegs(facts: Facts): Leg[] {
  const known = legsOfFlow.get(facts);
  if (known) return known;
  const legs = findFlowLegs(facts);
  legsOfFlow.set(facts, legs);
  return legs;
}

const legsOfFlow = new WeakMap<Facts, Leg[]>();

function findFlowLegs(facts: Facts): Leg[] {
  const direct = directProbes(facts);
  const others = facts.probes.filter((probe) => probe.stage !== 'node' && isFailing(probe) && !direct.includes(probe));
  const legs = [...direct.flatMap((probe) => legsOf(facts, probe)), ...others.flatMap((probe) => legsOf(facts, probe).slice(0, mostLegs))];
  const { client } = facts;
  if (client.address !== undefined && legs.length === 0) {
    const from: Place = {
      address: client.address,
      node: client.node,
      pod: client.pod?.spec.hostNetwork ? undefined : client.pod,
      isNode: client.pod === undefined || client.pod.spec.hostNetwork === true,
    };
    const endpoints = flowEndpoints(facts).slice(0, mostLegs);
    legs.push(
      ...endpoints.map((endpoint) => ({
        from,
        to: placeOf(facts, endpoint.address),
        protocol: protocolOf(endpoint.protocol),
        port: endpoint.port,
        isReply: false,
      })),
    );
  }
  return [...new Map(legs.map((leg) => [flowKey(leg), leg])).values()];
}

const mostLegs = 12;

/** Probes whose outcome belongs to one address alone. */
export const directProbes = (facts: Facts): ProbeResult[] =>
  facts.probes.filter(
    (probe) =>
      probe.stage === 'endpoint' ||
      probe.stage === 'payload' ||
      (probe.stage === 'dns-server' && !facts.dns.addresses.includes(hostOf(probe.target))),
  );

function originPlace(facts: Facts, probe: ProbeResult, to: string): Place | undefined {
  const node = originNode(facts, probe);
  const pod = probe.origin.kind === 'pod' ? facts.pod(probe.origin.namespace ?? '', probe.origin.name) : undefined;
  if (pod && !pod.spec.hostNetwork)
    return pod.status.podIP === undefined ? undefined : { address: pod.status.podIP, node, pod, isNode: false };
  if (node === null) return undefined;
  const address = sourceAddress(facts, node, to) ?? facts.nodeAddress(node);
  return address === undefined ? undefined : { address, node, pod: undefined, isNode: true };
}

/** The address that a node gives to its own packets for a destination: of the route, else the first of its device. */
function sourceAddress(facts: Facts, node: string, to: string): string | undefined {
  const net = facts.nodeNet(node);
  const decision = lookupRoute(net, { to });
  if (decision.state !== 'seen' || !decision.value.route) return undefined;
  const { route, dev } = decision.value;
  if (route.src !== undefined) return route.src;
  const addresses = net.addresses();
  return addresses.state === 'seen'
    ? addresses.value.find((link) => link.name === dev)?.addresses.find((item) => item.family === 4)?.address
    : undefined;
}

export function placeOf(facts: Facts, address: string): Place {
  const pod = facts.podByAddress(address);
  const nodes = facts.nodes();
  const isNode = nodes.state === 'seen' && nodes.value.some((node) => node.status.addresses?.some((known) => known.address === address));
  return { address, node: facts.nodeOf(address), pod, isNode };
}

function portOf(facts: Facts, probe: ProbeResult, address: string): Pick<Leg, 'protocol' | 'port'> {
  if (probe.stage === 'payload' || probe.stage === 'node') return { protocol: 'icmp', port: undefined };
  if (probe.stage === 'endpoint') return { protocol: 'tcp', port: Number(/:(\d+)$/.exec(probe.target)?.[1]) };
  const isDns = probe.stage === 'name' || probe.stage === 'dns-server';
  const endpoint = flowEndpoints(facts).find((item) => item.address === address && item.dns === isDns);
  if (endpoint) return { protocol: protocolOf(endpoint.protocol), port: endpoint.port };
  return isDns ? { protocol: 'udp', port: 53 } : { protocol: 'tcp', port: facts.target.port?.port };
}

const protocolOf = (name: string): Leg['protocol'] => (name === 'UDP' ? 'udp' : name === 'SCTP' ? 'sctp' : 'tcp');

/** What one leg shows to a check. Legs with the same `key` share one fault, whose words come from the first of them. */
export type LegFinding =
  | { state: 'fine' }
  | { state: 'none' }
  | { state: 'unknown'; reason: Reason; detail: string }
  | { state: 'broken'; key: string; parts: (legs: readonly Leg[]) => Omit<FaultParts, 'breaks'> };

export const fine: LegFinding = { state: 'fine' };
export const none: LegFinding = { state: 'none' };

export interface LegCheck {
  /** Looks at one leg; several findings where more than one thing is wrong on it. */
  examine: (leg: Leg) => LegFinding[];
  keyOf?: (leg: Leg) => string;
  passed: string;
  by: string;
  /** Said when no leg has what the check is about. */
  skipped: string;
}

/**
 * Examines every leg of the flow. A leg that was seen to work is not broken, whatever the tables seem to say; each fault breaks exactly the
 * probes that need one of its legs.
 */
export function judgeLegs(facts: Facts, check: LegCheck): CheckResult {
  const keyOf = check.keyOf ?? pathKey;
  const works = legsSeenToWork(facts, keyOf);
  const broken = new Map<string, { legs: Leg[]; parts: (legs: readonly Leg[]) => Omit<FaultParts, 'breaks'> }>();
  const doubts: Extract<LegFinding, { state: 'unknown' }>[] = [];
  let looked = 0;
  for (const leg of flowLegs(facts)) {
    for (const finding of check.examine(leg)) {
      if (finding.state === 'fine') looked += 1;
      if (finding.state === 'unknown' && !works.has(keyOf(leg))) doubts.push(finding);
      if (finding.state !== 'broken') continue;
      if (works.has(keyOf(leg))) {
        looked += 1;
        continue;
      }
      const known = broken.get(finding.key);
      if (known) known.legs.push(leg);
      else broken.set(finding.key, { legs: [leg], parts: finding.parts });
    }
  }
  if (broken.size > 0)
    return fail(...[...broken.values()].map(({ legs, parts }) => fault({ ...parts(legs), breaks: breaksLegs(facts, legs, keyOf) })));
  const [doubt] = doubts;
  if (doubt) return cannotTell(doubt.reason, doubt.detail);
  return looked > 0 ? pass(check.passed, check.by) : skip(check.skipped);
}

/** True for each probe that needs one of these legs. Probes from node to node pass nothing that a CNI made. */
export function breaksLegs(facts: Facts, legs: readonly Leg[], keyOf: (leg: Leg) => string = pathKey): Fault['breaks'] {
  const keys = new Set(legs.map(keyOf));
  return (probe) => probe.stage !== 'node' && legsOf(facts, probe).some((leg) => keys.has(keyOf(leg)));
}

/**
 * Legs on which something was answered each time. By the path alone, one answer of any kind is enough, a refusal or a closed connection too:
 * the way there and back carries packets then.
 */
export function legsSeenToWork(facts: Facts, keyOf: (leg: Leg) => string = pathKey): ReadonlySet<string> {
  const answered = directProbes(facts).filter((probe) => isPassing(probe) || (keyOf === pathKey && wasAnswered(probe)));
  return new Set(answered.flatMap((probe) => legsOf(facts, probe).map(keyOf)));
}

const wasAnswered = (probe: ProbeResult): boolean =>
  probe.payload?.small === true || (probe.tries.length > 0 && probe.tries.every((item) => item.ok || answers.has(item.cause ?? '')));
const answers = new Set(['refused', 'reset', 'no-answer', 'empty-reply', 'tls', 'nxdomain', 'servfail', 'dns-refused', 'no-address']);

/** True when nothing was seen to pass between the pods of two nodes, of the legs that count. */
export function nothingPasses(facts: Facts, one: string, two: string, counts: (leg: Leg) => boolean = () => true): boolean {
  const works = legsSeenToWork(facts);
  return !flowLegs(facts).some((leg) => !leg.to.isNode && isBetween(leg, one, two) && counts(leg) && works.has(pathKey(leg)));
}

export const isBetween = ({ from, to }: Leg, one: string, two: string): boolean =>
  (from.node === one && to.node === two) || (from.node === two && to.node === one);

/** Node names of an observation that was not made, for a report. */
export const unseen = (observed: { state: string; reason?: Reason; detail?: string }, what: string): LegFinding => ({
  state: 'unknown',
  reason: observed.reason ?? 'not-collected',
  detail: `${what}: ${observed.detail ?? 'not there'}`,
});

/** "pods of n2 and n3", by the far ends of the legs. */
export const farNodes = (legs: readonly Leg[], near: string): string => {
  const names = [
    ...new Set(legs.flatMap((leg) => [leg.from.node, leg.to.node]).filter((name): name is string => name !== null && name !== near)),
  ].sort();
  return names.length === 0
    ? 'other nodes'
    : names.length === 1
      ? (names[0] as string)
      : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
};
