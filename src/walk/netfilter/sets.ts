import type { SetElement, SetReference, Value } from '../../model/netfilter.ts';
import { addressValue } from '../../model/netfilter-address.ts';
import { all, type Certainty } from './certainty.ts';
import { constantNumber, isConstant } from './constants.ts';
import type { Datum, Domain } from './fields.ts';
import { setNamed } from './lookup.ts';
import { hasChanged, type Place, type State } from './types.ts';

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
  /** False when the listing does not show all elements, or rules have changed them since. */
  known: boolean;
}

/** The elements of a set or map as the packet finds them; undefined: no such set is in the output. */
export function elementsOf(set: SetReference, place: Place, state: State): Elements | undefined {
  if (set.type === 'anonymous') return { elements: set.elements, known: true };
  const named = setNamed(place.table, set.name);
  if (named === undefined) return undefined;
  // A rule that has written into the set may have taken elements out, too.
  if (hasChanged(state, nameOfSet(place, set.name)) || hasChanged(state, nameOfSet(place, ''))) return { elements: [], known: false };
  return { elements: named.elements, known: named.elementsKnown };
}

/** What {@link hasChanged} knows a set of nft by; an empty name stands for any set of the table. */
export const nameOfSet = ({ table }: Place, name: string): string => `${table.family} ${table.name} ${name}`;

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
  const [first] = element.key;
  if (first !== undefined && element.key.length === 1) return isPart(key, first, 0);
  return all(element.key.map((value, index) => isPart(key, value, index)));
}

const isPart = (key: Key, value: Value, index: number): Certainty =>
  isConstant(key.data[index] ?? { is: 'absent' }, value, key.domains[index] ?? 'text');

/** Elements under the constant that stands in one part of their key; those with a range, a prefix or a name there stand apart. */
interface Index {
  byConstant: Map<bigint, SetElement[]>;
  others: SetElement[];
}

const indexes = new WeakMap<readonly SetElement[], Map<number, Index>>();
const smallSet = 16;
const nothing: readonly SetElement[] = [];

/** Sets with thousands of elements (one per Service port) are looked up by the first address in the key, or else by its first number. */
function likely(key: Key, elements: readonly SetElement[]): readonly SetElement[] {
  if (elements.length < smallSet) return elements;
  const address = key.data.findIndex((datum) => datum.is === 'address');
  const part = address < 0 ? key.data.findIndex((datum) => datum.is === 'number') : address;
  const datum = key.data[part];
  if (datum?.is !== 'address' && datum?.is !== 'number') return elements;
  const index = indexOf(elements, part, key.domains[part] ?? 'text');
  const exact = index.byConstant.get(datum.value) ?? nothing;
  return index.others.length === 0 ? exact : [...exact, ...index.others];
}

function indexOf(elements: readonly SetElement[], part: number, domain: Domain): Index {
  const known = indexes.get(elements) ?? new Map<number, Index>();
  indexes.set(elements, known);
  const existing = known.get(part);
  if (existing !== undefined) return existing;
  const index: Index = { byConstant: new Map(), others: [] };
  for (const element of elements) {
    const constant = constantOf(element.key[part], domain);
    const same = constant === undefined ? index.others : index.byConstant.get(constant);
    if (same !== undefined) same.push(element);
    else if (constant !== undefined) index.byConstant.set(constant, [element]);
  }
  known.set(part, index);
  return index;
}

const constantOf = (value: Value | undefined, domain: Domain): bigint | undefined => {
  if (value?.type !== 'literal') return undefined;
  return domain === 'address' ? addressValue(value.text)?.value : constantNumber(value.text, domain);
};
