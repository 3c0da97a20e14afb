import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, paragraph, screenRows, table, usableWidth, wrap } from '../../src/report/layout.ts';

const words = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '日', '.', '-'), minLength: 1, maxLength: 30 }), { maxLength: 40 })
  .map((list) => list.join(' '));
const width = fc.integer({ min: 10, max: 120 });

describe('wrap', () => {
  it('loses and adds nothing', () => {
    fc.assert(fc.property(words, width, (text, columns) => wrap(text, columns).join(' ') === text));
  });

  it('keeps to the width but for single words, and fills every line', () => {
    fc.assert(
      fc.property(words, width, (text, columns) => {
        const lines = wrap(text, columns);
        for (const [index, line] of lines.entries()) {
          expect(Array.from(line).length <= columns || !line.includes(' ')).toBe(true);
          const [next] = lines[index + 1]?.split(' ') ?? [];
          expect(next === undefined || Array.from(`${line} ${next}`).length > columns).toBe(true);
        }
      }),
    );
  });

  it('keeps what is between backticks in one piece', () => {
    expect(wrap('run `kubectl get pods` (or `a b`), then look', 12)).toEqual(['run', '`kubectl get pods`', '(or `a b`),', 'then look']);
    expect(wrap('a lone ` tick', 8)).toEqual(['a lone `', 'tick']);
  });
});

describe('paragraph', () => {
  it('indents further lines as far as the text behind the label', () => {
    expect(paragraph('one two three', { label: '-', indent: 2, width: 12 })).toEqual(['  - one two', '    three']);
    expect(paragraph('one two three', { label: 'fault:', hang: 2, width: 12 })).toEqual(['fault: one', '  two three']);
  });

  it('gives a label without text alone', () => {
    expect(paragraph('', { label: 'Took:', width: 80 })).toEqual(['Took:']);
  });
});

describe('table', () => {
  const cells = (...texts: string[]) => texts.map((text) => ({ text }));

  it('aligns columns and wraps the last one', () => {
    const rows = [cells('ok', 'name', 'short'), cells('FAILED', 'endpoint', 'a b c d e f g h i j k l m n')];
    expect(table(rows, { indent: 2, width: 40 })).toEqual([
      '  ok      name      short',
      '  FAILED  endpoint  a b c d e f g h i j',
      '                    k l m n',
    ]);
  });

  it('gives a word that does not fit a line below', () => {
    expect(table([cells('ok', 'name', 'my-service.default.svc.cluster.local')], { indent: 2, width: 40 })).toEqual([
      '  ok  name',
      '      my-service.default.svc.cluster.local',
    ]);
  });

  it('does not let one wide cell push all others', () => {
    const rows = [cells('x'.repeat(12), 'one'), cells('y', 'two')];
    expect(table(rows, { indent: 0, width: 80, widest: 10 })).toEqual(['xxxxxxxxxxxx  one', 'y  two']);
  });
});

it('counts the rows that a terminal needs, without counting colour', () => {
  expect(screenRows(['', 'x'.repeat(80), 'x'.repeat(81), `\u001B[31m${'x'.repeat(80)}\u001B[39m`], 80)).toBe(5);
});

it('cuts long text, says how much, and splits no character', () => {
  expect(cut('short', 5)).toBe('short');
  expect(cut('longer', 4)).toBe('long… (2 more characters)');
  expect(cut('abc\u{1F600}def', 4)).toBe('abc… (5 more characters)');
});

it.each([
  [10, 40],
  [80.9, 80],
  [500, 120],
  [Number.NaN, 80],
])('takes a terminal of %d columns as %d', (given, used) => {
  expect(usableWidth(given)).toBe(used);
});
