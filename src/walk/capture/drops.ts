import { type DropReason, type FollowedTry, type LossPlace, placeKey, type Sighting } from '../../model/capture-path.ts';
import type { DroppedPacket } from '../../model/dropped-packet.ts';

/** Microseconds from a packet's last sighting to its end on a busy node: it passes hooks, a route, a neighbour in between. */
const soon = 1500;
/** A packet that waits for a neighbour is given up after three requests, a second apart (neigh/default/mcast_solicit, retrans_time_ms). */
const neighbourWait = 4_000_000;

/** CLOCK_TAI is ahead of the time of day by the leap seconds so far; by none where nobody told the kernel (adjtimex(2)). */
const leapSeconds = 37;

/** What goes on all the time on a healthy node, and is no packet lost on its way (failures seen on an idle Linux 6.18). */
const background = /^(TCP_(?!CSUM)|QUEUE_PURGE|SOCKET_CLOSE|CONSUMED|NOT_SPECIFIED|IPV6DISABLED|UNIX_)/;

/**
 * The kernel's reason for losses at one place: the event of a dropped packet that follows again and again right after the last sighting of a lost one. The
 * tracepoint does not say which packet it was, so that a reason counts only where it follows most of the losses; undefined = none does.
 */
export function dropReason(
  tries: readonly FollowedTry[],
  where: LossPlace,
  drops: ReadonlyMap<string, readonly DroppedPacket[]>,
): DropReason | undefined {
  const node = where.kind === 'between' ? undefined : where.place.node;
  const events = node === undefined ? undefined : drops.get(node);
  if (node === undefined || !events) return undefined;
  const ends = tries.flatMap((item) => lastSightings(item, where));
  const found = new Map<string, DropReason & { delay: number }>();
  for (const end of ends) {
    // The first of each kind: Map keeps the last entry of a key.
    const near = new Map(events.toReversed().flatMap((event) => nearTo(event, end.at) ?? []));
    for (const [key, { event, delay }] of near) {
      const known = found.get(key);
      const { location, reason = '' } = event;
      found.set(key, { node, reason, location, count: (known?.count ?? 0) + 1, delay: (known?.delay ?? 0) + delay });
    }
  }
  // As often as another: the packet itself goes last, after the error that is sent because of it (and may be dropped too).
  const [best] = [...found.values()].sort((a, b) => b.count - a.count || b.delay - a.delay);
  if (!best || best.count * 2 <= ends.length) return undefined;
  const { delay: _, ...drop } = best;
  return drop;
}

/** How many packets were lost there; a connection that sends nothing at all counts once. */
export const transmissions = (tries: readonly FollowedTry[], where: LossPlace): number =>
  tries.reduce((sum, item) => sum + Math.max(1, lastSightings(item, where).length), 0);

/** Where the event may be the end of a packet last seen at that time: its kind, and how long after. */
function nearTo(event: DroppedPacket, at: number): [string, { event: DroppedPacket; delay: number }][] | undefined {
  if (event.reason === undefined || event.protocol !== 2048 || background.test(event.reason)) return undefined;
  const after = event.at - at;
  const wait = event.reason.startsWith('NEIGH_') ? neighbourWait : soon;
  // Two clocks of one machine: what follows may seem to come some microseconds before.
  const delay = [after, after - leapSeconds * 1_000_000].find((distance) => distance >= -20 && distance <= wait);
  return delay === undefined ? undefined : [[`${event.location} ${event.reason}`, { event, delay }]];
}

/**
 * Of each transmission (its IP id tells them apart), the last sighting at the place where it was lost. What has left the node was not dropped there, and an
 * answer that comes all the same (an ICMP error) tells of the request.
 */
function lastSightings(item: FollowedTry, where: LossPlace): Sighting[] {
  const { outcome } = item;
  if (where.kind === 'between' || (outcome.kind !== 'lost' && outcome.kind !== 'refused')) return [];
  const parts = outcome.leg === 'request' ? ['syn', 'request-data'] : ['syn-ack', 'reply-data', 'reset'];
  const last = new Map<string, Sighting>();
  for (const sighting of item.sightings) {
    const isThere =
      sighting.place.node === where.place.node && (where.kind !== 'node' || placeKey(sighting.place) === placeKey(where.place));
    if (!isThere || !parts.includes(sighting.part)) continue;
    // A SYN-ACK has no IP id of its own: its transmissions are a second apart.
    const key = `${sighting.part} ${sighting.ipId || Math.round(sighting.at / 500_000)}`;
    if ((last.get(key)?.at ?? 0) <= sighting.at) last.set(key, sighting);
  }
  return [...last.values()].filter(({ role, direction }) => !(role === 'underlay' && direction === 'out'));
}
