import { randomInt } from 'node:crypto';
import { type CaptureBackend, type CapturePlace, type CapturePlan, type MarkedTry, placeKey } from '../../model/capture-path.ts';
import type { WatchRequest } from '../../model/watch.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { clientPod, sample, serviceAddresses } from '../flow.ts';
import type { Plan } from '../plan.ts';
import { portsOf } from './watch-probe.ts';

/** Endpoints that are each tried directly; each costs a node pod on its node. */
const mostBackends = 4;
const serviceTries = 8;
/** To each endpoint, one try with a short request and one with a long one. */
const lengths = [false, true];

/** Why there is nothing to capture, or the plan. */
export type PlanResult = { ok: true; plan: CapturePlan } | { ok: false; why: string };

/**
 * What is watched: tries to the ClusterIP and to each endpoint, each with a source port of its own, and every namespace that they pass. The ports lie above
 * the range that the kernel takes ports from by itself (ip_local_port_range ends at 60999 by default), so that no other connection has them. A watch tries the
 * ClusterIP as clients do, or the endpoints in turn where there is none; its tries are its ports.
 */
export function planCapture(plan: Plan, watch?: WatchRequest): PlanResult {
  const { client, port } = plan;
  if (client.kind === 'none' || client.node === null) return { ok: false, why: `there is no client to send a probe from: ${client.why}` };
  if (!port) return { ok: false, why: 'the Service has no port' };
  const protocol = port.protocol === 'TCP' ? 'TCP' : 'UDP';
  if (port.protocol !== 'TCP' && port.protocol !== 'UDP')
    return { ok: false, why: `only TCP and UDP are captured, and port ${port.port} is ${port.protocol}` };
  const isDatagram = protocol === 'UDP' && !isDns(plan);
  if (isDatagram && watch)
    return { ok: false, why: `a watch goes by answers, which UDP does not owe, and port ${port.port} is UDP: capture it without --watch` };
  const kind = { protocol, ...(isDatagram ? { datagram: true as const } : {}) } as const;
  const pod = clientPod(plan);
  const node = nodePlace(client.node);
  const nodes = nodeAddresses(plan);
  const address = pod?.status.podIP ?? nodes.find(({ name }) => name === client.node)?.address;
  if (address === undefined || address.includes(':')) return { ok: false, why: 'the client has no IPv4 address' };
  const ready = plan.endpoints.filter((endpoint) => endpoint.ready || endpoint.serving);
  const backends = sample(
    ready.filter(({ address }) => !address.includes(':')),
    mostBackends,
  ).map(
    (endpoint): CaptureBackend => ({
      address: endpoint.address,
      port: endpoint.port,
      place: endpoint.pod ? podPlace(plan.pods.get(`${endpoint.pod.namespace}/${endpoint.pod.name}`)) : null,
    }),
  );
  const virtual = serviceAddresses(plan.service).slice(0, 1);
  const wanted: Omit<MarkedTry, 'sourcePort'>[] = [
    ...virtual.flatMap((ip) =>
      repeat(serviceTries, { stage: 'service', ...kind, target: { address: ip, port: port.port }, full: false } as const),
    ),
    ...backends.flatMap((backend) =>
      lengths.map(
        (full) =>
          ({
            stage: 'endpoint',
            ...kind,
            target: { address: backend.address, port: backend.port },
            full: full && protocol === 'TCP',
          }) as const,
      ),
    ),
  ];
  if (wanted.length === 0) return { ok: false, why: 'the Service has no address, and no endpoint that could be tried' };
  const tries = watch ? watchedTries(wanted, watch) : wanted;
  const first = randomInt(61_000, 65_535 - tries.length);
  const clientPlace = (pod && podPlace(pod)) ?? node;
  const places = [clientPlace, node, ...backends.flatMap(({ place }) => (place ? [place, nodePlace(place.node)] : []))];
  return {
    ok: true,
    plan: {
      client: { place: clientPlace, address },
      backends,
      nodes,
      places: [...new Map(places.map((place) => [placeKey(place), place])).values()],
      tries: tries.map((item, index) => ({ ...item, sourcePort: first + index })),
    },
  };
}

function watchedTries(wanted: readonly Omit<MarkedTry, 'sourcePort'>[], watch: WatchRequest): Omit<MarkedTry, 'sourcePort'>[] {
  const virtual = wanted.filter(({ stage }) => stage === 'service').slice(0, 1);
  const targets = virtual.length > 0 ? virtual : wanted.filter(({ full }) => !full);
  return Array.from({ length: portsOf(watch) }, (_, index) => targets[index % targets.length] as Omit<MarkedTry, 'sourcePort'>);
}

/** A question can be asked, and is known in packets by its name, where both ends of the translation are DNS's own port. */
const isDns = ({ port, endpoints }: Plan): boolean =>
  port?.protocol === 'UDP' && port.port === 53 && endpoints.every((endpoint) => endpoint.port === 53);

const nodePlace = (name: string): CapturePlace => ({ kind: 'node', name, node: name });

/** A hostNetwork pod is its node. */
function podPlace(pod: Pod | undefined): CapturePlace | null {
  const node = pod?.spec.nodeName;
  if (!pod || !node) return null;
  if (pod.spec.hostNetwork) return nodePlace(node);
  return { kind: 'pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name, node };
}

function nodeAddresses(plan: Plan): CapturePlan['nodes'] {
  const known = new Map<string, string>();
  for (const pod of plan.pods.values())
    if (pod.spec.nodeName && pod.status.hostIP && !pod.status.hostIP.includes(':')) known.set(pod.spec.nodeName, pod.status.hostIP);
  return [...known].map(([name, address]) => ({ name, address }));
}

const repeat = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
