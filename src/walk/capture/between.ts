import { type FollowedTry, type LossPlace, type Outcome, placeKey } from '../../model/capture-path.ts';
import type { CaptureInput } from './read.ts';

/**
 * What the network between two nodes did to packets, beyond losing them all: it damaged them (the receiver's kernel finds a wrong checksum in what has just come
 * in from outside), or it lost a part of them. `cause` is the drop reason or the counter that agrees. Undefined = neither.
 */
export function betweenNodes(
  outcome: Extract<Outcome, { kind: 'lost' }>,
  { backend }: FollowedTry,
  followed: readonly FollowedTry[],
  { plan }: CaptureInput,
  cause: string | undefined,
): { where: LossPlace; says: string } | undefined {
  const { where, lastSeen, leg, says } = outcome;
  const ends = [plan.client.place.node, backend?.place?.node];
  const [from, to] = leg === 'request' ? ends : ends.toReversed();
  if (from === undefined || to === undefined) return undefined;
  const hasJustCome = lastSeen?.role === 'underlay' && lastSeen.direction === 'in' && lastSeen.place.node === to;
  if (hasJustCome && /csum/i.test(cause ?? ''))
    return {
      where: { kind: 'between', from, to, unseen: false },
      says: `${says}: it comes to node ${to} damaged, with a wrong checksum`,
    };
  if (where.kind !== 'between' || where.unseen) return undefined;
  const share = shareOf(
    followed.filter((item) => item.backend === backend),
    leg,
    from,
    to,
  );
  return share.came === 0 || share.came >= share.left
    ? undefined
    : { where, says: `${says}; of ${share.left} packets that left node ${from} for node ${to}, ${share.came} came` };
}

/** Packets of all tries to an endpoint, answered or not, that left a node for another, and how many of them came in there. */
function shareOf(tries: readonly FollowedTry[], leg: 'request' | 'reply', from: string, to: string): { left: number; came: number } {
  const seen = (node: string, way: 'in' | 'out'): Set<string> =>
    new Set(
      tries.flatMap(({ try: { sourcePort }, sightings }) =>
        sightings
          .filter((item) => item.leg === leg && item.role === 'underlay' && item.direction === way)
          .filter(({ place }) => placeKey(place) === placeKey({ kind: 'node', name: node, node }))
          .map((item) => `${sourcePort} ${item.part} ${item.sequence} ${item.ipId}`),
      ),
    );
  const left = seen(from, 'out');
  const came = seen(to, 'in');
  return { left: left.size, came: [...left].filter((key) => came.has(key)).length };
}
