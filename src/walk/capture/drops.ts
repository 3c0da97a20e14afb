import { type DropReason, type FollowedTry, type LossPlace, placeKey, type Sighting } from '../../model/capture-path.ts';
import type { DroppedPacket } from '../../model/dropped-packet.ts';

/** Microseconds from a packet's last sighting to its end on a busy node: it passes hooks, a route, a neighbour in between. */
const soon = 1500;
/** A packet that waits for a neighbour is given up after three requests, a second apart (neigh/default/mcast_solicit, retrans_time_ms). */
const neighbourWait = 4_000_000;

/** CLOCK_TAI is ahead of the time of day by the leap seconds so far; by none where nobody told the kernel (adjtimex(2)). */
const leapSeconds = 37;

/** What goes on all the time on a healthy node, and is no packet lost on its way (failures seen on an idle Linux 6.18). */
const background = /^(TCP_|QUEUE_PURGE|SOCKET_CLOSE|CONSUMED|NOT_SPECIFIED|IPV6DISABLED|UNIX_|OTHERHOST$)/;

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
  const byReason = new Map<string, DropReason>();
  for (const end of ends) {
    const near = events.flatMap((event) => nearTo(event, end.at));
    for (const key of new Set(near)) {
      const [location = '', reason = ''] = key.split(' ');
      byReason.set(key, { node, reason, location, count: (byReason.get(key)?.count ?? 0) + 1 });
    }
  }
  const best = [...byReason.values()].sort((a, b) => b.count - a.count)[0];
  return best && best.count * 2 > ends.length ? best : undefined;
}

/** Key of the event's kind where it may be the end of a packet last seen at that time. */
function nearTo(event: DroppedPacket, at: number): string[] {
  if (event.reason === undefined || event.protocol !== 2048 || background.test(event.reason)) return [];
  const after = event.at - at;
  const wait = event.reason.startsWith('NEIGH_') ? neighbourWait : soon;
  // Two clocks of one machine: what follows may seem to come some microseconds before.
  const isNear = [after, after - leapSeconds * 1_000_000].some((distance) => distance >= -20 && distance <= wait);
  return isNear ? [`${event.location} ${event.reason}`] : [];
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
