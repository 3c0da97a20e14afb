import type { Facts } from '../../facts/facts.ts';
import { failed, isFailing, isPassing, type ProbeResult, type Try } from '../../facts/probe-results.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Observed } from '../../model/observed.ts';
import type { Socket } from '../../model/socket.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { packetOf, rulesetsOf, walkHook } from '../../walk/node-rules.ts';
import { type CheckResult, cannotTell, notSeen } from '../check.ts';
import { usable } from '../dns/dns-pods.ts';
import { hostOf } from '../traffic.ts';

/** A ready endpoint of the Service with its pod and what listens there. */
export interface Backend {
  endpoint: Endpoint;
  pod: Pod;
  /** Snapshot key of its `ss -lntu`. */
  entry: string;
  sockets: Observed<Socket[]>;
  /** What the client got from it directly. */
  probe: ProbeResult | undefined;
}

/** Backends that traffic is sent to: ready ones, or terminating ones that still serve. TCP only. */
export function backendsOf(facts: Facts): Backend[] {
  const { endpoints } = facts.target;
  if (endpoints.state !== 'seen') return [];
  return usable(endpoints.value)
    .filter((endpoint) => endpoint.protocol === 'TCP')
    .flatMap((endpoint) => {
      const pod = endpoint.pod ? facts.pod(endpoint.pod.namespace, endpoint.pod.name) : facts.podByAddress(endpoint.address);
      if (!pod) return [];
      const net = facts.podNet(pod);
      const probe = facts.probesOf('endpoint', facts.client.origin).find((item) => item.target === `${endpoint.address}:${endpoint.port}`);
      return [{ endpoint, pod, entry: `${net.prefix}/ss`, sockets: net.sockets(), probe }];
    });
}

export const listeners = (sockets: readonly Socket[]): Socket[] =>
  sockets.filter((socket) => socket.netid === 'tcp' && socket.state === 'LISTEN');
export const listenersAt = (sockets: readonly Socket[], port: number): Socket[] =>
  listeners(sockets).filter((socket) => socket.local.port === port);
export const isLoopback = (host: string): boolean => /^127\./.test(host) || host === '::1' || /^::ffff:127\./.test(host);

/** True when rules in the pod's own namespace send this port elsewhere (a mesh's sidecar): then who listens there says nothing. */
export function isRedirected(facts: Facts, backend: Backend): boolean {
  const net = facts.podNet(backend.pod);
  const rulesets = rulesetsOf(net);
  if (rulesets.state !== 'seen' || net.prefix.startsWith('node/')) return false;
  const source = facts.client.address ?? '192.0.2.1';
  const packet = packetOf(
    { source, destination: backend.endpoint.address, protocol: 'tcp', destinationPort: backend.endpoint.port },
    { in: 'eth0' },
  );
  return walkHook(net, rulesets.value, 'prerouting', packet).some((outcome) => outcome.dnat !== undefined || outcome.tproxy !== undefined);
}

export const redirectedDetail = ({ endpoint, pod }: Backend): string =>
  `rules inside pod ${pod.metadata.namespace}/${pod.metadata.name} send port ${endpoint.port} elsewhere, so that its listeners do not tell who answers`;

/** Whether a refusal, and not silence, is what was seen: only that says that nothing listens. */
const refusals = (tries: readonly Try[]): boolean => tries.some((item) => item.cause === 'refused' || item.cause === 'reset');

/**
 * Probes that backends which refuse break: their own, and the Service's, which sends connections to them. A probe that only timed out was
 * lost on the way and is not theirs.
 */
export const brokenByRefusing = (facts: Facts, backends: readonly Backend[]) => brokenBy(facts, backends, refusals);

export function brokenBy(
  facts: Facts,
  backends: readonly Backend[],
  like: (tries: readonly Try[]) => boolean,
): (probe: ProbeResult) => boolean {
  const targets = new Set(backends.map(({ endpoint }) => `${endpoint.address}:${endpoint.port}`));
  return (probe) => {
    const reaches =
      probe.stage === 'endpoint'
        ? targets.has(probe.target)
        : probe.stage === 'service' && facts.target.addresses.includes(hostOf(probe.target));
    return reaches && (isPassing(probe) || like(failed(probe)));
  };
}

/** "pod default/web-1 (10.244.1.5)" or "all 3 backends, such as pod …,". */
export function nameBackends(bad: readonly Backend[], all: number): string {
  const first = bad[0] as Backend;
  const pod = `pod ${first.pod.metadata.namespace}/${first.pod.metadata.name}`;
  if (bad.length === 1)
    return all === 1 ? pod : `1 of ${all} backends, ${pod}${first.pod.spec.nodeName ? ` on ${first.pod.spec.nodeName}` : ''},`;
  return `${bad.length === all ? `all ${all}` : `${bad.length} of ${all}`} backends, such as ${pod},`;
}

export const socketEvidence = (backend: Backend, sockets: readonly Socket[]): EvidenceRef =>
  evidence(backend.entry, ...sockets.map((socket) => socket.line));

/** A backend whose refusal was not contradicted: it was seen to fail, or could not be asked. */
export const mayRefuse = (backend: Backend): boolean =>
  backend.probe === undefined || backend.probe.unknown !== null || isFailing(backend.probe);

/** Unknown where the listeners of a backend were not read, or not whole, and no probe shows that it answers; null where nothing is missing. */
export function listenersNotSeen(backends: readonly Backend[]): CheckResult | null {
  const unseen = backends.find(
    ({ sockets, probe }) => (sockets.state !== 'seen' || !sockets.complete) && !(probe && !isFailing(probe) && probe.unknown === null),
  );
  if (!unseen) return null;
  return unseen.sockets.state === 'unknown'
    ? cannotTell(unseen.sockets.reason, `listeners of pod ${unseen.pod.metadata.name}: ${unseen.sockets.detail}`)
    : notSeen(unseen.sockets);
}
