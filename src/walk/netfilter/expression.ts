import type { Expression, SetElement } from '../../model/netfilter.ts';
import { constantNumber, valueText } from './constants.ts';
import { type Datum, type Domain, fields } from './fields.ts';
import type { RuleRun } from './run.ts';
import { elementsOf, hits, type Key } from './sets.ts';
import type { State } from './types.ts';

export type Surroundings = Pick<RuleRun, 'place' | 'context'>;

/** The value of an expression that is a single number, address or word. */
export function evaluate(expression: Expression, state: State, around: Surroundings): Datum {
  switch (expression.type) {
    case 'field':
      return fields[expression.name]?.read(state) ?? { is: 'unknown', why: `${expression.name} is not worked out` };
    case 'value':
      return constant(valueText(expression.value));
    case 'binary':
      return binary(expression, state, around);
    case 'numgen':
    case 'hash':
      return { is: 'random', modulus: expression.modulus, offset: expression.offset };
    default:
      return { is: 'unknown', why: 'the expression is not worked out' };
  }
}

/** Every part of a concatenation, with the domain under which constants are compared with it. */
export function keyOf(expression: Expression, state: State, around: Surroundings): Key {
  const parts = expression.type === 'concat' ? expression.parts : [expression];
  return { data: parts.map((part) => evaluate(part, state, around)), domains: parts.map(domainOf) };
}

export function domainOf(expression: Expression): Domain {
  if (expression.type === 'field') return fields[expression.name]?.domain ?? 'text';
  if (expression.type === 'binary') return domainOf(expression.left);
  return 'number';
}

const constant = (text: string): Datum => {
  const value = constantNumber(text, 'number');
  return value === undefined ? { is: 'text', value: text } : { is: 'number', value };
};

function binary(expression: Extract<Expression, { type: 'binary' }>, state: State, around: Surroundings): Datum {
  const left = evaluate(expression.left, state, around);
  const right = bitsOf(expression.right, domainOf(expression.left), state, around);
  if (left.is === 'absent' || left.is === 'unknown') return left;
  if (left.is !== 'number' || right === undefined) return { is: 'unknown', why: 'the expression is not worked out' };
  return { is: 'number', value: combine(left.value, expression.operator, right) };
}

/** The number on the right of an operator: a constant, named bits joined by `|` or commas, or a field. */
export function bitsOf(expression: Expression, domain: Domain, state: State, around: Surroundings): bigint | undefined {
  if (expression.type === 'value') return constantNumber(valueText(expression.value), domain);
  if (expression.type === 'list') {
    const parts = expression.parts.map((part) => bitsOf(part, domain, state, around));
    return parts.every((part) => part !== undefined) ? parts.reduce((bits, part) => bits | part, 0n) : undefined;
  }
  if (expression.type === 'binary') {
    const left = bitsOf(expression.left, domain, state, around);
    const right = bitsOf(expression.right, domain, state, around);
    return left === undefined || right === undefined ? undefined : combine(left, expression.operator, right);
  }
  const datum = evaluate(expression, state, around);
  return datum.is === 'number' ? datum.value : undefined;
}

function combine(left: bigint, operator: '&' | '|' | '^' | '<<' | '>>', right: bigint): bigint {
  if (operator === '&') return left & right;
  if (operator === '|') return left | right;
  if (operator === '^') return left ^ right;
  return operator === '<<' ? (left << right) & 0xffffffffn : left >> right;
}

/** One way in which expressions may come out as texts (addresses and ports of a NAT statement). */
export type Parts =
  | { values: string[]; probability: number; why?: never; breaks?: never }
  | { values?: never; probability: number; why: string; breaks?: boolean };

/** Evaluates the address and port expressions of a NAT statement; a map gives as many parts as its data has. */
export function evaluateParts(expressions: readonly Expression[], run: Surroundings, state: State): Parts[] {
  const [first] = expressions;
  if (expressions.length === 1 && first?.type === 'map') return lookUpData(first, run, state);
  const values = expressions.map((expression) => textOf(expression, state, run));
  return values.every((value) => value !== undefined)
    ? [{ values, probability: 1 }]
    : [{ why: 'the NAT target is an expression that is not worked out', probability: 1 }];
}

function textOf(expression: Expression, state: State, around: Surroundings): string | undefined {
  if (expression.type === 'value') return valueText(expression.value);
  const datum = evaluate(expression, state, around);
  if (datum.is === 'address') return datum.text;
  return datum.is === 'number' ? String(datum.value) : undefined;
}

function lookUpData(map: Extract<Expression, { type: 'map' }>, run: Surroundings, state: State): Parts[] {
  const elements = elementsOf(map.map, run.place, state);
  if (elements === undefined || !elements.known) return [{ why: 'the map of the NAT target is not in the output', probability: 1 }];
  const found = hits(keyOf(map.key, state, run), elements.elements);
  if (found.length === 0) return [{ why: 'the NAT target is not in its map', breaks: true, probability: 1 }];
  return found.map(({ element, certainty }): Parts => {
    const values = dataTexts(element);
    if (values === undefined || certainty.is === 'unknown') return { why: 'the element of the NAT map is not known', probability: 1 };
    return { values, probability: certainty.is === 'random' ? certainty.probability : 1 };
  });
}

const dataTexts = (element: SetElement): string[] | undefined => (Array.isArray(element.data) ? element.data.map(valueText) : undefined);
