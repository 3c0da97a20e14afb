import type { Facts } from '../../facts/facts.ts';
import { addressFromValue, parseAddress } from '../../model/ip.ts';
import { bothWays, type Leg, type Place, passagesOf } from '../../walk/leg.ts';
import { type Doubt, firstStop, type Stop, walkPassage } from '../../walk/passage-rules.ts';

/**
 * What a rule that stops a leg is about.
 * - `forwarding`: any pod of these nodes, on any port: not a matter of this flow.
 * - `pod`: this pod or this port, at the server's node or in its namespace: what a policy looks like.
 * - `sender`: what this client sends, or only this port, at the client's side.
 * - `dns-port`: only port 53: the DNS checks speak of it.
 */
export type Scope = 'forwarding' | 'pod' | 'sender' | 'dns-port';

export interface ScopedStop {
  stop: Stop;
  scope: Scope;
  /** The request, or its answer. */
  way: Leg;
}

const memo = new WeakMap<Facts, Map<string, { stop: ScopedStop | undefined; doubts: Doubt[] }>>();

/** The rule that stops a leg or its answer anywhere on the way, and how far it reaches. Worked out once for each leg. */
export function scopedStop(facts: Facts, leg: Leg): { stop: ScopedStop | undefined; doubts: Doubt[] } {
  const known = memo.get(facts) ?? new Map();
  memo.set(facts, known);
  const key = `${leg.from.address} ${leg.to.address} ${leg.protocol} ${leg.port}`;
  const found = known.get(key) ?? findStop(facts, leg);
  known.set(key, found);
  return found;
}

function findStop(facts: Facts, leg: Leg): { stop: ScopedStop | undefined; doubts: Doubt[] } {
  const doubts: Doubt[] = [];
  for (const way of bothWays(leg)) {
    const result = firstStop(facts, way);
    if (result.stop) return { stop: { stop: result.stop, way, scope: scopeOf(facts, leg, way, result.stop) }, doubts };
    doubts.push(...result.doubts);
  }
  return { stop: undefined, doubts };
}

/** Asks the same namespace about other packets: what they have in common with the stopped one is what the rule looks at. */
function scopeOf(facts: Facts, leg: Leg, way: Leg, stop: Stop): Scope {
  const stops = (other: Leg): boolean => {
    const same =
      passagesOf(facts, other).find((passage) => passage.net === stop.passage.net && passage.kind === stop.passage.kind) ?? stop.passage;
    return walkPassage({ ...same, in: stop.passage.in, out: stop.passage.out }, other).state === 'stopped';
  };
  const otherPort: Leg = { ...way, protocol: 'tcp', port: unusedPort };
  const isOwnNamespace = stop.passage.pod !== undefined;
  const samePods = stops(otherPort);
  if (!isOwnNamespace && stops({ ...otherPort, from: neighbourOf(way.from), to: neighbourOf(way.to) })) return 'forwarding';
  if (leg.port === 53 && !samePods) return 'dns-port';
  const server = leg.to;
  return stop.passage.pod === undefined
    ? stop.passage.node === server.node
      ? 'pod'
      : 'sender'
    : stop.passage.pod === server.pod
      ? 'pod'
      : 'sender';
}

/** A port on which nothing of a cluster listens by default. */
const unusedPort = 54_321;

/** Another address of the same range; a node keeps its own. */
function neighbourOf(place: Place): Place {
  const address = parseAddress(place.address);
  if (place.isNode || address === undefined) return place;
  const last = address.value & 0xffn;
  const other = addressFromValue(4, (address.value & ~0xffn) | (last === 251n ? 252n : 251n));
  return { ...place, address: other?.text ?? place.address, pod: undefined };
}
