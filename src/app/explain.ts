import { checks } from '../checks/index.ts';
import type { CheckMeta } from '../model/check.ts';

/** The explanation of a check by id or slug, in any case; or the nearest known ones. */
export function findExplanation(idOrSlug: string): { meta: CheckMeta } | { known: CheckMeta[] } {
  const wanted = idOrSlug.toLowerCase();
  const found = checks.find(({ meta }) => meta.id.toLowerCase() === wanted || meta.slug === wanted);
  if (found) return found;
  const metas = checks.map(({ meta }) => meta);
  const near = metas.filter((meta) => meta.slug.includes(wanted) || meta.id.toLowerCase().startsWith(wanted.slice(0, 3)));
  return { known: near.length > 0 ? near : metas };
}
