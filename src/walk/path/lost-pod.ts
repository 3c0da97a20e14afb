import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { isUp } from '../../model/link.ts';
import { isTunnel } from '../leg.ts';
import { isDefault, lookupRoute } from '../route-lookup.ts';
import { deviceLine, devicesOf, nodeByAddress, ownerOf } from './stations.ts';
import type { Station, World } from './way.ts';

/** Why a packet for a pod, or for a node's address in the pod network, should not have left its node by the default route. */
export interface LostPod {
  says: string;
  evidence: EvidenceRef[];
}

/** Made by loading their module; they mean nothing while nobody uses them. */
const madeByModule = /^(tunl0|sit0|gre0|ip6tnl0|ip_vti0|erspan0)$/;

/**
 * Whether a route to a pod's address (or a node's tunnel's) is missing on a node: its own tunnel device is down, or it or another node has a route of its own for pods of
 * another node. Where none has (a cloud's routers know the pods), the default route may be right: undefined.
 */
export function lostPod(world: World, station: Station, address: string): LostPod | undefined {
  const holder = holderOf(world, address);
  if (holder === undefined || hasOwnRoute(station, address)) return undefined;
  const { far } = holder;
  const what = `${station.place.name} has no route to ${address} (${holder.name} on ${far}) but the default one`;
  const down = devicesOf(station).find(({ link }) => isTunnel(link) && isUp(link) === false && !madeByModule.test(link.name));
  if (down) return { says: `${what}: ${down.link.name} is down, and the routes by it are gone`, evidence: [deviceLine(down)] };
  if (far === station.place.name) return { says: `${what}, though it is its own pod`, evidence: [] };
  for (const other of world.stations.filter(({ place }) => place.kind === 'node')) {
    const known = podRoute(world, other, station.place.name, far, address);
    if (known)
      return {
        says: `${what}; ${other.key === station.key ? 'for pods of other nodes it has routes' : `${other.place.name} has a route of its own for pods of another node`}`,
        evidence: [known],
      };
  }
  return undefined;
}

/** The pod or the node's device that has an address, and its node. */
function holderOf(world: World, address: string): { name: string; far: string } | undefined {
  const pod = world.facts.podByAddress(address);
  if (pod)
    return pod.spec.nodeName === undefined
      ? undefined
      : { name: `pod ${pod.metadata.namespace}/${pod.metadata.name}`, far: pod.spec.nodeName };
  const node = nodeByAddress(world, address);
  const own = node?.station && ownerOf(node.station, address);
  return node && own && { name: own.device, far: node.name };
}

/** It goes by a route of its own, towards a pod that was not read: nothing is missing. */
function hasOwnRoute({ net }: Station, to: string): boolean {
  const decision = lookupRoute(net, { to });
  return decision.state === 'seen' && decision.value.route?.type === 'unicast' && !isDefault(decision.value.route);
}

/** A route of a node's own to a pod of another node that was read. */
function podRoute(world: World, node: Station, lost: string, far: string, address: string): EvidenceRef | undefined {
  const remote = world.stations.flatMap(({ place, pod }) =>
    place.kind === 'pod' && place.node !== node.place.name ? (pod?.status.podIP ?? []) : [],
  );
  const wanted = node.place.name === far || node.place.name === lost ? remote : [address];
  for (const to of wanted) {
    const decision = lookupRoute(node.net, { to });
    if (decision.state !== 'seen' || decision.value.doubt !== undefined) continue;
    const { route } = decision.value;
    if (route?.type === 'unicast' && !isDefault(route)) return evidence(`${node.key}/ip-route`, route.line);
  }
  return undefined;
}
