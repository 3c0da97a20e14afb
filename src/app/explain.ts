import { checks } from '../checks/index.ts';
import { nearNames } from '../collect/target.ts';
import type { CheckMeta } from '../model/check.ts';

/** The explanation of a check by id or slug, in any case; or the nearest known ones, nearest first. */
export function findExplanation(idOrSlug: string): { meta: CheckMeta } | { near: CheckMeta[] } {
  const wanted = idOrSlug.toLowerCase();
  const metas = checks.map(({ meta }) => meta);
  const meta = metas.find(({ id, slug }) => id.toLowerCase() === wanted || slug === wanted);
  if (meta) return { meta };
  const names = metas.flatMap(({ id, slug }) => [id.toLowerCase(), slug]);
  const near = nearNames(wanted, names).flatMap((name) => metas.find(({ id, slug }) => id.toLowerCase() === name || slug === name) ?? []);
  return { near: [...new Set(near)] };
}

/** Every check, a line each: id, slug, title. */
export function listChecks(): string {
  const metas = checks.map(({ meta }) => meta).sort((a, b) => (a.id < b.id ? -1 : 1));
  const width = Math.max(...metas.map(({ slug }) => slug.length));
  return metas.map(({ id, slug, title }) => `${id}  ${slug.padEnd(width)}  ${title}\n`).join('');
}
