import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeOutputs, type Parser, parsers } from './node-outputs.ts';
import { unquoted } from './quoted-lines.ts';

const outputs = nodeOutputs().filter(({ name }) => name.startsWith('fixtures'));

/** Real outputs of a parser; those of its neighbours where it has none, which it has to refuse without harm. */
const samplesOf = (parse: Parser): string[] => {
  const own = outputs.filter((output) => output.parsers.includes(parse)).map(({ text }) => text.slice(0, 20_000));
  return own.length > 0 ? own : outputs.slice(0, 10).map(({ text }) => text.slice(0, 5000));
};

describe.each(Object.entries(parsers))('%s', (name, parse: Parser) => {
  it('does not throw on any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json(), jsonList), (text) => {
        const { value, unparsed } = parse(text);
        expect(Array.isArray(unparsed)).toBe(true);
        expect(value === undefined && name !== 'parseConntrackCount').toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('does not throw on damaged outputs, and drops no line of them', () => {
    const damage = fc.tuple(fc.constantFrom(...samplesOf(parse)), fc.nat(), fc.nat(60), fc.string({ maxLength: 10 }));
    fc.assert(
      fc.property(damage, ([sample, where, length, insert]) => {
        const at = where % (sample.length + 1);
        const text = sample.slice(0, at) + insert + sample.slice(at + length);
        expect(lostLines(text, parse)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('takes time in proportion to its input', () => {
    const words = [
      '[',
      '[{"a":',
      '{"a":',
      '<',
      ' ',
      ':',
      '::',
      'a:a',
      '0',
      '@',
      ' :',
      '(',
      'users:(("',
      '[start=',
      '\\t',
      'a=b ',
      'src=1 ',
      '1.',
      '- ',
      '\\\\',
      'x ',
    ];
    const longest =
      samplesOf(parse)
        .flatMap((sample) => sample.split('\n'))
        .sort((a, b) => b.length - a.length)[0] ?? '';
    for (const word of [...words, longest.slice(0, 500)]) {
      const text = word.repeat(Math.ceil(80_000 / Math.max(word.length, 1)));
      const started = performance.now();
      parse(text);
      parse(`x ${text}\n`);
      expect(performance.now() - started, JSON.stringify(word)).toBeLessThan(5000);
    }
  });
});

const jsonList = fc
  .array(
    fc.dictionary(
      fc.constantFrom('dst', 'dev', 'ifname', 'flags', 'mac', 'priority', 'src', 'addr_info', '__proto__', 'state', 'metrics'),
      fc.jsonValue(),
    ),
    { maxLength: 4 },
  )
  .map((list) => JSON.stringify(list));

/** Damage may make a heading out of a row or join lines in ways that a quote can't show; only whole lines of the undamaged kind are asked for. */
const lostLines = (text: string, parse: Parser): string[] => {
  if (/\r(?!\n)|\\/.test(text)) return [];
  return unquoted(text, parse(text));
};
