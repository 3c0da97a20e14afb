/** The smallest text found that still fails: halves, lines, then characters are taken away for as long as `fails` holds, for at most `tries` tries. */
export function shrink(text: string, fails: (text: string) => boolean, tries = 3000): string {
  const byLines = takeAway(text.split('\n'), (lines) => fails(lines.join('\n')), tries).join('\n');
  return takeAway(Array.from(byLines), (characters) => fails(characters.join('')), tries).join('');
}

/** Delta debugging (Zeller and Hildebrandt, 2002): ever smaller pieces are left out, and stay out when it still fails. */
function takeAway(parts: readonly string[], fails: (parts: readonly string[]) => boolean, tries: number): readonly string[] {
  let left = parts;
  let remaining = tries;
  for (let size = Math.ceil(parts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < left.length && remaining > 0; remaining--) {
      const without = [...left.slice(0, start), ...left.slice(start + size)];
      if (fails(without)) left = without;
      else start += size;
    }
  }
  return left;
}
