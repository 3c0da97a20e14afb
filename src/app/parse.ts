import { nearNames } from '../collect/target.ts';
import { kindNames } from '../parse/kinds.ts';
import type { MixedPart } from '../parse/mixed.ts';
import { understand } from '../parse/understand.ts';
import type { ParsedPart, ParsedReport } from '../report/parsed.ts';

export type ParseOutcome = { ok: true; report: ParsedReport; isAll: boolean } | { ok: false; sentence: string };

/**
 * What k8snet understands of a pasted output; the kind is guessed when it is not told. `isAll`: each line was understood, of one output or of several, and none of them shows that
 * it was cut.
 */
export function parseText(text: string, kind: string | undefined): ParseOutcome {
  if (kind !== undefined && kindNames.every((known) => known.kind !== kind))
    return { ok: false, sentence: `there is no kind "${kind}"${nearKinds(kind)}; k8snet parse --kinds lists them` };
  const understood = understand(text, kind);
  if (!understood)
    return { ok: false, sentence: 'this looks like no output that k8snet knows; name it with --as (k8snet parse --kinds lists them)' };
  const { undone, why, parsed, doubts } = understood;
  const words = [why, ...undone.map(({ sentence }) => sentence)].filter((part) => part !== null);
  const parts = understood.kind === 'mixed' ? (parsed.value as readonly MixedPart[]).map(partOf) : null;
  return {
    ok: true,
    report: {
      kind: understood.kind,
      why: words.length === 0 ? null : words.join('; '),
      parsed: parts === null ? parsed : { ...parsed, value: parts },
      parts,
      doubts: doubts.map(({ says }) => says),
    },
    isAll: parsed.unparsed.length === 0 && doubts.every(({ is }) => is === 'open'),
  };
}

/** A part of several outputs, told as if it stood alone. */
function partOf({ doubts, ...part }: MixedPart): ParsedPart {
  return { ...part, unparsed: [], doubts: doubts.map(({ says }) => says) };
}

function nearKinds(wanted: string): string {
  const near = nearNames(
    wanted.toLowerCase(),
    kindNames.map(({ kind }) => kind),
  );
  return near.length === 0 ? '' : `; near ones: ${near.join(', ')}`;
}

/** The kinds with the commands that they stand for, a line each. */
export const listKinds = (): string => `${kindNames.map(({ kind, reads }) => `${kind.padEnd(24)} ${reads}`).join('\n')}\n`;
