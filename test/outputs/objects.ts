export type Loose = Record<string, unknown>;

/** What a comparator finds wrong: nothing, when the truth is in the value. */
export type Comparator = (truth: Loose, value: unknown, item: { slug: string; text: string }) => string[];

/** Every object inside a parsed value, at any depth. Comparators look for the configured thing among them, whatever list it is in. */
export function objectsIn(value: unknown): Loose[] {
  const found: Loose[] = [];
  const seen = new Set<object>();
  const visit = (thing: unknown): void => {
    if (typeof thing !== 'object' || thing === null || seen.has(thing)) return;
    seen.add(thing);
    if (!Array.isArray(thing)) found.push(thing as Loose);
    for (const inner of thing instanceof Map ? thing.values() : Object.values(thing)) visit(inner);
  };
  visit(value);
  return found;
}

export const isLoose = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value);
export const looseList = (value: unknown): Loose[] => (Array.isArray(value) ? value.filter(isLoose) : []);
export const entriesOf = (value: unknown): [string, unknown][] => (isLoose(value) ? Object.entries(value) : []);

/** One message for each expectation that does not hold. */
export const missing = (checks: readonly (readonly [what: string, holds: boolean])[]): string[] =>
  checks.filter(([, holds]) => !holds).map(([what]) => what);
