import type { Action, SetElement, Value } from '../../model/netfilter.ts';
import { member, numberMember, only, textMember } from './json-value.ts';

/** The elements of a set or map: constants, `{elem: {val, comment}}`, and `[key, data]` for a map. */
export function elementsOfJson(value: unknown): { elements: SetElement[]; known: boolean } {
  if (value === undefined) return { elements: [], known: true };
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const elements: SetElement[] = [];
  for (const json of list) {
    const element = elementOf(json);
    if (element !== undefined) elements.push(element);
  }
  return { elements, known: elements.length === list.length };
}

function elementOf(value: unknown): SetElement | undefined {
  const keyJson: unknown = Array.isArray(value) ? value[0] : value;
  const dataJson: unknown = Array.isArray(value) ? value[1] : undefined;
  const wrapped = member(keyJson, 'elem');
  const key = valuesOfJson(wrapped === undefined ? keyJson : member(wrapped, 'val'));
  const data = dataJson === undefined ? undefined : (verdictOfJson(dataJson) ?? valuesOfJson(dataJson));
  if (key === undefined || (dataJson !== undefined && data === undefined)) return undefined;
  const element: SetElement = data === undefined ? { line: 1, key } : { line: 1, key, data };
  return wrapped === undefined ? element : { ...element, ...attributesOf(wrapped) };
}

function attributesOf(wrapped: unknown): Partial<SetElement> {
  const [timeout, expires, comment] = [numberMember(wrapped, 'timeout'), numberMember(wrapped, 'expires'), textMember(wrapped, 'comment')];
  const counter = member(wrapped, 'counter');
  const [packets, bytes] = [numberMember(counter, 'packets'), numberMember(counter, 'bytes')];
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(expires === undefined ? {} : { expires }),
    ...(packets === undefined || bytes === undefined ? {} : { counters: { packets, bytes } }),
    ...(comment === undefined ? {} : { comment }),
  };
}

export function valuesOfJson(value: unknown): Value[] | undefined {
  const parts = member(value, 'concat');
  const values = Array.isArray(parts) ? parts.map(constantOfJson) : [constantOfJson(value)];
  return isKnown(values) ? values : undefined;
}

const isKnown = (values: (Value | undefined)[]): values is Value[] => !values.includes(undefined);

/** `80`, `"10.0.0.1"`, `{prefix: {addr, len}}`, `{range: [a, b]}`, `"*"`. */
export function constantOfJson(value: unknown): Value | undefined {
  if (value === '*') return { type: 'wildcard' };
  if (typeof value === 'string' || typeof value === 'number') return { type: 'literal', text: String(value) };
  if (typeof value === 'boolean') return { type: 'literal', text: value ? 'exists' : 'missing' };
  const [kind, content] = only(value) ?? [];
  if (kind === 'prefix') {
    const [address, length] = [member(content, 'addr'), member(content, 'len')];
    return typeof address === 'string' && typeof length === 'number' ? { type: 'prefix', address, length } : undefined;
  }
  if (kind === 'range' && Array.isArray(content) && content.length === 2)
    return { type: 'range', from: String(content[0]), to: String(content[1]) };
  return undefined;
}

export function verdictOfJson(value: unknown): Action | undefined {
  const [kind, content] = only(value) ?? [];
  switch (kind) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'continue':
      return { role: 'action', kind };
    case 'jump':
    case 'goto': {
      const chain = textMember(content, 'target');
      return chain === undefined ? undefined : { role: 'action', kind, chain };
    }
    default:
      return undefined;
  }
}
