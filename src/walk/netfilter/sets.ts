import type { SetElement, SetReference, Value } from '../../model/netfilter.ts';
import { all, type Certainty } from './certainty.ts';
import { isConstant } from './constants.ts';
import type { Datum, Domain } from './fields.ts';
import type { Place } from './types.ts';

/** A key as the packet has it: one datum per part of a concatenation. */
export interface Key {
  data: Datum[];
  domains: Domain[];
}

/** An element that the key is in, for certain, with a probability, or perhaps. */
export interface Hit {
  element: SetElement;
  certainty: Certainty;
}

export interface Elements {
  elements: readonly SetElement[];
  /** False when the listing does not show all elements. */
  known: boolean;
}

export function elementsOf(set: SetReference, place: Place): Elements | undefined {
  if (set.type === 'anonymous') return { elements: set.elements, known: true };
  const named = place.table.sets.find((candidate) => candidate.name === set.name);
  return named && { elements: named.elements, known: named.elementsKnown };
}

/** All elements that the key is, or may be, in. */
export function hits(key: Key, elements: readonly SetElement[]): Hit[] {
  if (key.data.some((datum) => datum.is === 'absent')) return [];
  const candidates = key.data.some((datum) => datum.is === 'unknown' || datum.is === 'random') ? elements : likely(key, elements);
  const found: Hit[] = [];
  for (const element of candidates) {
    const certainty = isIn(key, element);
    if (certainty.is === 'yes') return [{ element, certainty }];
    if (certainty.is !== 'no') found.push({ element, certainty });
  }
  return found;
}

function isIn(key: Key, element: SetElement): Certainty {
  if (key.data.length !== element.key.length) {
    return element.key[0]?.type === 'wildcard' ? { is: 'yes' } : { is: 'unknown', why: 'the key of the set has another shape' };
  }
  return all(element.key.map((value, index) => isConstant(key.data[index] ?? { is: 'absent' }, value, key.domains[index] ?? 'text')));
}

/** Sets with thousands of elements (one per Service port) are looked up by the first part of the key that is an address or a number. */
interface Index {
  byKey: Map<string, SetElement[]>;
  others: SetElement[];
}

const indexes = new WeakMap<readonly SetElement[], Map<number, Index>>();
const smallSet = 16;

function likely(key: Key, elements: readonly SetElement[]): readonly SetElement[] {
  const part = key.data.findIndex((datum) => datum.is === 'address');
  const datum = key.data[part];
  if (elements.length < smallSet || datum?.is !== 'address') return elements;
  const index = indexOf(elements, part);
  return [...(index.byKey.get(datum.text.toLowerCase()) ?? []), ...index.others];
}

/** IPv6 has several spellings, so that only IPv4 constants are indexed. */
function indexOf(elements: readonly SetElement[], part: number): Index {
  const known = indexes.get(elements) ?? new Map<number, Index>();
  indexes.set(elements, known);
  const existing = known.get(part);
  if (existing !== undefined) return existing;
  const index: Index = { byKey: new Map(), others: [] };
  for (const element of elements) {
    const value: Value | undefined = element.key[part];
    if (value?.type === 'literal' && /^[\d.]+$/.test(value.text))
      index.byKey.set(value.text, [...(index.byKey.get(value.text) ?? []), element]);
    else index.others.push(element);
  }
  known.set(part, index);
  return index;
}
