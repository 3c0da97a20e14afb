import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderReport, reportFormats } from '../../src/report/index.ts';
import { cleanReport, cleanText } from '../../src/report/sanitize.ts';
import { NASTY, nastyReport } from './hostile.ts';
import { samples } from './samples.ts';

/** Written out by code point, apart from the classes that the code uses. */
function isForbidden(point: number): boolean {
  return (
    point < 0x20 ||
    (point >= 0x7f && point <= 0x9f) ||
    point === 0xad ||
    point === 0x61c ||
    (point >= 0x200b && point <= 0x200f) ||
    (point >= 0x2028 && point <= 0x202e) ||
    (point >= 0x2060 && point <= 0x206f) ||
    (point >= 0xd800 && point <= 0xdfff) ||
    point === 0xfeff ||
    (point >= 0xe0000 && point <= 0xe0fff)
  );
}

const forbiddenIn = (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0).filter(isForbidden);

// Random text rarely holds an escape sequence, so the pieces of them are mixed in.
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...NASTY,
        '\u001B',
        '\u001B[',
        '\u001B]',
        '\u009B',
        '\u009D',
        '\u0090',
        '\u0007',
        '\u001B\\',
        '31m',
        ';',
        '\uD800',
        '\uDC00',
        '\n',
        '\t',
        '\r',
        '\u202E',
      ),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

describe('cleanText', () => {
  it('leaves nothing that a terminal or an eye could be tricked with', () => {
    fc.assert(fc.property(nasty, (text) => forbiddenIn(cleanText(text)).length === 0));
    fc.assert(fc.property(nasty, (text) => forbiddenIn(cleanText(text, true)).every((point) => point === 9)));
  });

  it('finds nothing more the second time', () => {
    fc.assert(
      fc.property(nasty, fc.boolean(), (text, keepTabs) => cleanText(cleanText(text, keepTabs), keepTabs) === cleanText(text, keepTabs)),
    );
  });

  it('leaves harmless text as it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => cleanText(text) === text));
    for (const text of ['Übergröße', '日本語', '[0:0] -A KUBE-SERVICES -d 10.96.0.10/32 -p udp', 'dir\\name', '…']) {
      expect(cleanText(text)).toBe(text);
    }
  });

  it.each([
    ['a\u001B[2J\u001B[1;31mb\u001B[0mc', 'abc'],
    ['a\u001B]0;title\u0007b', 'ab'],
    ['a\u001B]8;;https://evil.example\u001B\\b\u001B]8;;\u001B\\c', 'abc'],
    ['a\u009B31mb\u009D0;title\u009Cc', 'abc'],
    ['a\u0090q#0\u001B\\b', 'ab'],
    ['a\u001B(Bb', 'ab'],
    ['a\u001Bcb', 'ab'],
    ['never ended \u001B]0;the rest stays', 'never ended 0;the rest stays'],
    ['nested \u001B\u001B[0m[31mplain', 'nested [31mplain'],
    ['\u202Egnp.exe', 'gnp.exe'],
    ['my\u200Bservice', 'myservice'],
    ['half \uD83D pair', 'half \uFFFD pair'],
    ['pair \u{1F600}', 'pair \u{1F600}'],
    ['one\ntwo\r\nthree\tfour', 'one two three four'],
    ['with its line end\r\n', 'with its line end'],
  ])('%j becomes %j', (text, cleaned) => {
    expect(cleanText(text)).toBe(cleaned);
  });

  it('takes linear time on what tempts a regular expression', () => {
    const start = process.cpuUsage();
    for (const piece of ['\u001B[', '\u001B]', '\u001B]0;', '\n', '\r', '\u009B0', '\u001B ', 'x\n']) {
      cleanText(`${piece.repeat(200_000)}x`);
    }

    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(3);
  });
});

describe('cleanReport', () => {
  it('keeps tabs in quoted lines only', () => {
    const { findings, verdict } = cleanReport({
      ...samples['cni-fdb-wrong'](),
      verdict: { status: 'fault', layer: 'cni', confidence: 'high', summary: 'a\tb' },
      findings: samples['cni-fdb-wrong']().findings.map((finding) => ({
        ...finding,
        evidence: [{ command: 'cat\tx', on: 'node n1', lines: [{ number: 1, text: 'a\tb' }] }],
      })),
    });
    expect(verdict.summary).toBe('a b');
    expect(findings[0]?.evidence[0]).toEqual({ command: 'cat x', on: 'node n1', lines: [{ number: 1, text: 'a\tb' }] });
  });

  it('leaves a clean report as it is', () => {
    for (const make of Object.values(samples)) {
      expect(cleanReport(make())).toEqual(make());
    }
  });

  it.each(reportFormats)('stands before %s', async (format) => {
    const output = await renderReport(nastyReport(), format, { color: false, width: 80, verbose: 2 });
    expect(forbiddenIn(output).filter((point) => point !== 10 && point !== 9)).toEqual([]);
  });
});
