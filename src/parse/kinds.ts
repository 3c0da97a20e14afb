import type { Doubt, Parsed } from '../model/parsed.ts';
import { doubtOfLine, doubtsOf } from './doubts.ts';
import { type Kind, kinds } from './kind-list.ts';
import { open } from './kinds/kind.ts';
import { type MixedPart, parseMixed } from './mixed.ts';

/** Names of everything that `parseAs` reads, with the commands and files they stand for. `mixed` is several outputs in one text. */
export const kindNames: readonly Pick<Kind, 'kind' | 'reads'>[] = [
  ...kinds.map(({ kind, reads }) => ({ kind, reads })),
  { kind: 'mixed', reads: 'several of these, one below the other' },
];

/** Parses text as one of `kindNames`; undefined = no such kind. */
export function parseAs(kind: string, text: string): Parsed<unknown> | undefined {
  return kind === 'mixed' ? parseMixed(text) : kinds.find((candidate) => candidate.kind === kind)?.parse(text);
}

/** Why what `parseAs` made of a text is not known to be whole; empty where it is. */
export function doubtsAs(kind: string, text: string, parsed: Parsed<unknown>): Doubt[] {
  if (kind === 'mixed') return doubtsOfMixed(parsed as Parsed<MixedPart[]>);
  const known = kinds.find((candidate) => candidate.kind === kind);
  return known === undefined ? [] : doubtsOf(known, text, parsed);
}

const doubtsOfMixed = ({ value, unparsed }: Parsed<MixedPart[]>): Doubt[] => [
  ...unparsed.flatMap(doubtOfLine),
  ...value.flatMap(({ kind, line, doubts }) =>
    doubts.filter(({ is }) => is === 'cut').map(({ is, says }) => ({ is, says: `${kind} from line ${line} on: ${says}` })),
  ),
  open('where one output ends and the next begins is told by no mark'),
];
