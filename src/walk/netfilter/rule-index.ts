import type { Chain, Match, Rule, Value } from '../../model/netfilter.ts';
import { addressMask } from '../../model/netfilter-address.ts';
import { addressNumber } from './addresses.ts';
import { protocolsWithPorts } from './primitives.ts';
import { isUnknown, type State } from './types.ts';

/** Positions of the rules of a chain that have to be looked at, in order, for packets to one destination and port. */
export interface Plan {
  rules: readonly number[];
  /** Undefined: all rules, whatever the packet is. */
  destination?: string;
  port?: number | undefined;
}

/** Positions of rules, under what they ask for. Every rule stands in one place only. */
interface Index {
  all: readonly number[];
  /** Rules for one destination address and nothing else, by its number. */
  byDestination: Map<bigint, number[]>;
  /** Rules for one destination port. */
  byPort: Map<number, number[]>;
  rest: number[];
}

/** Shorter chains are looked through, and have no index. */
const longChain = 16;
const shortPlans: readonly Plan[] = Array.from({ length: longChain }, (_, length) => ({
  rules: Array.from({ length }, (_position, at) => at),
}));
const indexes = new WeakMap<Chain, Index>();

/**
 * The rules from a position on that packets of these states may match: never fewer than can match, often more. A rule is left out only where the
 * matches that it begins with ask for another destination address or port than the packet's, so that it would neither do nor change anything.
 */
export function rulesFor(chain: Chain, states: readonly State[], from: number): Plan {
  const short = from === 0 ? shortPlans[chain.rules.length] : undefined;
  if (short !== undefined) return short;
  const index = indexOf(chain);
  const [first] = states;
  const { packet } = first ?? {};
  const isIndexed = packet !== undefined && states.every((state) => isTo(state, packet));
  const destination = isIndexed ? addressNumber(packet.destination)?.value : undefined;
  const hasPorts = packet !== undefined && protocolsWithPorts.has(packet.protocol);
  if (!isIndexed || destination === undefined || (hasPorts && packet.destinationPort === undefined))
    return { rules: from === 0 ? index.all : index.all.slice(from) };
  const forAddress = index.byDestination.get(destination) ?? [];
  const forPort = hasPorts ? (index.byPort.get(packet.destinationPort ?? 0) ?? []) : [];
  const rules = merged([forAddress, forPort, index.rest]);
  return {
    rules: from === 0 ? rules : rules.filter((position) => position >= from),
    destination: packet.destination,
    port: packet.destinationPort,
  };
}

/** Whether a rule has given one of the packets another destination than the plan is for. */
export const isForOthers = ({ destination, port }: Plan, states: readonly State[]): boolean =>
  destination !== undefined && states.some((state) => !isTo(state, { destination, destinationPort: port }));

const isTo = (state: State, { destination, destinationPort }: { destination: string; destinationPort?: number | undefined }): boolean =>
  state.packet.destination === destination && state.packet.destinationPort === destinationPort && !isUnknown(state, 'destination');

function indexOf(chain: Chain): Index {
  let index = indexes.get(chain);
  if (index === undefined) {
    index = makeIndex(chain.rules);
    indexes.set(chain, index);
  }
  return index;
}

function makeIndex(rules: readonly Rule[]): Index {
  const index: Index = { all: rules.map((_, position) => position), byDestination: new Map(), byPort: new Map(), rest: [] };
  rules.forEach((rule, position) => {
    const { destination, port } = askedOf(rule);
    if (destination !== undefined) add(index.byDestination, destination, position);
    else if (port !== undefined) add(index.byPort, port, position);
    else index.rest.push(position);
  });
  return index;
}

function add<K>(places: Map<K, number[]>, key: K, position: number): void {
  const known = places.get(key);
  if (known === undefined) places.set(key, [position]);
  else known.push(position);
}

/** The one destination address or port that a rule asks for before it does anything. `recent` writes the packet down even where a later match fails. */
function askedOf(rule: Rule): { destination?: bigint; port?: number } {
  let port: number | undefined;
  for (const statement of rule.statements) {
    if (statement.role !== 'match' || statement.kind === 'recent') break;
    const destination = destinationOf(statement);
    if (destination !== undefined) return { destination };
    port ??= portOf(statement);
  }
  return port === undefined ? {} : { port };
}

function destinationOf(match: Match): bigint | undefined {
  if (match.kind === 'address') {
    const [mask, ...others] = match.addresses;
    const isOne = !match.negated && match.end === 'destination' && others.length === 0;
    return isOne && mask !== undefined && isWhole(mask) ? mask.value : undefined;
  }
  const value = comparedWith(match, /^ip6? daddr$/);
  const mask = value?.type === 'literal' ? addressMask(value.text) : undefined;
  return mask !== undefined && isWhole(mask) ? mask.value : undefined;
}

const isWhole = ({ family, mask }: { family: 'ip' | 'ip6'; mask: bigint }): boolean => mask === (1n << (family === 'ip' ? 32n : 128n)) - 1n;

function portOf(match: Match): number | undefined {
  if (match.kind === 'ports') {
    const [range, ...others] = match.ranges;
    const isOne = !match.negated && match.end === 'destination' && others.length === 0 && range?.first === range?.last;
    return isOne ? range?.first : undefined;
  }
  const value = comparedWith(match, /^(th|tcp|udp|sctp|dccp|udplite) dport$/);
  return value?.type === 'literal' && /^\d+$/.test(value.text) ? Number(value.text) : undefined;
}

/** The constant that a field of nft has to be equal to. */
const comparedWith = (match: Match, field: RegExp): Value | undefined =>
  match.kind === 'compare' &&
  match.operator === '==' &&
  match.left.type === 'field' &&
  field.test(match.left.name) &&
  match.right.type === 'value'
    ? match.right.value
    : undefined;

/** Sorted lists of different positions as one. */
function merged(lists: readonly (readonly number[])[]): readonly number[] {
  const filled = lists.filter((list) => list.length > 0);
  const [only = []] = filled;
  return filled.length < 2 ? only : filled.flat().sort((a, b) => a - b);
}
