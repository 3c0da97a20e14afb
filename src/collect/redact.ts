/**
 * Takes out of an API object what no diagnosis needs and what may be secret: managed fields, the last applied configuration, the environment of
 * containers. Secrets are never asked for at all.
 * Only lists are dropped: `env` is also a common label, and a selector without it would select other pods.
 */
export function redactObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactObject);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (droppedLists.has(key) && Array.isArray(inner)) return [];
      if (key === 'annotations' && typeof inner === 'object' && inner !== null)
        return [[key, keepAnnotations(inner as Record<string, unknown>)]];
      return [[key, redactObject(inner)]];
    }),
  );
}

const droppedLists = new Set(['managedFields', 'env', 'envFrom', 'imagePullSecrets']);

const keepAnnotations = (annotations: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(annotations).filter(([key]) =>
      /^(flannel\.|projectcalico\.org\/|cilium\.io\/|service\.kubernetes\.io\/|endpoints\.kubernetes\.io\/|kubernetes\.io\/)/.test(key),
    ),
  );
