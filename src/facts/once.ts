/** Calls `make` at the first use only. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** One value for each key, made at its first use. */
export function oncePerKey<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const existing = known.get(key);
    if (existing !== undefined || known.has(key)) return existing as T;
    const value = make(key);
    known.set(key, value);
    return value;
  };
}
