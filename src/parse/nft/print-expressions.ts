import type { Action, CompareOperator, Expression, SetElement, SetReference, Value } from '../../model/netfilter.ts';
import { bitFields } from './bit-fields.ts';
import { counterText } from './counter.ts';

/** Fields whose constants are strings and stand in quotes: names of devices, helpers, times. */
const stringFields =
  /^(?:meta (?:[io]ifname|[io]if|[io]brname|[io]ifkind|[io]ifgroup|sdifname|sdif|time|day|hour)|ct helper|osf name|fib .* oifname)$/;

/** Which parts of a key (one, or several of a concatenation) are strings. */
export const stringParts = (key: Expression): boolean[] =>
  key.type === 'concat' ? key.parts.flatMap(stringParts) : [key.type === 'field' && stringFields.test(key.name)];

/** Types of set(8) and names of fields (in `typeof`) whose elements stand in quotes. */
export const isStringType = (type: string): boolean =>
  /^(?:ifname|iface_index|string|counter|quota|limit|ct helper|ct timeout|ct expectation|synproxy|secmark|time|day|hour)$/.test(type) ||
  stringFields.test(type.replace(/^(?=[io]if)/, 'meta '));

/** An expression in the words of nft(8), as `nft list ruleset` prints it and `nft -f` takes it. */
export function expressionText(expression: Expression, strings: boolean[] = []): string {
  switch (expression.type) {
    case 'value':
      return valueText(expression.value, strings[0]);
    case 'field':
      return expression.name;
    case 'concat':
      return expression.parts.map((part, index) => expressionText(part, [strings[index] ?? false])).join(' . ');
    case 'list':
      return expression.parts.map((part) => expressionText(part, strings)).join(',');
    case 'binary':
      return `${operandText(expression.left)} ${expression.operator} ${operandText(expression.right)}`;
    case 'set':
      return setText(expression.set, strings);
    case 'map':
      return `${expressionText(expression.key)} map ${setText(expression.map, stringParts(expression.key))}`;
    case 'numgen':
      return `numgen ${expression.mode} mod ${expression.modulus}${offsetText(expression.offset)}`;
    case 'hash':
      return hashText(expression);
    case 'opaque':
      return expression.text;
  }
}

/** `a & b | c` is read from left to right only where `&` stands first, so that operands that are operations themselves stand in parentheses. */
function operandText(operand: Expression): string {
  if (operand.type === 'list') return `(${operand.parts.map((part) => expressionText(part)).join(' | ')})`;
  return operand.type === 'binary' ? `(${expressionText(operand)})` : expressionText(operand);
}

/** `ip saddr 10.0.0.1`, `tcp dport != 22`, `ct mark & 1 == 1`: behind an operation the sign has to be said. */
export function comparisonText(left: Expression, operator: CompareOperator, right: Expression): string {
  const isOfBits = left.type === 'field' && bitFields.has(left.name) && right.type !== 'set';
  const isImplied = operator === 'in' || (operator === '==' && left.type !== 'binary' && !isOfBits);
  return `${expressionText(left)} ${isImplied ? '' : `${operator} `}${rightText(left, right)}`;
}

/** The right side of a comparison: flags behind an operation are one number, not a choice. */
function rightText(left: Expression, right: Expression): string {
  if (left.type === 'binary') return right.type === 'list' || right.type === 'binary' ? operandText(right) : expressionText(right);
  return expressionText(right, stringParts(left));
}

const offsetText = (offset: number): string => (offset === 0 ? '' : ` offset ${offset}`);

function hashText({ algorithm, of, modulus, seed, offset }: Extract<Expression, { type: 'hash' }>): string {
  const from = of === undefined ? '' : ` ${expressionText(of)}`;
  return `${algorithm}${from} mod ${modulus}${seed === undefined ? '' : ` seed 0x${seed.toString(16)}`}${offsetText(offset)}`;
}

export const setText = (set: SetReference, strings: boolean[] = []): string =>
  set.type === 'named' ? `@${set.name}` : `{ ${set.elements.map((element) => elementText(element, strings)).join(', ')} }`;

/** `key`, `key timeout 60s comment "x" : data`. What is left of the time is not written: it is over when the text is read again. */
export function elementText(
  { key, data, timeout, counters, comment }: SetElement,
  strings: boolean[] = [],
  dataStrings: boolean[] = [],
): string {
  let words = valuesText(key, strings);
  if (timeout !== undefined) words += ` timeout ${timeout}s`;
  if (counters !== undefined) words += ` ${counterText(counters)}`;
  if (comment !== undefined) words += ` comment "${comment}"`;
  if (data === undefined) return words;
  return `${words} : ${Array.isArray(data) ? valuesText(data, dataStrings) : verdictText(data)}`;
}

function valuesText(values: readonly Value[], strings: boolean[]): string {
  let text = '';
  for (const [index, value] of values.entries())
    text += index === 0 ? valueText(value, strings[0]) : ` . ${valueText(value, strings[index])}`;
  return text;
}

export function verdictText(action: Action): string {
  if (action.kind === 'jump' || action.kind === 'goto') return `${action.kind} ${action.chain}`;
  return 'text' in action ? action.text : action.kind;
}

function valueText(value: Value, isString = false): string {
  switch (value.type) {
    case 'literal':
      return wordText(value.text, isString);
    case 'prefix':
      return `${value.address}/${value.length}`;
    case 'range':
      return `${wordText(value.from, isString)}-${wordText(value.to, isString)}`;
    case 'wildcard':
      return '*';
  }
}

const wordText = (text: string, isString: boolean): string => (isString || !/^[\w./:+-]+$/.test(text) ? `"${text}"` : text);
