import { type Kind, kinds } from './kind-list.ts';
import { linesOf } from './line-rules.ts';
import { kindsSeenIn, parseMixed } from './mixed.ts';

export interface Guess {
  kind: string;
  /** For people: which line told it, and how many lines its parser leaves. */
  why: string;
}

/**
 * Which of `kindNames` a text is: by lines that only one tool writes, then by which parser leaves the fewest lines; `mixed` where several outputs stand in one text and
 * together leave none or less. Undefined = nothing in it is known.
 */
export function guessKind(text: string): Guess | undefined {
  if (text.trim() === '') return { kind: 'empty', why: 'there is nothing in it' };
  const seen = kindsSeenIn(text);
  if (seen.length === 0) return guessByTrial(text);
  const tried = seen.slice(0, 8).map((kind) => ({ kind, left: leftBy(kind, text) }));
  const best = tried.reduce((a, b) => (b.left < a.left ? b : a));
  if (best.left > 0 && seen.length > 1) {
    const mixed = parseMixed(text, seen);
    const names = [...new Set(mixed.value.map((part) => part.kind))];
    if (names.length > 1 && mixed.unparsed.length < best.left) return { kind: 'mixed', why: `parts of it are ${names.join(', ')}` };
  }
  return { kind: best.kind.kind, why: whyOf(best.kind, text, best.left) };
}

/** Kinds whose lines have no mark of their own (`dig +short`): only where every line fits. */
function guessByTrial(text: string): Guess | undefined {
  const count = linesOf(text).filter((line) => line.text.trim() !== '').length;
  // dig first: a list of bare addresses is an answer of `dig +short`, where BusyBox' routes always name a device.
  const markless = ['dig', 'getent', 'ip-route', 'sysctl', 'nc'].flatMap((name) => kinds.filter(({ kind }) => kind === name));
  const fitting = markless.find((kind) => leftBy(kind, text) === 0);
  return (
    fitting && { kind: fitting.kind, why: `${count === 1 ? 'its line' : `each of its ${count} lines`} can be one of ${fitting.reads}` }
  );
}

function leftBy(kind: Kind, text: string): number {
  const { parsed, doubtful } = kind.read(text);
  return parsed.unparsed.length + doubtful.length;
}

function whyOf({ signature, reads }: Kind, text: string, left: number): string {
  const told = linesOf(text).find((line) => signature.test(line.text.slice(0, 4096)));
  const words = told ? `line ${told.line} is one of ${reads}: ${told.text.trim().slice(0, 60)}` : `it reads like ${reads}`;
  return left === 0 ? words : `${words} (${left} ${left === 1 ? 'line' : 'lines'} left)`;
}
