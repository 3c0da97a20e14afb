import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote, quoteAll } from '../../src/collect/shell.ts';

/** What a real shell makes of the quoted words: each argument followed by a NUL byte. */
function readBack(shell: string, words: readonly string[]): string[] {
  const script = `printf '%s\\0' ${quoteAll(words)}`;
  return execFileSync(shell, ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

/** No argument of a process can hold a NUL byte, and a lone surrogate is no UTF-8. */
const unit = fc.oneof(fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;#~ \t\n\r%=-'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }));
const word = fc
  .array(unit, { maxLength: 20 })
  .map((parts) => parts.join(''))
  .filter((text) => !text.includes('\0'));
const words = fc.array(word, { minLength: 1, maxLength: 40 });

describe('quote', () => {
  it.each(['sh', 'bash'])('gives %s the word itself, whatever is in it', (shell) => {
    fc.assert(
      fc.property(words, (items) => {
        expect(readBack(shell, items)).toEqual(items);
      }),
      { numRuns: 60 },
    );
  });

  it('also inside of one more shell, as sections are run', () => {
    fc.assert(
      fc.property(words, (items) => {
        const inner = `printf '%s\\0' ${quoteAll(items)}`;
        expect(
          execFileSync('sh', ['-c', `sh -c ${quote(inner)}`], { encoding: 'utf8' })
            .split('\0')
            .slice(0, -1),
        ).toEqual(items);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps what people read as it is', () => {
    expect(quoteAll(['ip', '-d', 'link', '10.0.0.1', 'a_b:c/d,e=f@g'])).toBe('ip -d link 10.0.0.1 a_b:c/d,e=f@g');
    expect(quoteAll(['', "it's", '$(reboot)', '-rf *'])).toBe(`'' 'it'\\''s' '$(reboot)' '-rf *'`);
  });
});
