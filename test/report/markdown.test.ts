import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/report/index.ts';
import { codeBlock, codeSpan, escapeProse, tableCell } from '../../src/report/markdown-escape.ts';
import { cleanText } from '../../src/report/sanitize.ts';
import type { Report } from '../../src/schema/report.ts';
import { hugeReport, longReport, NASTY, nastyReport } from './hostile.ts';
import { samples } from './samples.ts';

const LIMIT = 65_536;
/** The properties held for 20,000 texts each when they were written. */
const RUNS = 300;
const markdown = (report: Report, verbose = 0) => renderReport(report, 'markdown', { color: true, width: 80, verbose });

/** What GitHub makes of it: GitHub Flavored Markdown, raw HTML allowed as it allows `<details>`. */
const toHtml = (text: string) => micromark(text, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });

const decode = (html: string) =>
  html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
const visible = (html: string) => decode(html.replaceAll(/<[^>]*>/gu, ''));
/** GitHub and GitLab look for mentions and references in text that is not code. */
const outsideCode = (html: string) => visible(html.replaceAll(/<code[^>]*>[\s\S]*?<\/code>/gu, ' '));
const PINGS = /(?:^|[^\w])@\w|(?:^|[^\w&])#\d|\w#\d|\bGH-\d|!\d|:\/\/|www\.|:\w+:/iu;

const prose = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...NASTY,
        '@',
        '#',
        '1',
        'x',
        '`',
        '``',
        '|',
        '\\',
        '<',
        '&',
        ':',
        '/',
        '.',
        ' ',
        '-',
        '*',
        '_',
        '~',
        '[',
        ']',
        '(',
        ')',
        '!',
        '$',
        'www.',
        'http',
      ),
      fc.string(),
    ),
    { maxLength: 12 },
  )
  .map((parts) => cleanText(parts.join('')));

describe.each(['cni-fdb-wrong', 'service-selector', 'two-faults', 'healthy-notes', 'unknown-forbidden', 'fault-nameless'] as const)(
  'Markdown report of %s',
  (name) => {
    it('reads as agreed', async () => {
      await expect(await markdown(samples[name]())).toMatchFileSnapshot(`golden/${name}.md`);
    });

    it('pings nobody and links nothing', async () => {
      const html = toHtml(await markdown(samples[name]()));
      expect(outsideCode(html)).not.toMatch(PINGS);
      expect(html).not.toContain('<a ');
    });
  },
);

describe('escapeProse', () => {
  const show = (text: string) => toHtml(`- ${escapeProse(text)}`);

  it('shows any text as one paragraph without markup, pings, links or HTML', () => {
    fc.assert(
      fc.property(prose, (text) => {
        const html = show(text);
        expect(html.replaceAll(/<\/?(?:ul|li|code)>|\n/gu, '')).not.toMatch(/[<>]/u);
        expect(outsideCode(html)).not.toMatch(PINGS);
      }),
      { numRuns: RUNS },
    );
  });

  it('loses none of the text', () => {
    const letters = (text: string) => text.replaceAll(/[\s`]/gu, '');
    fc.assert(
      fc.property(prose, (text) => letters(visible(show(text))) === letters(text)),
      { numRuns: RUNS },
    );
  });

  it('stays within its cell of a table', () => {
    fc.assert(
      fc.property(prose, (text) => {
        const html = toHtml(`| a | b |\n| --- | --- |\n| ${tableCell(escapeProse(text))} | end |`);
        expect(html.match(/<td>/gu)).toHaveLength(2);
        expect(html).toContain('<td>end</td>');
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ['10.244.1.9:8080 answers', '10.244.1.9:8080 answers'],
    ['1. first', '1\\. first'],
    ['- item', '\\- item'],
    ['mail @oncall (see #123).', 'mail `@oncall` (see `#123`).'],
    ['fd00:100:1::5', '`fd00:100:1::5`'],
    ['run `kubectl get pods`', 'run `kubectl get pods`'],
    ['<b>', '&lt;b\\>'],
  ])('%j becomes %j', (text, escaped) => {
    expect(escapeProse(text)).toBe(escaped);
  });

  it('takes linear time on long words', () => {
    const start = process.cpuUsage();
    for (const piece of [')', '@', '#1', ':a', '`', '\\', '(', 'a.']) {
      escapeProse(`x${piece.repeat(100_000)}y`);
    }

    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(3);
  });
});

describe('code', () => {
  it('shows any line as a code span', () => {
    const line = prose.filter((text) => text.trim() !== '');
    fc.assert(fc.property(line, (text) => visible(toHtml(`x ${codeSpan(text)}`)) === `<p>x ${text}</p>`.slice(3, -4)));
  });

  it('shows any lines as one block', () => {
    fc.assert(
      fc.property(fc.array(prose, { minLength: 1, maxLength: 5 }), (lines) => {
        const html = toHtml(codeBlock(lines));
        expect(html.startsWith('<pre><code class="language-text">')).toBe(true);
        expect(visible(html)).toBe(`${lines.join('\n')}\n`);
      }),
    );
  });
});

describe('a ticket', () => {
  it('takes hostile text without pings, links or broken folding', async () => {
    const html = toHtml(await markdown(nastyReport()));
    expect(outsideCode(html)).not.toMatch(PINGS);
    expect(html).not.toMatch(/<a |<img|<script/u);
    expect(html.match(/<details/gu)?.length).toBe(html.match(/<\/details>/gu)?.length);
  });

  it.each([
    ['10,000 lines of evidence', longReport()],
    ['10,000 lines of backticks', longReport(10_000, '`````````` ``` `')],
    ['one line of 200,000 characters', longReport(1, 'x|`'.repeat(70_000))],
    ['too much of everything', hugeReport()],
  ])('takes %s, and says what was cut', async (_, report) => {
    const text = await markdown(report);
    expect(text.length).toBeLessThanOrEqual(LIMIT);
    expect(text.length).toBeGreaterThan(1000);
    expect(text).toContain('was cut to fit into a ticket');
    const html = toHtml(text);
    expect(html.match(/<details/gu)?.length ?? 0).toBe(html.match(/<\/details>/gu)?.length ?? 0);
    expect(outsideCode(html)).not.toMatch(PINGS);
  });

  it('cuts evidence before it cuts anything else', async () => {
    const text = await markdown(longReport());
    expect(text).toMatch(/… 9800 more lines cut/u);
    expect(text).toContain('kubectl get node n2');
    expect(text).toContain('MTU: a 200,000 byte answer came through');
  });

  it('is not cut when it fits', async () => {
    expect(await markdown(longReport(500))).not.toContain('was cut');
  });

  it('has the first proof open and the rest folded', async () => {
    const text = await markdown(samples['cni-fdb-wrong']());
    expect(text.match(/<details open>/gu)).toHaveLength(1);
    expect(text.match(/<details>/gu)).toHaveLength(2);
  });

  it('lists every probe when asked', async () => {
    expect((await markdown(samples['forty-nodes'](), 1)).match(/^\| ok \|.*endpoint/gmu)?.length).toBeGreaterThan(70);
  });
});
