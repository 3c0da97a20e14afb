import { describe, expect, it } from 'vitest';
import { readSamples } from '../../scripts/fuzz/samples.ts';
import type { Parsed } from '../../src/model/parsed.ts';
import { guessKind } from '../../src/parse/guess.ts';
import { kinds } from '../../src/parse/kind-list.ts';
import { understand } from '../../src/parse/understand.ts';

/** Text that someone made to hurt: what each parser must bear in time that grows with the size alone, with a clear answer. */
const samples = readSamples();

/** As long as a line may be before it is refused unread: the longest that patterns are run on. */
const longLine = 60_000;
const repeated = (piece: string, length: number): string => piece.repeat(Math.ceil(length / piece.length));

/** Pieces on which patterns with nested or neighbouring repetitions run for ever. */
const traps = [
  'a',
  ' ',
  '\t',
  '"',
  '\\',
  '(',
  '[',
  '{',
  '<a>',
  '1',
  '1.',
  'aa:',
  ':',
  '/',
  '-',
  '- ',
  '! ',
  '=',
  'a=b ',
  'a,',
  'x:y ',
  "it's ",
  '\0',
  '\ufffd',
  '\ud800',
  '\r',
  '\x1b[31m',
  '__proto__ ',
  'a\u00a0',
];
const nesting = ['[', '{"a":', '{ ', '((', '- - ', 'a:\n ', '<a><b>', '{"nftables":[{"rule":{"expr":'];

const levels = 100_000;
const closed = (open: string, close: string, inmost = ''): string => open.repeat(levels) + inmost + close.repeat(levels);
const inRule = (expression: string): string =>
  `{"nftables":[{"table":{"family":"ip","name":"t"}},{"chain":{"family":"ip","table":"t","name":"c"}},{"rule":{"family":"ip","table":"t","chain":"c","expr":[{"match":{"op":"==","left":${expression},"right":1}}]}}]}`;

/** What a parser may take for each character, in scans of it; the library for YAML needs the most. */
const timesTheScan = 3000;
/** The kernel may log any words: each line is a message; and so may kube-proxy behind klog's head, at any length. */
const takesAnyLine = new Set(['kernel-log', 'kube-proxy-log']);
const slowKinds = new Set(['kube-proxy-config', 'kubelet-config', 'cni-config', 'antctl']);

/** A scan of the same text is the measure, so that a slow machine is not held against a parser. */
function isInProportion(text: string, work: () => unknown, kind = ''): boolean {
  const limit = (slowKinds.has(kind) ? 3 : 1) * timesTheScan * processorMilliseconds(() => scan(text)) + 150;
  // The first run also compiles what it needs.
  return processorMilliseconds(work) < limit || processorMilliseconds(work) < limit;
}

function processorMilliseconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function scan(text: string): number {
  let newlines = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) === 10) newlines++;
  return newlines;
}

describe.each(kinds.map(({ kind, parse }) => ({ kind, parse })))('$kind', ({ kind, parse }) => {
  const lines = samples.filter((sample) => sample.kind === kind).flatMap(({ text }) => text.split('\n'));
  const own = [...new Set(lines)].toSorted((a, b) => b.length - a.length).slice(0, 2);

  it('bears traps for patterns, alone and behind the beginning of its own lines', () => {
    const beginnings = ['', ...own.map((line) => line.slice(0, line.length / 2))];
    const slow = beginnings.flatMap((beginning) =>
      traps.filter((trap) => {
        const text = beginning + repeated(trap, longLine);
        return !isInProportion(text, () => parse(text), kind);
      }),
    );
    expect(slow).toEqual([]);
  });

  it('bears deep nesting', () => {
    const slow = nesting.filter((piece) => {
      const text = repeated(piece, 200_000);
      return !isInProportion(text, () => parse(text), kind);
    });
    expect(slow).toEqual([]);
  });

  it('bears JSON and YAML that is whole and a hundred thousand levels deep, and says that it is too deep', () => {
    for (const deep of [closed('[', ']'), closed('{"a":', '}', '1'), closed('{"|":[1,', ']}', '2')]) {
      for (const text of [deep, inRule(deep), `[{"dst":${deep}}]`, `kind: KubeProxyConfiguration\nx: ${deep}\n`, `{"add":${deep}}\n`])
        expect(parse(text).complete && !takesAnyLine.has(kind)).toBe(false);
    }
  });

  it('bears a line of 10 MB and says that it is none of its own', () => {
    const text = repeated(own[0] || 'a=b ', 10_000_000);
    let read: Parsed<unknown> | undefined;
    expect(
      isInProportion(text, () => {
        read = parse(text);
      }),
    ).toBe(true);
    expect(read?.complete && !takesAnyLine.has(kind)).toBe(false);
  });

  it('bears its own lines by the ten thousand', () => {
    for (const line of own.filter((candidate) => candidate.length < 1000)) {
      const text = `${line}\n`.repeat(10_000);
      expect(
        isInProportion(text, () => parse(text)),
        line.slice(0, 100),
      ).toBe(true);
    }
  });
});

describe('a million', () => {
  const million = 1_000_000;
  const numbered = (line: (number: number) => string, count = million): string =>
    Array.from({ length: count }, (_, number) => line(number)).join('\n');
  const parserOf = (kind: string) => kinds.find((candidate) => candidate.kind === kind)?.parse ?? (() => undefined);

  const inserts = numbered((number) => `-I FORWARD 1 -p tcp --dport ${number % 65_536} -j DROP`, 300_000);

  it.each([
    ['iptables-save', 'chains', () => `*nat\n${numbered((number) => `:KUBE-SVC-${number} - [0:0]`)}\nCOMMIT\n`],
    ['iptables-rules', 'chains', () => `${numbered((number) => `-N KUBE-SVC-${number}`)}\n`],
    ['iptables-list', 'chains', () => `${numbered((number) => `Chain KUBE-SVC-${number} (1 references)`)}\n`],
    ['iptables-save', 'rules, each put before all others', () => `*filter\n:FORWARD ACCEPT [0:0]\n${inserts}\nCOMMIT\n`],
    ['iptables-save', 'rules of a chain that is not declared, each put before all others', () => `${inserts}\n`],
    ['iptables-rules', 'rules, each put before all others', () => `-P FORWARD ACCEPT\n${inserts}\n`],
    ['ipset', 'sets', () => `${numbered((number) => `create set-${number} hash:ip family inet`, million / 4)}\n`],
    ['nft-text', 'chains', () => `table ip t {\n${numbered((number) => `\tchain c${number} {\n\t}`, million / 4)}\n}\n`],
  ])('%s: %s', (kind, _what, make) => {
    const text = make();
    const parse = parserOf(kind);
    expect(isInProportion(text, () => parse(text))).toBe(true);
  });
});

describe('nft', () => {
  it.each([
    ['parentheses', `${'('.repeat(levels)}1${')'.repeat(levels)}`],
    ['braces', `${'{ '.repeat(levels)}1${' }'.repeat(levels)}`],
    ['operators', `${'1 | '.repeat(levels)}1`],
  ])('leaves a rule of a hundred thousand %s', (_what, expression) => {
    const text = `table ip t {\n\tchain c {\n\t\tmeta mark ${expression} accept\n\t}\n}\n`;
    expect(kinds.find(({ kind }) => kind === 'nft-text')?.parse(text)).toMatchObject({ complete: false, unparsed: [{ line: 3 }] });
  });
});

describe('guessing', () => {
  it.each([...traps, ...nesting])('bears %j', (piece) => {
    const text = `${repeated(piece, longLine)}\n${repeated(piece, longLine)}\n`;
    expect(isInProportion(text, () => guessKind(text))).toBe(true);
    expect(isInProportion(text, () => understand(text))).toBe(true);
  });
});
