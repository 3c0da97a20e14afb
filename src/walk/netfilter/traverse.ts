import type { Hook, NetfilterRuleset } from '../../model/netfilter.ts';
import { copyPacket, type Packet } from '../../model/packet.ts';
import { chainOutcomes, evaluateHook } from '../netfilter.ts';
import { isTracked } from './conntrack.ts';
import { passing } from './outcome.ts';
import type { Outcome, WalkContext } from './types.ts';

/** Where the node's routes send a packet. */
export type RouteDecision = { to: 'local' } | { to: 'device'; outInterface: string } | { to: 'nowhere' };

export interface NodeSurroundings {
  /** Whether the packet comes in by a device or is sent by the node itself (or a hostNetwork pod). */
  origin: 'network' | 'local';
  /** Asked for the packet as it is at that point: again after a DNAT of the node's own packets. */
  route: (packet: Packet) => RouteDecision;
}

/** How far a packet came on a node. */
export interface Passage {
  outcome: Outcome;
  end: 'delivered-locally' | 'sent' | 'no-route' | 'stopped';
  /** The hook of the last decision. */
  hook: Hook;
}

/**
 * Sends a packet through all hooks of one node: prerouting, route, then input, or forward and postrouting; a packet of the node itself output,
 * route, postrouting, and where that leads to the node again, prerouting and input on the loopback device.
 */
export function traverseNode(
  rulesets: readonly NetfilterRuleset[],
  packet: Packet,
  around: NodeSurroundings,
  context: WalkContext = {},
): Passage[] {
  const walk: Walk = { rulesets, around, context };
  return around.origin === 'network' ? fromNetwork(walk, packet) : fromNode(walk, packet);
}

interface Walk {
  rulesets: readonly NetfilterRuleset[];
  around: NodeSurroundings;
  context: WalkContext;
}

/** Runs a hook and goes on with every outcome that is accepted. */
function through(walk: Walk, hook: Hook, packet: Packet, then: (packet: Packet, outcome: Outcome) => Passage[]): Passage[] {
  const passages: Passage[] = [];
  for (const outcome of evaluateHook(walk.rulesets, hook, packet, walk.context)) {
    if (outcome.verdict !== 'accept') passages.push({ outcome, end: 'stopped', hook });
    else
      for (const later of then(outcome.packet, outcome))
        passages.push({ outcome: chainOutcomes(outcome, later.outcome), end: later.end, hook: later.hook });
  }
  return passages;
}

const arrived = (packet: Packet, end: Passage['end'], hook: Hook): Passage[] => [{ outcome: passing(packet), end, hook }];

function fromNetwork(walk: Walk, packet: Packet): Passage[] {
  const received = copyPacket(packet);
  received.owner ??= null;
  return through(walk, 'ingress', received, (entered) =>
    through(walk, 'prerouting', entered, (routed) => {
      const decision = walk.around.route(routed);
      if (decision.to === 'nowhere') return arrived(routed, 'no-route', 'prerouting');
      if (decision.to === 'local') return toSockets(walk, routed);
      const leaving = copyPacket(routed);
      leaving.outInterface = decision.outInterface;
      // ip_forward counts the time to live down before it calls the hook.
      if (leaving.ttl !== undefined) leaving.ttl -= 1;
      return through(walk, 'forward', leaving, (forwarded) => leave(walk, forwarded));
    }),
  );
}

const toSockets = (walk: Walk, packet: Packet): Passage[] =>
  through(walk, 'input', packet, (local) => arrived(local, 'delivered-locally', 'input'));

const leave = (walk: Walk, packet: Packet): Passage[] =>
  through(walk, 'postrouting', packet, (sent) => through(walk, 'egress', sent, (gone) => arrived(gone, 'sent', 'postrouting')));

function fromNode(walk: Walk, packet: Packet): Passage[] {
  const first = withRoute(walk, packet);
  if (first === undefined) return arrived(packet, 'no-route', 'output');
  return through(walk, 'output', first, (changed, { reroutes = [] }) => {
    const outInterface = routeAgain(walk, reroutes, first.outInterface);
    if (outInterface === undefined) return arrived(changed, 'no-route', 'output');
    const rerouted = Object.assign(copyPacket(changed), { outInterface });
    if (rerouted.outInterface !== 'lo') return leave(walk, rerouted);
    return through(walk, 'postrouting', rerouted, (looped) => comeIn(walk, looped));
  });
}

/** The loopback device gives the packet back with the connection that it has, which was confirmed behind POSTROUTING (nf_confirm). */
function comeIn(walk: Walk, sent: Packet): Passage[] {
  const packet = copyPacket(sent);
  packet.inInterface = 'lo';
  const { conntrack } = sent;
  const isConfirmed = !isTracked(sent) || conntrack.status.includes('confirmed');
  packet.conntrack = { ...conntrack, attached: true, status: isConfirmed ? conntrack.status : [...conntrack.status, 'confirmed'] };
  return through(walk, 'prerouting', packet, (routed) => toSockets(walk, routed));
}

function withRoute(walk: Walk, packet: Packet): (Packet & { outInterface: string }) | undefined {
  const decision = walk.around.route(packet);
  if (decision.to === 'nowhere') return undefined;
  return Object.assign(copyPacket(packet), { inInterface: '', outInterface: decision.to === 'local' ? 'lo' : decision.outInterface });
}

/** ip_route_me_harder: with what the packet was at that time. The last way counts, but the first lookup without one drops the packet. */
function routeAgain(walk: Walk, reroutes: readonly Packet[], first: string): string | undefined {
  let outInterface: string | undefined = first;
  for (const packet of reroutes) {
    outInterface = withRoute(walk, packet)?.outInterface;
    if (outInterface === undefined) return undefined;
  }
  return outInterface;
}
