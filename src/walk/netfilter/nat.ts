import type { Action, NatTarget } from '../../model/netfilter.ts';
import { addressText, addressValue } from '../../model/netfilter-address.ts';
import type { Packet } from '../../model/packet.ts';
import { evaluateParts } from './expression.ts';
import type { RuleRun } from './run.ts';
import { type NatChange, type State, withUnknown } from './types.ts';

type NatAction = Extract<Action, { kind: 'dnat' | 'snat' }>;
/** Why there is no target; `breaks`: the kernel then takes the rule as not matching (a key that is not in its map). */
export interface NoTarget {
  why: string;
  breaks: boolean;
}

/** A translation target: what is left out stays as it was; `unknown` means changed to something that is not known. */
interface Target {
  address?: string | 'unknown';
  port?: number | 'unknown';
  probability: number;
}

/** More alternatives than this are not told apart. */
const mostAlternatives = 64;

/** DNAT: the packet gets its new destination at once, and the connection the status `dnat` if anything changed. */
export function changeDestination(action: NatAction, run: RuleRun, state: State): (State | NoTarget)[] {
  return targetsOf(action.to, run, state).map((target) => ('why' in target ? target : withDestination(target, run, state)));
}

/** SNAT, only where the address is written down. */
export function changeSource(action: NatAction, run: RuleRun, state: State): (State | NoTarget)[] {
  return targetsOf(action.to, run, state).map((target) => ('why' in target ? target : withSource(target, run, state, 'snat')));
}

/** MASQUERADE: the source becomes the address of the device that the packet leaves by. */
export function masquerade(run: RuleRun, state: State): State {
  const address = run.context.masqueradeAddress?.(state.packet.outInterface, state.packet) ?? 'unknown';
  return withSource({ address, probability: 1 }, run, state, 'masquerade');
}

/** REDIRECT: to the address of the device that the packet came in by, or to loopback for a packet of the node itself (nf_nat_redirect.c). */
export function redirect(action: Extract<Action, { kind: 'redirect' }>, run: RuleRun, state: State): State | NoTarget {
  if (action.expression !== undefined) return { why: 'a redirect to a port from an expression is not worked out', breaks: false };
  const loopback = state.packet.family === 'ip' ? '127.0.0.1' : '::1';
  const local = run.place.hook === 'output' ? loopback : run.context.interfaceAddress?.(state.packet.inInterface);
  const port =
    action.ports === undefined ? {} : { port: action.ports.first === action.ports.last ? action.ports.first : ('unknown' as const) };
  return withDestination({ address: local ?? 'unknown', ...port, probability: 1 }, run, state);
}

function withDestination(target: Target, run: RuleRun, state: State): State {
  const changed: Packet = { ...state.packet };
  if (target.address !== undefined && target.address !== 'unknown') changed.destination = target.address;
  if (target.port === 'unknown') delete changed.destinationPort;
  else if (target.port !== undefined) changed.destinationPort = target.port;
  const isSame =
    target.address !== 'unknown' &&
    changed.destination === state.packet.destination &&
    changed.destinationPort === state.packet.destinationPort;
  const next = finish(changed, state, target, isSame ? undefined : 'dnat');
  const known = target.address === 'unknown' ? withUnknown(next, 'destination') : next;
  return { ...known, dnat: changeOf(target, changed.destination, changed.destinationPort, run) };
}

function withSource(target: Target, run: RuleRun, state: State, kind: 'snat' | 'masquerade'): State {
  const changed: Packet = { ...state.packet };
  if (target.address !== undefined && target.address !== 'unknown') changed.source = target.address;
  if (target.port === 'unknown') delete changed.sourcePort;
  else if (target.port !== undefined) changed.sourcePort = target.port;
  const next = finish(changed, state, target, 'snat');
  const known = target.address === 'unknown' ? withUnknown(next, 'source') : next;
  return { ...known, [kind]: changeOf(target, changed.source, target.port === undefined ? undefined : changed.sourcePort, run) };
}

function finish(packet: Packet, state: State, target: Target, status: 'dnat' | 'snat' | undefined): State {
  const { conntrack } = packet;
  const settled = status === 'snat' ? 'source' : 'destination';
  const statuses = status === undefined || conntrack.status.includes(status) ? conntrack.status : [...conntrack.status, status];
  const natSettled: readonly ('source' | 'destination')[] = conntrack.natSettled.includes(settled)
    ? conntrack.natSettled
    : [...conntrack.natSettled, settled];
  const changed: Packet = { ...packet, conntrack: { ...conntrack, status: statuses, natSettled } };
  return { ...state, packet: changed, probability: state.probability * target.probability };
}

function changeOf(target: Target, address: string, port: number | undefined, run: RuleRun): NatChange {
  return {
    ...(target.address === 'unknown' ? {} : { address }),
    ...(port === undefined ? {} : { port }),
    decision: run.decision,
  };
}

function targetsOf(to: NatTarget, run: RuleRun, state: State): (Target | NoTarget)[] {
  return to.type === 'fixed' ? fixedTargets(to) : expressionTargets(to, run, state);
}

/** The kernel picks one address of a range by a hash of the packet's addresses, so that any of them is possible. */
function fixedTargets(to: Extract<NatTarget, { type: 'fixed' }>): Target[] {
  const port = to.ports === undefined ? {} : { port: to.ports.first === to.ports.last ? to.ports.first : ('unknown' as const) };
  const addresses = to.addresses.flatMap(({ from, to: last }) => addressesBetween(from, last));
  if (addresses.length === 0) return [{ ...port, probability: 1 }];
  if (addresses.length > mostAlternatives) return [{ address: 'unknown', ...port, probability: 1 }];
  return addresses.map((address) => ({ address, ...port, probability: 1 / addresses.length }));
}

function addressesBetween(from: string, to: string): string[] {
  const [first, last] = [addressValue(from), addressValue(to)];
  if (from === to || first === undefined || last === undefined) return [from];
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
    return { ...(first === undefined ? {} : { address: first }), ...(second === undefined ? {} : { port: Number(second) }), probability };
  });
}
