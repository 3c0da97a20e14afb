import type { CompareOperator, Expression, Match, Value } from '../../model/netfilter.ts';
import { addressTypeIs } from './address-type.ts';
import { any, type Certainty, cannotTell, certain, negatedIf, no, random } from './certainty.ts';
import { isConstant, valueText } from './constants.ts';
import { bitsOf, domainOf, evaluate, keyOf, type Surroundings } from './expression.ts';
import { fibEnd } from './fields.ts';
import { elementsOf, hits } from './sets.ts';
import { isUnknown, type Place, type State, type WalkContext } from './types.ts';

type Compare = Extract<Match, { kind: 'compare' }>;

/** An nft relational expression: `ip daddr 10.0.0.0/8`, `ct state established,related`, `meta mark & 0x4000 != 0`, `ip saddr . tcp dport @set`. */
export function compare(match: Compare, state: State, context: WalkContext, place: Place): Certainty {
  const around: Surroundings = { place, context };
  const randomShare = metaRandom(match);
  if (randomShare !== undefined) return random(randomShare);
  if (match.left.type === 'field' && fibEnd(match.left.name) !== undefined) return fibType(match, state, context);
  const negated = match.operator === '!=';
  if (match.right.type === 'set') return inSet(match, state, around, negated);
  if (match.right.type === 'value' && match.left.type !== 'concat' && (negated || match.operator === '=='))
    return isValue(match.left, match.right.value, state, around, negated);
  if (match.operator === 'in') return anyBit(match, state, around);
  if (isAbsent(match.left, state, around)) return no;
  if (match.operator !== '==' && match.operator !== '!=') return ordered(match, state, around);
  return negatedIf(negated, equals(match, state, around));
}

/** A packet without the header that is asked for matches neither `==` nor `!=`: the kernel breaks off. */
const isAbsent = (expression: Expression, state: State, around: Surroundings): boolean =>
  keyOf(expression, state, around).data.some((datum) => datum.is === 'absent');

function inSet(match: Compare, state: State, around: Surroundings, negated: boolean): Certainty {
  if (match.right.type !== 'set') return cannotTell(match.text);
  const elements = elementsOf(match.right.set, around.place, state);
  const key = keyOf(match.left, state, around);
  if (key.data.some((datum) => datum.is === 'absent')) return no;
  if (elements === undefined) return cannotTell(`the set of ${match.text} is not in the output`);
  const found = hits(key, elements.elements);
  if (found.length === 0 && !elements.known) return cannotTell(`the output does not show all elements of the set of ${match.text}`);
  const [only] = found;
  const held = found.length > 1 ? any(found.map((hit) => hit.certainty)) : (only?.certainty ?? no);
  return negatedIf(negated, held);
}

/** `ct state new,established` and `tcp flags syn`: any of the bits (netlink_gen_flagcmp of nft); no bits are never met. */
function anyBit(match: Compare, state: State, around: Surroundings): Certainty {
  const datum = evaluate(match.left, state, around);
  if (datum.is === 'absent') return no;
  if (datum.is === 'unknown') return cannotTell(datum.why);
  const bits = bitsOf(match.right, domainOf(match.left), state, around);
  return datum.is === 'number' && bits !== undefined ? certain((datum.value & bits) !== 0n) : cannotTell(`${match.text} is not understood`);
}

function equals(match: Compare, state: State, around: Surroundings): Certainty {
  if (match.right.type === 'concat') return concatEquals(match.left, match.right.parts, state, around);
  const datum = evaluate(match.left, state, around);
  if (datum.is !== 'number') return datum.is === 'unknown' ? cannotTell(datum.why) : cannotTell(`${match.text} is not worked out`);
  const bits = bitsOf(match.right, domainOf(match.left), state, around);
  return bits === undefined ? cannotTell(`${match.text} is not worked out`) : certain(bits === datum.value);
}

/** The commonest of all: a field, or some of its bits, against a constant. */
function isValue(left: Expression, value: Value, state: State, around: Surroundings, negated: boolean): Certainty {
  const datum = evaluate(left, state, around);
  return datum.is === 'absent' ? no : negatedIf(negated, isConstant(datum, value, domainOf(left)));
}

function concatEquals(left: Expression, parts: Expression[], state: State, around: Surroundings): Certainty {
  const key = keyOf(left, state, around);
  const values = parts.flatMap((part) => (part.type === 'value' ? [part.value] : []));
  if (values.length !== parts.length) return cannotTell('a concatenation with other than constants');
  return any(hits(key, [{ key: values, line: 0 }]).map((hit) => hit.certainty));
}

function ordered(match: Compare, state: State, around: Surroundings): Certainty {
  const datum = evaluate(match.left, state, around);
  const right = bitsOf(match.right, domainOf(match.left), state, around);
  if (datum.is === 'unknown') return cannotTell(datum.why);
  if (right === undefined) return cannotTell(`${match.text} is not worked out`);
  if (datum.is === 'random') return random(shareBelow(match.operator, Number(right) - datum.offset, datum.modulus));
  return datum.is === 'number' ? certain(isOrdered(datum.value, match.operator, right)) : cannotTell(`${match.text} is not worked out`);
}

function isOrdered(left: bigint, operator: CompareOperator, right: bigint): boolean {
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

function shareBelow(operator: CompareOperator, limit: number, modulus: number): number {
  const below = Math.min(Math.max(operator === '<' || operator === '>=' ? limit : limit + 1, 0), modulus) / modulus;
  return operator === '<' || operator === '<=' ? below : 1 - below;
}

/** `meta random & 2147483647 < 1073741824`: how nft prints `-m statistic --mode random`. */
function metaRandom(match: Compare): number | undefined {
  const left = match.left;
  const isRandom = left.type === 'binary' && left.operator === '&' && left.left.type === 'field' && left.left.name === 'meta random';
  if (!isRandom || left.right.type !== 'value' || match.right.type !== 'value') return undefined;
  const [mask, limit] = [Number(valueText(left.right.value)), Number(valueText(match.right.value))];
  if (Number.isNaN(mask) || Number.isNaN(limit) || match.operator === '==' || match.operator === '!=') return undefined;
  return shareBelow(match.operator, limit, mask + 1);
}

/** `fib daddr type local`, also with a set or a list of types. */
function fibType(match: Compare, state: State, context: WalkContext): Certainty {
  const end = match.left.type === 'field' ? fibEnd(match.left.name) : undefined;
  const types = typesOf(match.right);
  if (end === undefined || types === undefined || (match.operator !== '==' && match.operator !== '!='))
    return cannotTell(`${match.text} is not understood`);
  if (isUnknown(state, end)) return cannotTell(`the ${end} address that NAT chose is not known`);
  const address = end === 'source' ? state.packet.source : state.packet.destination;
  return negatedIf(match.operator === '!=', addressTypeIs(address, types, context));
}

function typesOf(expression: Expression): string[] | undefined {
  if (expression.type === 'value') return [valueText(expression.value).toUpperCase()];
  if (expression.type !== 'set' || expression.set.type !== 'anonymous') return undefined;
  const values = expression.set.elements.map((element) => element.key[0]);
  return values.every((value) => value !== undefined) ? values.map((value) => valueText(value).toUpperCase()) : undefined;
}
