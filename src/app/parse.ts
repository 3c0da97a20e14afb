import type { Parsed } from '../model/parsed.ts';
import { kindNames } from '../parse/kinds.ts';
import { understand } from '../parse/understand.ts';

export type ParseOutcome = { ok: true; kind: string; why: string | null; parsed: Parsed<unknown> } | { ok: false; sentence: string };

/** What k8snet understands of a pasted output; the kind is guessed when it is not told. */
export function parseText(text: string, kind: string | undefined): ParseOutcome {
  if (kind !== undefined && kindNames.every((known) => known.kind !== kind))
    return { ok: false, sentence: `there is no kind "${kind}"; the kinds are ${kindNames.map((item) => item.kind).join(', ')}` };
  const understood = understand(text, kind);
  if (!understood)
    return { ok: false, sentence: 'this looks like no output that k8snet knows; name it with --as (k8snet parse --kinds lists them)' };
  const { undone, why, parsed } = understood;
  const words = [why, ...undone.map(({ sentence }) => sentence)].filter((part) => part !== null);
  return { ok: true, kind: understood.kind, why: words.length === 0 ? null : words.join('; '), parsed };
}

/** The kinds with the commands that they stand for, a line each. */
export const listKinds = (): string => `${kindNames.map(({ kind, reads }) => `${kind.padEnd(24)} ${reads}`).join('\n')}\n`;
