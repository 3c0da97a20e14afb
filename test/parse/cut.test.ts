import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guessKind } from '../../src/parse/guess.ts';
import { parseAs } from '../../src/parse/kinds.ts';

const directory = join(import.meta.dirname, '../../fixtures/parse');

/** Real outputs that are read whole, with the kind that is guessed of them. */
const outputs = ['ip', 'netfilter', 'probe'].flatMap((part) =>
  readdirSync(join(directory, part))
    .filter((file) => file.endsWith('.txt'))
    .flatMap((file) => {
      const text = readFileSync(join(directory, part, file), 'utf8');
      const kind = guessKind(text)?.kind;
      return kind !== undefined && text.length < 40_000 && parseAs(kind, text)?.complete ? [{ file, kind, text }] : [];
    }),
);

/**
 * Tools end each of their lines, so that a last line without an end is one that was cut. A file that people write need not end so, and the resolvers read its last line all the
 * same (resolv.conf(5) asks for no end): `nameserver 10.0.0.1` may be all of `nameserver 10.0.0.10` or not. Only the byte count of the collector tells.
 */
const withoutEnd = new Set(['resolv-conf']);
const tables = outputs.filter(({ kind }) => !withoutEnd.has(kind));

/** What was read, without where it stood. */
const meaning = (value: unknown): string =>
  JSON.stringify(value, (key, inner: unknown) =>
    key === 'line' || key === 'lastLine' || key === 'otherLines' ? undefined : typeof inner === 'bigint' ? String(inner) : inner,
  );

describe('an output that was cut', () => {
  // At the end of a line nobody can see a cut in a table that has no end mark; the byte count of the collector does.
  it('is never called complete, wherever in a line, unless nothing was lost', () => {
    const cut = fc.tuple(fc.constantFrom(...tables), fc.nat());
    fc.assert(
      fc.property(cut, ([{ file, kind, text }, place]) => {
        const at = 1 + (place % (text.length - 1));
        if (text[at - 1] === '\n' || text[at] === '\n') return;
        const part = parseAs(kind, text.slice(0, at));
        if (part?.complete) expect(meaning(part.value), `${file} cut at ${at}`).toBe(meaning(parseAs(kind, text)?.value));
      }),
      { numRuns: 2000 },
    );
  }, 120_000);

  it('is never called complete where its form has an end: at a line either', () => {
    const closed = tables.filter(({ kind, text }) => kind === 'iptables-save' && text.match(/^\*/gm)?.length === 1);
    expect(closed.length).toBeGreaterThan(3);
    for (const { file, kind, text } of closed) {
      const lines = text.trimEnd().split('\n');
      // From the table's heading on: before it, a message alone is all that a node without tables prints.
      for (let count = lines.findIndex((line) => line.startsWith('*')) + 1; count < lines.length - 1; count += 7) {
        expect(parseAs(kind, `${lines.slice(0, count).join('\n')}\n`)?.complete, `${file} after ${count} lines`).toBe(false);
      }
    }
  });
});

describe('an output in which a character was changed', () => {
  it('never throws, and is read as long as the kind was told', () => {
    const changed = fc.tuple(fc.constantFrom(...outputs), fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
    fc.assert(
      fc.property(changed, ([{ kind, text }, place, character]) => {
        const at = place % text.length;
        const parsed = parseAs(kind, text.slice(0, at) + character + text.slice(at + 1));
        expect(Array.isArray(parsed?.unparsed)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  }, 120_000);
});
