import type { Facts } from '../../facts/facts.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { podName } from '../app/workload.ts';
import type { Station } from './port-walk.ts';

/** The network namespaces that a query from the client to this DNS pod passes. */
export function stationsTo(facts: Facts, endpoint: Endpoint): Station[] {
  return [...clientStations(facts), ...serverStations(facts, endpoint)];
}

/** The client's own namespace, and its node where it has a namespace of its own. */
export function clientStations(facts: Facts): Station[] {
  const { client } = facts;
  if (!client.net) return [];
  const isOfNode = client.net.prefix.startsWith('node/');
  const own: Station = {
    net: client.net,
    name: isOfNode ? `node ${client.node}` : client.origin.replace('pod/', 'pod '),
    node: client.node,
    kind: 'client',
    passes: 'sends',
  };
  return isOfNode || client.node === null ? [own] : [own, forwarding(facts, client.node)];
}

const forwarding = (facts: Facts, node: string): Station => ({
  net: facts.nodeNet(node),
  name: `node ${node}`,
  node,
  kind: 'node',
  passes: 'forwards',
});

function serverStations(facts: Facts, endpoint: Endpoint): Station[] {
  const pod = podOf(facts, endpoint);
  const node = endpoint.nodeName ?? pod?.spec.nodeName ?? null;
  const own = ownStation(facts, endpoint);
  return [
    ...(node !== null && node !== facts.client.node && !pod?.spec.hostNetwork ? [forwarding(facts, node)] : []),
    ...(own ? [own] : []),
  ];
}

/** The DNS pod's own namespace: the node's for a hostNetwork pod. */
export function ownStation(facts: Facts, endpoint: Endpoint): Station | null {
  const pod = podOf(facts, endpoint);
  if (!pod) return null;
  const hosted = pod.spec.hostNetwork === true;
  return {
    net: facts.podNet(pod),
    name: hosted ? `node ${pod.spec.nodeName}` : `pod ${podName(pod)}`,
    node: pod.spec.nodeName ?? null,
    kind: hosted ? 'node' : 'dns-pod',
    passes: 'receives',
  };
}

export const podOf = (facts: Facts, endpoint: Endpoint): Pod | undefined =>
  endpoint.pod ? facts.pod(endpoint.pod.namespace, endpoint.pod.name) : facts.podByAddress(endpoint.address);
