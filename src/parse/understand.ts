import type { Doubt, Parsed, UnparsedLine } from '../model/parsed.ts';
import { guessKind } from './guess.ts';
import { kinds } from './kind-list.ts';
import { open } from './kinds/kind.ts';
import { doubtsAs, parseAs } from './kinds.ts';
import { linesOf } from './line-rules.ts';
import { remedies, type Undone } from './pasted.ts';

/** What a text is and says, and what had to be undone first. */
export interface Understanding {
  kind: string;
  /** For people: how the kind was guessed; null = it was told. */
  why: string | null;
  /** Lines are those of the text as it was given. */
  parsed: Parsed<unknown>;
  undone: Omit<Undone, 'text'>[];
  /** Why it is not known to be whole; empty where it is, and where lines that were not understood are the only reason. */
  doubts: Doubt[];
}

/**
 * Reads a text of `kind`, or of the kind that it looks like, undoing what happened to it on its way (colours, a quoted reply's `> `, a log's times, prompts, a terminal's
 * margin) where more of it is understood then. A text that something had to be undone on is never complete: what else happened to it is not known.
 * Undefined = the kind is not known, or nothing in the text is.
 */
export function understand(text: string, kind?: string): Understanding | undefined {
  let best = attempt(text, kind);
  let current = { text, undone: [] as Undone[] };
  for (const remedy of remedies) {
    if (best?.left.size === 0) break;
    const step = remedy(current.text, best?.left ?? allLines(current.text));
    if (!step) continue;
    current = { text: step.text, undone: [...current.undone, step] };
    const next = attempt(step.text, kind, current.undone, text);
    if (next && (best === undefined || next.left.size < best.left.size) && !joinsWholeLines(step, next.understanding, text)) best = next;
    // Only colours are never the tool's own: any other step that brings nothing is taken back.
    else if (step.what !== 'colours') current = { text: previousText(text, current.undone), undone: current.undone.slice(0, -1) };
  }
  return best?.understanding;
}

/** A line that reads like the beginning of something is no later piece of a folded one: two rules of one length are not one rule. */
function joinsWholeLines(step: Undone, { kind, parsed }: Understanding, original: string): boolean {
  if (step.what !== 'wrap') return false;
  const names = kind === 'mixed' ? (parsed.value as readonly { kind: string }[]).map((part) => part.kind) : [kind];
  const signatures = kinds.filter((known) => names.includes(known.kind)).map(({ signature }) => signature);
  const lines = original.split('\n');
  return step.lines.some((line) => signatures.some((signature) => signature.test((lines[line - 1] ?? '').slice(0, 400))));
}

const previousText = (text: string, undone: readonly Undone[]): string => undone.at(-2)?.text ?? text;

interface Attempt {
  understanding: Understanding;
  left: ReadonlySet<number>;
}

function attempt(text: string, kind: string | undefined, undone: readonly Undone[] = [], original = text): Attempt | undefined {
  const guess = kind === undefined ? guessKind(text) : undefined;
  const name = kind ?? guess?.kind;
  const parsed = name === undefined ? undefined : parseAs(name, text);
  if (name === undefined || parsed === undefined) return undefined;
  const unparsed = undone.length === 0 ? parsed.unparsed : withPieces(parsed.unparsed, undone, original);
  const understanding = {
    kind: name,
    why: guess?.why ?? null,
    parsed: { ...parsed, unparsed, complete: parsed.complete && undone.length === 0 },
    undone: undone.map(({ text: _text, ...step }) => step),
    doubts: [...doubtsAs(name, text, parsed), ...(undone.length === 0 ? [] : [open('something had to be undone on it')])],
  };
  return { understanding, left: new Set(unparsed.map(({ line }) => line)) };
}

/** All pieces of a folded line that was not understood. */
function withPieces(unparsed: readonly UnparsedLine[], undone: readonly Undone[], original: string): UnparsedLine[] {
  const lines = linesOf(original);
  const later = new Set(undone.filter(({ what }) => what === 'wrap' || what === 'interruption').flatMap((step) => step.lines));
  return unparsed.flatMap((first) => {
    const pieces = [first];
    for (let line = first.line + 1; later.has(line); line++) pieces.push({ line, text: lines[line - 1]?.text ?? '', why: first.why });
    return pieces;
  });
}

const allLines = (text: string): Set<number> =>
  new Set(
    linesOf(text)
      .filter((line) => line.text.trim() !== '')
      .map(({ line }) => line),
  );
