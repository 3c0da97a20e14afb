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
  const kinds = new Map<string, DroppedPacket[]>();
  for (const event of events) {
    const { reason, protocol, location } = event;
    if (reason === undefined || protocol !== 2048 || background.test(reason)) continue;
    const key = `${location} ${reason}`;
    kinds.set(key, [...(kinds.get(key) ?? []), event]);
  }
  const found = [...kinds.values()].flatMap((kind) => matched(kind, ends, node));
  // As often as another: rather at once than after a neighbour's wait; and the packet itself goes last, after the error that is sent because of it (and may
  // be dropped too).
  const waits = ({ reason }: DropReason): number => (reason.startsWith('NEIGH_') ? 1 : 0);
  const [best] = found.sort((a, b) => b.count - a.count || waits(a) - waits(b) || b.delay - a.delay);
  if (!best || best.count * 2 <= ends.length) return undefined;
  const { delay: _, ...drop } = best;
  return drop;
}

/** How many packets were lost there; a connection that sends nothing at all counts once. */
export const transmissions = (tries: readonly FollowedTry[], where: LossPlace): number =>
  tries.reduce((sum, item) => sum + Math.max(1, lastSightings(item, where).length), 0);

/** How many of the lost packets an event of this kind may have been the end of. One event ends one packet: a rare one near all of them is no reason. */
function matched(events: readonly DroppedPacket[], ends: readonly Sighting[], node: string): (DropReason & { delay: number })[] {
  const [first] = events;
  const open = [...events].sort((a, b) => a.at - b.at);
  let [count, sum] = [0, 0];
  for (const end of ends.toSorted((a, b) => a.at - b.at)) {
    const at = open.findIndex((event) => delayOf(event, end.at) !== undefined);
    const [event] = at < 0 ? [] : open.splice(at, 1);
    if (!event) continue;
    count += 1;
    sum += delayOf(event, end.at) ?? 0;
  }
  return first?.reason === undefined || count === 0 ? [] : [{ node, reason: first.reason, location: first.location, count, delay: sum }];
}

/** Microseconds from a packet's last sighting to the event; undefined where the event can't be its end. */
function delayOf({ reason, at: then }: DroppedPacket, at: number): number | undefined {
  const after = then - at;
  const wait = reason?.startsWith('NEIGH_') ? neighbourWait : soon;
  // Two clocks of one machine: what follows may seem to come some microseconds before.
  return [after, after - leapSeconds * 1_000_000].find((distance) => distance >= -20 && distance <= wait);
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
