import type { UnparsedLine } from '../model/parsed.ts';

/** One line of the input, without its line end. `line` is 1-based. */
export interface Line {
  line: number;
  text: string;
}

/**
 * What to do with a line of a known form. `groups` are the capture groups of the pattern (an absent group is ''). A handler that returns
 * `false` refuses the line (for example a number out of range): the next rule is tried.
 */
export type LineRule<State> = readonly [pattern: RegExp, take: (state: State, groups: readonly string[], at: Line) => unknown];

/** No line of a tool is this long; a longer one is refused, so that no pattern can be made to run for ever. */
const longestLine = 65_536;

/** Splits on LF and drops one CR before it (texts pasted from Windows, `kubectl exec -t`). A final newline makes no empty last line. */
export function linesOf(text: string): Line[] {
  const texts = text.split('\n');
  if (texts.at(-1) === '') texts.pop();
  return texts.map((raw, index) => ({ line: index + 1, text: raw.endsWith('\r') ? raw.slice(0, -1) : raw }));
}

/** Gives each non-blank line to the first rule that takes it. Returns the lines that none took: nothing is dropped. */
export function applyRules<State>(lines: readonly Line[], state: State, rules: readonly LineRule<State>[], why: string): UnparsedLine[] {
  const unparsed: UnparsedLine[] = [];
  for (const at of lines) {
    if (/^\s*$/.test(at.text)) continue;
    if (at.text.length > longestLine) unparsed.push({ ...at, why: 'line is too long' });
    else if (!takenBy(rules, state, at)) unparsed.push({ ...at, why });
  }
  return unparsed;
}

function takenBy<State>(rules: readonly LineRule<State>[], state: State, at: Line): boolean {
  return rules.some(([pattern, take]) => {
    const match = pattern.exec(at.text);
    if (match === null) return false;
    const groups = Array.from(match, (group) => group ?? '');
    return take(state, groups, at) !== false;
  });
}
