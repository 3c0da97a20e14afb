import type { Evidence } from '../schema/evidence.ts';
import { cut, screenRows } from './layout.ts';
import type { Layout } from './sections.ts';
import { count } from './words.ts';

/** A quoted line is never wrapped, but a longer one than this would fill the first screen. */
const LONGEST_LINE = 480;

/** Evidence without lines is the whole output, for example that it lacks something. */
export const WHOLE_OUTPUT = '(the output as a whole)';

/**
 * Quotes evidence in at most `rows` rows of the screen: the command and where it ran, then its lines with their numbers, unwrapped, so that
 * they can be searched for. What does not fit is counted; the first line of all is shown even where it does not fit.
 */
export function evidenceLines(evidence: readonly Evidence[], layout: Layout, rows: number): string[] {
  const quoted = evidence.flatMap((item) => quote(item, layout));
  const shown: string[] = [];
  let left = rows;
  let hidden = 0;
  for (const { heading, line } of quoted) {
    const lines = heading === null || hidden > 0 ? [line] : [heading, line];
    left -= screenRows(lines, layout.width);
    if (hidden === 0 && (left > 0 || shown.length === 0)) {
      shown.push(...lines);
    } else {
      hidden += 1;
    }
  }

  return hidden === 0 ? shown : [...shown, `       … ${count(hidden, 'more line')} (-v shows all)`];
}

/** Every line of one output; the first one brings the heading. */
function quote({ command, on, lines }: Evidence, { style, verbose }: Layout): { heading: string | null; line: string }[] {
  const heading = `  ${style.faint(`${on} $`)} ${style.command(command)}`;
  if (lines.length === 0) {
    return [{ heading, line: `  ${style.faint('   - |')} ${WHOLE_OUTPUT}` }];
  }

  const gutter = lines.reduce((widest, { number }) => Math.max(widest, String(number).length), 4);
  return lines.map(({ number, text }, index) => ({
    heading: index === 0 ? heading : null,
    line: `  ${style.faint(`${String(number).padStart(gutter)} |`)} ${(verbose > 1 ? text : cut(text, LONGEST_LINE)).trimEnd()}`,
  }));
}
