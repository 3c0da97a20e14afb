import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Reads a real output from fixtures/parse/probe (its origin stands in origin.json there). */
export const sample = (name: string): string => readFileSync(new URL(`../../fixtures/parse/probe/${name}`, import.meta.url), 'utf8');

/** All fixtures of fixtures/parse/probe whose name matches. */
export function samplesLike(pattern: RegExp): string[] {
  const directory = new URL('../../fixtures/parse/probe/', import.meta.url);
  return existsSync(directory)
    ? readdirSync(directory)
        .filter((name) => pattern.test(name))
        .map(sample)
    : [];
}
