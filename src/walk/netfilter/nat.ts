import type { Action, NatTarget, NumberRange } from '../../model/netfilter.ts';
import { addressMask, addressText, addressValue } from '../../model/netfilter-address.ts';
import { type ConntrackView, copyConntrack, copyPacket } from '../../model/packet.ts';
import { evaluateParts } from './expression.ts';
import type { RuleRun } from './run.ts';
import { natEnd } from './stages.ts';
import { copyState, isUnknown, type NatChange, type State, withPacket, withUnknown } from './types.ts';

type NatAction = Extract<Action, { kind: 'dnat' | 'snat' }>;
/** Why there is no target; `breaks`: the kernel then takes the rule as not matching (a key that is not in its map). */
export interface NoTarget {
  why: string;
  breaks: boolean;
}

/** A translation target: what is undefined stays as it was; `unknown` means changed to something that is not known. */
interface Target {
  address: string | 'unknown' | undefined;
  port: number | 'unknown' | undefined;
  probability: number;
}

/** More alternatives than this are not told apart. */
const mostAlternatives = 64;

/** DNAT: the packet gets its new destination at once, and the connection the status `dnat` if anything changed. */
export function changeDestination(action: NatAction, run: RuleRun, state: State): (State | NoTarget)[] {
  const ports = portsOf(action.to);
  return targetsOf(action.to, run, state).map((target) =>
    'why' in target ? target : withDestination(keepingPort(target, ports, noFlags, state, 'destinationPort'), run, state),
  );
}

/** SNAT, only where the address is written down. */
export function changeSource(action: NatAction, run: RuleRun, state: State): (State | NoTarget)[] {
  const ports = portsOf(action.to);
  const targets = isAmong(action.to, state) ? [keptAddress(ports)] : targetsOf(action.to, run, state);
  return targets.map((target) =>
    'why' in target ? target : withSource(keepingPort(target, ports, action.flags, state, 'sourcePort'), run, state, 'snat'),
  );
}

/** MASQUERADE: the source becomes the address of the device that the packet leaves by. */
export function masquerade(action: Extract<Action, { kind: 'masquerade' }>, run: RuleRun, state: State): State {
  const address = run.context.masqueradeAddress?.(state.packet.outInterface, state.packet) ?? 'unknown';
  const wanted: Target = { address, port: portOf(action.ports), probability: 1 };
  const target = keepingPort(wanted, action.ports, action.flags, state, 'sourcePort');
  const changed = withSource(target, run, state, 'masquerade');
  const { outInterface } = state.packet;
  if (outInterface === undefined) return changed;
  const conntrack = copyConntrack(changed.packet.conntrack);
  conntrack.masqueradedBy = outInterface;
  return withPacket(changed, { conntrack });
}

/** REDIRECT: to the address of the device that the packet came in by, or to loopback for a packet of the node itself (nf_nat_redirect.c). */
export function redirect(action: Extract<Action, { kind: 'redirect' }>, run: RuleRun, state: State): State | NoTarget {
  if (action.expression !== undefined) return { why: 'a redirect to a port from an expression is not worked out', breaks: false };
  const loopback = state.packet.family === 'ip' ? '127.0.0.1' : '::1';
  const local = run.place.hook === 'output' ? loopback : run.context.interfaceAddress?.(state.packet.inInterface, state.packet);
  return withDestination({ address: local ?? 'unknown', port: portOf(action.ports), probability: 1 }, run, state);
}

/** NETMAP: the network part of the address is replaced, of the destination at prerouting and output, of the source elsewhere (xt_NETMAP.c). */
export function netmap(action: Extract<Action, { kind: 'netmap' }>, run: RuleRun, state: State): State | NoTarget {
  const end = natEnd(run.place.hook);
  const [network, old] = [addressMask(action.to), addressValue(state.packet[end])];
  if (network === undefined || old?.family !== network.family || isUnknown(state, end))
    return { why: `NETMAP to ${action.to} is not worked out`, breaks: false };
  const address = addressText({ family: network.family, value: (old.value & ~network.mask) | network.value });
  const target: Target = { address, port: undefined, probability: 1 };
  return end === 'destination' ? withDestination(target, run, state) : withSource(target, run, state, 'snat');
}

/** get_unique_tuple: a source that lies in the range of addresses already stays as it is. */
function isAmong(to: NatTarget, state: State): boolean {
  const source = addressValue(state.packet.source);
  if (to.type !== 'fixed' || source === undefined || isUnknown(state, 'source')) return false;
  return to.addresses.some((range) => {
    const [from, last] = [addressValue(range.from), addressValue(range.to)];
    return (
      from !== undefined && last !== undefined && from.family === source.family && from.value <= source.value && source.value <= last.value
    );
  });
}

const keptAddress = (ports: NumberRange | undefined): Target => ({ address: undefined, port: portOf(ports), probability: 1 });

const portsOf = (to: NatTarget): NumberRange | undefined => (to.type === 'fixed' ? to.ports : undefined);

/** DNAT keeps a port of its range whatever its flags are. */
const noFlags: readonly string[] = [];

/** A port that lies in the range already stays as it is, unless the rule asks for a random one (nf_nat_l4proto_unique_tuple). */
function keepingPort(
  target: Target,
  ports: NumberRange | undefined,
  flags: readonly string[],
  { packet }: State,
  which: 'sourcePort' | 'destinationPort',
): Target {
  const port = packet[which];
  if (port === undefined) return target;
  const { address, probability } = target;
  if (flags.some((flag) => flag.includes('random'))) return { address, port: 'unknown', probability };
  const isKept = target.port === 'unknown' && ports !== undefined && ports.first <= port && port <= ports.last;
  return isKept ? { address, port, probability } : target;
}

function withDestination(target: Target, run: RuleRun, state: State): State {
  const { packet: before } = state;
  const packet = copyPacket(before);
  if (target.address !== undefined && target.address !== 'unknown') packet.destination = target.address;
  if (target.port === 'unknown') delete packet.destinationPort;
  else if (target.port !== undefined) packet.destinationPort = target.port;
  const isSame =
    target.address !== 'unknown' && packet.destination === before.destination && packet.destinationPort === before.destinationPort;
  packet.conntrack = settled(packet.conntrack, isSame ? undefined : 'dnat', 'destination');
  const next = copyState(state);
  next.packet = packet;
  next.probability = state.probability * target.probability;
  next.dnat = changeOf(target, packet.destination, packet.destinationPort, run);
  return target.address === 'unknown' ? withUnknown(next, 'destination') : next;
}

function withSource(target: Target, run: RuleRun, state: State, kind: 'snat' | 'masquerade'): State {
  const { packet: before } = state;
  const packet = copyPacket(before);
  if (target.address !== undefined && target.address !== 'unknown') packet.source = target.address;
  if (target.port === 'unknown') delete packet.sourcePort;
  else if (target.port !== undefined) packet.sourcePort = target.port;
  const isSame = target.address !== 'unknown' && packet.source === before.source && packet.sourcePort === before.sourcePort;
  packet.conntrack = settled(packet.conntrack, isSame ? undefined : 'snat', 'source');
  const next = copyState(state);
  next.packet = packet;
  next.probability = state.probability * target.probability;
  next[kind] = changeOf(target, packet.source, target.port === undefined ? undefined : packet.sourcePort, run);
  return target.address === 'unknown' ? withUnknown(next, 'source') : next;
}

/** `status`: left out where nothing changed. `end`: the one that no later nat chain is asked for. */
function settled(view: ConntrackView, status: 'dnat' | 'snat' | undefined, end: 'source' | 'destination'): ConntrackView {
  const next = copyConntrack(view);
  // `concat` makes a list that is as long as what it holds; a spread leaves room for 16 more, for every endpoint.
  if (status !== undefined && !view.status.includes(status)) next.status = view.status.concat(status);
  if (!view.natSettled.includes(end)) next.natSettled = view.natSettled.concat(end);
  return next;
}

function changeOf(target: Target, address: string, port: number | undefined, run: RuleRun): NatChange {
  const change: NatChange = { decision: run.decision };
  if (target.address !== 'unknown') change.address = address;
  if (port !== undefined) change.port = port;
  return change;
}

function targetsOf(to: NatTarget, run: RuleRun, state: State): (Target | NoTarget)[] {
  return to.type === 'fixed' ? fixedTargets(to) : expressionTargets(to, run, state);
}

const portOf = (ports: NumberRange | undefined): Target['port'] =>
  ports === undefined || ports.first === ports.last ? ports?.first : 'unknown';

/** The kernel picks one address of a range by a hash of the packet's addresses, so that any of them is possible. */
function fixedTargets(to: Extract<NatTarget, { type: 'fixed' }>): Target[] {
  const port = portOf(to.ports);
  const [only] = to.addresses;
  if (only !== undefined && to.addresses.length === 1 && only.from === only.to) return [{ address: only.from, port, probability: 1 }];
  const addresses = to.addresses.flatMap(({ from, to: last }) => addressesBetween(from, last));
  if (addresses.length === 0) return [{ address: undefined, port, probability: 1 }];
  if (addresses.length > mostAlternatives) return [{ address: 'unknown', port, probability: 1 }];
  return addresses.map((address) => ({ address, port, probability: 1 / addresses.length }));
}

function addressesBetween(from: string, to: string): string[] {
  if (from === to) return [from];
  const [first, last] = [addressValue(from), addressValue(to)];
  if (first === undefined || last === undefined) return [from];
  const addresses: string[] = [];
  for (let value = first.value; value <= last.value && addresses.length <= mostAlternatives; value++) {
    addresses.push(addressText({ family: first.family, value }));
  }
  return addresses;
}

function expressionTargets(to: Extract<NatTarget, { type: 'expression' }>, run: RuleRun, state: State): (Target | NoTarget)[] {
  const parts = [to.address, to.port].filter((part) => part !== undefined);
  return evaluateParts(parts, run, state).map(({ values, probability, why, breaks }) => {
    if (values === undefined) return { why, breaks: breaks ?? false };
    const [first, second] = to.address === undefined ? [undefined, values[0]] : [values[0], values[1]];
    if (first !== undefined && addressValue(first) === undefined) return { why: `${to.text}: ${first} is not an address`, breaks: false };
    if (second !== undefined && !/^\d+$/.test(second)) return { why: `${to.text}: ${second} is not a port`, breaks: false };
    return { address: first, port: second === undefined ? undefined : Number(second), probability };
  });
}
