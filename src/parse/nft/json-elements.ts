import type { Action, SetElement, Value } from '../../model/netfilter.ts';
import { member, numberMember, only, textMember } from './json-value.ts';

/** The elements of a set or map: constants, `{elem: {val, comment}}`, and `[key, data]` for a map. */
export function elementsOfJson(value: unknown): { elements: SetElement[]; known: boolean } {
  if (value === undefined) return { elements: [], known: true };
  const list = Array.isArray(value) ? value : [value];
  const elements = list.map(elementOf);
  return { elements: elements.filter((element) => element !== undefined), known: elements.every((element) => element !== undefined) };
}

function elementOf(value: unknown): SetElement | undefined {
  const [keyJson, dataJson] = Array.isArray(value) ? value : [value, undefined];
  const wrapped = member(keyJson, 'elem');
  const key = valuesOfJson(wrapped === undefined ? keyJson : member(wrapped, 'val'));
  if (key === undefined) return undefined;
  const data = dataJson === undefined ? undefined : (verdictOfJson(dataJson) ?? valuesOfJson(dataJson));
  if (dataJson !== undefined && data === undefined) return undefined;
  return { line: 1, key, ...(data === undefined ? {} : { data }), ...(wrapped === undefined ? {} : attributesOf(wrapped)) };
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
  return values.every((part) => part !== undefined) ? values : undefined;
}

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

const verdicts = ['accept', 'drop', 'return', 'continue'] as const;

export function verdictOfJson(value: unknown): Action | undefined {
  const [kind, content] = only(value) ?? [];
  const plain = verdicts.find((verdict) => verdict === kind);
  if (plain !== undefined) return { role: 'action', kind: plain };
  const target = member(content, 'target');
  if ((kind === 'jump' || kind === 'goto') && typeof target === 'string') return { role: 'action', kind, chain: target };
  return undefined;
}
