import type { Random } from './random.ts';

/**
 * A text as it may arrive: cut, with characters, words and lines changed, in another order, folded by a terminal, quoted, coloured, with another output inside, or with bytes
 * that no tool writes. `other` is a second real output to take pieces from. One to four changes each time.
 */
export function mutate(text: string, other: Lined, random: Random): string {
  let result = text;
  for (let count = 1 + random.below(4); count > 0; count--) result = random.of(changes)(result, other, random);
  return result;
}

/** An output and its lines, split once and not for each of its inputs. */
export interface Lined {
  text: string;
  lines: readonly string[];
}

/** A piece of whole lines: of most a few, so that many inputs fit into a second; one in 16 has up to 24, and one in 512 is the whole output. */
export function pieceOf({ text, lines }: Lined, random: Random): string {
  if (random.once(512)) return text;
  const start = random.once(2) ? 0 : random.below(lines.length);
  return lines
    .slice(start, start + 1 + random.below(random.once(16) ? 24 : 5))
    .join('\n')
    .slice(0, random.once(16) ? 20_000 : 2000)
    .concat(random.once(8) ? '' : '\n');
}

type Change = (text: string, other: Lined, random: Random) => string;

const place = (text: string, random: Random): number => random.below(text.length + 1);
const insert = (text: string, at: number, words: string): string => text.slice(0, at) + words + text.slice(at);
const byLines = (text: string, change: (lines: string[]) => void): string => {
  const lines = text.split('\n');
  change(lines);
  return lines.join('\n');
};
const anywhere = (pattern: RegExp, text: string, random: Random, replace: (found: string) => string): string => {
  const found = [...text.slice(0, 20_000).matchAll(pattern)];
  const match = found[random.below(found.length)];
  return match === undefined ? text : text.slice(0, match.index) + replace(match[0]) + text.slice(match.index + match[0].length);
};

/** Words that parsers stumble over: prototype keys, numbers out of range, open quotes and brackets, negation, control characters, other scripts. */
const treacherous = [
  '',
  ' ',
  '\t',
  '\0',
  '\r',
  '\x1b[31m',
  '\x1b[K',
  '\ufffd',
  '\u2028',
  '\ud800',
  '"',
  "'",
  '\\',
  '`',
  '#',
  '!',
  '-',
  '--',
  '- ',
  '=',
  ',',
  ':',
  ';',
  '/',
  '@',
  '*',
  '+',
  '|',
  '<',
  '>',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '{{',
  '[[[[',
  '""',
  '%',
  '$',
  '~',
  '...',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '-1',
  '0',
  '1e309',
  '0x',
  '0xffffffffffffffffffff',
  '18446744073709551616',
  '99999999999999999999999',
  '4294967296',
  '65536',
  '256.256.256.256',
  '::',
  '::1',
  ':::',
  'fe80::1%eth0',
  '1.2.3',
  '/33',
  '/129',
  '0.0.0.0/0',
  'via',
  'dev',
  'table',
  'nexthop',
  'COMMIT',
  '*nat',
  '-A',
  '-j',
  '-m',
  '! -s',
  'src=',
  'dst=',
  'anywhere',
  'é',
  '日本',
  '🙂',
] as const satisfies readonly [string, ...string[]];

const changes: readonly [Change, ...Change[]] = [
  (text, _other, random) => text.slice(0, place(text, random)),
  (text, _other, random) => text.slice(place(text, random)),
  (text, _other, random) => {
    const at = place(text, random);
    return text.slice(0, at) + text.slice(at + 1 + random.below(30));
  },
  (text, _other, random) => insert(text, place(text, random), random.of(treacherous)),
  (text, _other, random) => {
    const at = place(text, random);
    return text.slice(0, at) + String.fromCharCode(random.below(random.once(8) ? 65_536 : 128)) + text.slice(at + 1);
  },
  (text, _other, random) =>
    anywhere(/\d+/g, text, random, () => random.of(['0', '-1', '4294967296', '99999999999999999999', '08', '0x1f', ''])),
  (text, _other, random) => anywhere(/\S+/g, text, random, () => random.of(treacherous)),
  (text, _other, random) => anywhere(/\S+/g, text, random, (word) => `${word} ${word}`),
  (text, other, random) => {
    const from = place(other.text, random);
    return insert(text, place(text, random), other.text.slice(from, from + random.below(200)));
  },
  (text, other, random) =>
    byLines(text, (lines) => lines.splice(random.below(lines.length), random.below(2), ...pieceOf(other, random).split('\n'))),
  (text, _other, random) => byLines(text, (lines) => lines.splice(random.below(lines.length), 1)),
  (text, _other, random) => byLines(text, (lines) => lines.push(...lines.splice(random.below(lines.length), 1))),
  (text, _other, random) =>
    byLines(text, (lines) => {
      const at = random.below(lines.length);
      lines.splice(at, 0, ...Array<string>(1 + random.below(5)).fill(lines[at] ?? ''));
    }),
  (text, _other, random) => {
    const at = place(text, random);
    return insert(text, at, text.slice(at, at + 1 + random.below(20)).repeat(1 + random.below(random.once(20) ? 2000 : 20)));
  },
  (text) => text.replace(/\n/g, '\r\n'),
  (text) => text.replace(/^/gm, '> '),
  (text) => text.replace(/\t/g, '    '),
  (text) => text.replace(/[ \t]+/g, ' '),
  (text) => text.replace(/.{80}/g, '$&\n'),
  (text, _other, random) => anywhere(/\n/g, text, random, () => ' '),
  (text) => text.replace(/ /g, '\u00a0'),
];
