import type { Destination } from './destination.ts';
import { assuming, nameOf, type Station, type Way, type World } from './way.ts';
import { servicesOf } from './world.ts';

/** States in which a first packet from the same ports opens a new connection in the place of the tracked one. */
const reopened = new Set(['TIME_WAIT', 'CLOSE']);
const portsShown = 5;

/** What a reader would not see from the ways of a request: connections that lead elsewhere, and an address that is no machine's. */
export function withRemarks(world: World, destination: Destination, requests: readonly Way[]): Way[] {
  const diverted = divertedConnections(world, destination, requests);
  const deaf = world.flow.protocol === 'icmp' && isClusterIp(world, destination.address);
  return requests.map((way) => {
    if (way.next.at !== 'end') return way;
    const { next } = way;
    if (next.disposition === 'delivered') return diverted === undefined ? way : assuming(way, diverted);
    return deaf ? { ...way, next: { ...next, why: `${next.why} (${noPing})` } } : way;
  });
}

const noPing = "a ClusterIP answers no ping by design: it is a virtual address, and kube-proxy translates only the Service's ports";

const isClusterIp = ({ facts }: World, address: string): boolean =>
  servicesOf(facts).some(({ spec }) => (spec.clusterIPs ?? [spec.clusterIP]).includes(address));

/** An entry wins over the rules for a connection with its source port; a flow without one is taken to be new. */
function divertedConnections(
  { flow, origin, stations }: World,
  { address, port }: Destination,
  requests: readonly Way[],
): string | undefined {
  if (flow.sourcePort !== undefined || port === undefined || origin === undefined) return undefined;
  const node: Station | undefined = origin.place.kind === 'node' ? origin : stations.find(({ key }) => key === `node/${origin.place.node}`);
  const table = node?.net.conntrack();
  if (node === undefined || table?.state !== 'seen') return undefined;
  const sources = new Set(requests.map(({ packet }) => packet.source));
  const own = new Set([...(origin.pod?.status.podIPs ?? []).map(({ ip }) => ip), origin.pod?.status.podIP ?? '', ...sources]);
  const reached = new Set([address, ...requests.map(({ packet, inside }) => (inside[0]?.packet ?? packet).destination)]);
  const elsewhere = table.value.flows.filter(
    ({ protocol, state, original, reply }) =>
      protocol === flow.protocol &&
      original.dst === address &&
      original.dport === port &&
      own.has(original.src) &&
      !reopened.has(state ?? '') &&
      reply !== undefined &&
      !reached.has(reply.src),
  );
  const [first] = elsewhere;
  if (first === undefined) return undefined;
  const ports = elsewhere.flatMap(({ original }) => original.sport ?? []);
  const shown = `${ports.slice(0, portsShown).join(', ')}${ports.length > portsShown ? ', …' : ''}`;
  const to = [...new Set(elsewhere.map(({ reply }) => reply.src))].join(', ');
  const are = elsewhere.length === 1 ? '1 connection' : `${elsewhere.length} connections`;
  return `the connection comes from a source port that is not in use: ${nameOf(node)} tracks ${are} of this client to ${address}:${port} that ${elsewhere.length === 1 ? 'leads' : 'lead'} elsewhere (to ${to}), and what comes from the same source port (${shown}) goes there; --source-port ${ports[0] ?? 'PORT'} follows it`;
}
