/** A member of a JSON object, or undefined when the value is no object or has no such member. */
export const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>)[name] : undefined;

/** Name and content of an object with one member, as libnftables-json writes expressions and statements. */
export function only(value: unknown): [string, unknown] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  let found: string | undefined;
  for (const name in value) {
    if (found !== undefined) return undefined;
    found = name;
  }
  return found === undefined ? undefined : [found, (value as Record<string, unknown>)[found]];
}

export const numberMember = (value: unknown, name: string): number | undefined => {
  const found = member(value, name);
  return typeof found === 'number' ? found : undefined;
};

export const textMember = (value: unknown, name: string): string | undefined => {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
};
