import type { Parsed } from '../model/parsed.ts';
import { type Kind, kinds } from './kind-list.ts';
import { parseMixed } from './mixed.ts';

/** Names of everything that `parseAs` reads, with the commands and files they stand for. `mixed` is several outputs in one text. */
export const kindNames: readonly Pick<Kind, 'kind' | 'reads'>[] = [
  ...kinds.map(({ kind, reads }) => ({ kind, reads })),
  { kind: 'mixed', reads: 'several of these, one below the other' },
];

/** Parses text as one of `kindNames`; undefined = no such kind. */
export function parseAs(kind: string, text: string): Parsed<unknown> | undefined {
  return kind === 'mixed' ? parseMixed(text) : kinds.find((candidate) => candidate.kind === kind)?.parse(text);
}
