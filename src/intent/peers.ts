import type { DifferenceKind } from './compare.ts';
import type { Front } from './node-plan.ts';
import { endpointKey } from './service-ports.ts';
import type { ClusterVerification, NodeResult } from './verify-cluster.ts';

/** Other nodes with the same fronts: those that do as the API means, and those that do the same wrong. */
export interface Peers {
  right: string[];
  alike: string[];
}

export type PeersOf = (result: NodeResult, fronts: readonly Front[], kind: DifferenceKind) => Peers;

/** `ClusterIP 10.96.0.10:53/udp of kube-system/kube-dns:dns`. */
export const describeFront = (front: Front): string =>
  `${front.kind} ${front.address === null ? front.port : endpointKey(front.address, front.port)}/${front.protocol} of ${serviceName(front)}`;

/** `namespace/name:port`. */
export const serviceName = ({ planned: { port } }: Front): string =>
  `${port.namespace}/${port.name}${port.portName === '' ? '' : `:${port.portName}`}`;

interface Peer {
  result: NodeResult;
  fronts: Set<string>;
  doubtful: Set<string>;
  differs: Map<string, Set<DifferenceKind>>;
}

/** Looks every node through once, so that each difference of ten thousand can be held against all other nodes. */
export function comparePeers(cluster: ClusterVerification): PeersOf {
  const peers = cluster.nodes.flatMap((result) => peerOf(result) ?? []);
  return (result, fronts, kind) => {
    const keys = fronts.map(describeFront);
    const others = peers.filter((peer) => peer.result.node !== result.node && peer.result.family === result.family);
    const has = (peer: Peer): boolean => keys.some((key) => peer.differs.get(key)?.has(kind));
    const does = (peer: Peer): boolean => keys.every((key) => peer.fronts.has(key) && !peer.differs.has(key) && !peer.doubtful.has(key));
    const names = (list: readonly Peer[]): string[] => list.map((peer) => peer.result.node);
    return { right: names(others.filter(does)), alike: names(others.filter(has)) };
  };
}

function peerOf(result: NodeResult): Peer | undefined {
  const { verification } = result;
  if (verification === null) return undefined;
  const differs = new Map<string, Set<DifferenceKind>>();
  for (const { front, explained } of verification.differences) {
    const key = describeFront(front);
    differs.set(key, (differs.get(key) ?? new Set()).add(explained.kind));
  }
  return {
    result,
    fronts: new Set(verification.fronts.map(describeFront)),
    doubtful: new Set([...verification.unknown.values()].flatMap((fronts) => [...fronts].map(describeFront))),
    differs,
  };
}
