import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Parsed } from '../../src/model/parsed.ts';
import { linesLost } from './line-account.ts';

type Parser = (text: string) => Parsed<unknown>;

/** Properties of every parser: never throws, loses no line, refuses foreign text, and takes time in proportion to its input (`slowness` times the usual, for a library's sake). */
export function holdsForAnyText(parse: Parser, samples: readonly string[], slowness = 1): void {
  it('does not throw on any text and loses no line of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => linesLost(text, parse(text)).length === 0),
      { numRuns: 40 },
    );
  });
  it('does not throw on damaged samples and loses no line of them', () => {
    const damaged = fc.tuple(fc.constantFrom(...samples), fc.nat(), fc.nat(40), fc.string({ maxLength: 12 }));
    fc.assert(
      fc.property(damaged, ([sample, where, length, insert]) => {
        const at = where % (sample.length + 1);
        const text = sample.slice(0, at) + insert + sample.slice(at + length);
        expect(linesLost(text, parse(text))).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });
  it('leaves foreign lines unparsed', () => {
    const foreign = 'Lorem ipsum dolor sit amet consectetur\n~~ ?? @@ !!\n';
    expect(parse(foreign).unparsed.map(({ line }) => line)).toEqual([1, 2]);
    expect(parse(foreign).complete).toBe(false);
  });
  it('takes time in proportion to its input', () => {
    const longest = samples.flatMap((sample) => sample.split('\n')).toSorted((a, b) => b.length - a.length)[0] ?? '';
    for (const line of [longest, ' ', '"', '(', 'a.', '1 ', 'a=b ', '- ', 'x:y ']) {
      const started = performance.now();
      parse(line.repeat(Math.ceil(60_000 / Math.max(line.length, 1))));
      expect(performance.now() - started).toBeLessThan(1500 * slowness);
    }
    const started = performance.now();
    parse(samples.join('\n').repeat(Math.ceil(150_000 / (samples.join('\n').length + 1))));
    expect(performance.now() - started).toBeLessThan(2000 * slowness);
  }, 60_000);
}
