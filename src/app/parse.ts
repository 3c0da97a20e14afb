import type { Parsed } from '../model/parsed.ts';
import { guessKind } from '../parse/guess.ts';
import { kindNames, parseAs } from '../parse/kinds.ts';

export type ParseOutcome = { ok: true; kind: string; why: string | null; parsed: Parsed<unknown> } | { ok: false; sentence: string };

/** What k8snet understands of a pasted output; the kind is guessed when it is not told. */
export function parseText(text: string, kind: string | undefined): ParseOutcome {
  const guess = kind === undefined ? guessKind(text) : undefined;
  const name = kind ?? guess?.kind;
  if (name === undefined)
    return { ok: false, sentence: 'this looks like no output that k8snet knows; name it with --as (k8snet parse --kinds lists them)' };
  const parsed = parseAs(name, text);
  if (!parsed) return { ok: false, sentence: `there is no kind "${name}"; the kinds are ${kindNames.map((item) => item.kind).join(', ')}` };
  return { ok: true, kind: name, why: guess?.why ?? null, parsed };
}

/** The kinds with the commands that they stand for, a line each. */
export const listKinds = (): string => `${kindNames.map(({ kind, reads }) => `${kind.padEnd(24)} ${reads}`).join('\n')}\n`;
