import type { ConntrackExpectation, ConntrackFlow, ConntrackTable } from '../model/conntrack.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { announcedCount } from './conntrack-closing.ts';
import { flowReader } from './conntrack-flow.ts';
import { parseConntrackXml } from './conntrack-xml.ts';
import {
  type Attempt,
  eachLine,
  emptyRecord,
  isAddressLike,
  isWholeText,
  parseEachLine,
  readText,
  type TextLine,
  toCount,
  unparsedLine,
  wordsOf,
} from './text-lines.ts';

/**
 * `conntrack -L` and `-E` (plain, `-o extended`, `id`, `timestamp`, `ktimestamp`, `labels`, `userspace`, `xml`) of conntrack-tools 1.4.3 to 1.4.9, and
 * /proc/net/nf_conntrack of kernels 3.10 to 6.18. Grammar: snprintf_default.c of libnetfilter_conntrack, ct_seq_show() in the kernel's
 * nf_conntrack_standalone.c.
 *
 * The closing line of conntrack ("… 19 flow entries have been shown.") goes to its standard error; where it was recorded with the rest it may stand
 * anywhere, and its count must agree for the result to be complete. Without it, a text whose last line is whole counts as complete: an empty text is an
 * empty table, so keep the exit status beside it.
 */
export const parseConntrack = (text: string): Parsed<ConntrackTable> =>
  /^\s*(<\?xml|<conntrack>|<flow)/.test(text.slice(0, 200)) ? parseConntrackXml(text) : parsePlain(text);

/** `conntrack -C` and /proc/sys/net/netfilter/nf_conntrack_count: one number. */
export const parseConntrackCount = (text: string): Parsed<number | undefined> => {
  const { lines, whole } = readText(text);
  const filled = lines.filter((line) => line.text.trim() !== '');
  const [first, ...rest] = filled;
  const count = toCount(first?.text.trim());
  const strangers = count === undefined ? filled : rest;
  const unparsed = strangers.map((line) => unparsedLine(line, count === undefined ? 'not a number' : 'more than one line'));
  return { value: count, unparsed, complete: whole && count !== undefined && unparsed.length === 0 };
};

/** `conntrack -L expect` (conntrack-tools 1.4.3 to 1.4.9): connections that a helper such as FTP expects. */
export const parseConntrackExpectations = (text: string): Parsed<ConntrackExpectation[]> => parseEachLine(text, parseExpectation);

const parsePlain = (text: string): Parsed<ConntrackTable> => {
  const readFlow = flowReader();
  // A list of a million that grows is copied a dozen times, and each copy stays until the next large collection of garbage.
  const flows = new Array<ConntrackFlow>(mostFlows(text));
  let taken = 0;
  const unparsed: UnparsedLine[] = [];
  const announced: number[] = [];
  let half: Half | undefined;
  const take = (line: TextLine): void => {
    const count = announcedCount(line.text);
    const attempt = count === undefined ? readFlow(line) : undefined;
    if (count !== undefined) announced.push(count);
    else if (attempt && 'ok' in attempt) flows[taken++] = attempt.ok;
    else unparsed.push(unparsedLine(line, attempt?.why ?? ''));
  };
  for (const line of eachLine(text)) {
    const joined = half && readFlow({ line: half.line.line, text: half.start + line.text });
    if (half && joined && 'ok' in joined) {
      flows[taken++] = Object.assign(joined.ok, { lines: [half.line.line, line.line] });
      announced.push(half.count);
      half = undefined;
      continue;
    }
    if (half) take(half.line);
    half = halfOf(line);
    if (!half && line.text.trim() !== '') take(line);
  }
  if (half) take(half.line);
  flows.length = taken;
  const [count] = announced;
  const agrees = announced.length === 0 || (announced.length === 1 && count === flows.length);
  const value: ConntrackTable = count === undefined ? { flows } : { flows, announced: count };
  return { value, unparsed, complete: isWholeText(text) && agrees && unparsed.length === 0 };
};

/** `udp 17 0 src=1.1.1.1 dst=1.1.1.1 src=1.1.1.1 dst=1.1.1.1` */
const shortestFlow = 57;

/** As many as there are lines, but no more than can be entries. */
function mostFlows(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return Math.min(lines, Math.ceil(text.length / shortestFlow));
}

/** An entry into whose middle the closing message was written. */
interface Half {
  line: TextLine;
  start: string;
  count: number;
}

/**
 * With `2>&1` into one file, the closing message is written in the middle of a buffered line: `…packets=0 byconntrack v1.4.7 (conntrack-tools): 23 flow
 * entries have been shown.` and `tes=0 …` on the next line. The halves are joined again; the announced count then tells whether all is there.
 */
const halfOf = (line: TextLine): Half | undefined => {
  const at = line.text.indexOf('conntrack v', 1);
  const count = at < 0 ? undefined : announcedCount(line.text.slice(at));
  return count === undefined ? undefined : { line, start: line.text.slice(0, at), count };
};

const parseExpectation = (line: TextLine): Attempt<ConntrackExpectation> => {
  const words = wordsOf(line.text);
  const pairs = words
    .filter((word) => word.includes('='))
    .map((word): [string, string] => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]);
  const rest = words.filter((word) => !word.includes('='));
  const first = (key: string): string | undefined => pairs.find(([name]) => name === key)?.[1];
  const protocolNumber = toCount(first('proto'));
  const src = first('src') ?? '';
  const dst = first('dst') ?? '';
  if (protocolNumber === undefined || !isAddressLike(src) || !isAddressLike(dst)) return { why: 'no expectation' };
  const expectation: ConntrackExpectation = { ...line, protocolNumber, src, dst, other: emptyRecord() };
  const timeout = toCount(rest[0]);
  if (rest.some((word, index) => !(index === 0 && timeout !== undefined) && !/^[A-Z_,]+$/.test(word))) return { why: 'unknown word' };
  if (timeout !== undefined) expectation.timeout = timeout;
  setExpectationKeys(expectation, pairs);
  return { ok: expectation };
};

/** Ports stand three times: of the expected connection, of its mask, of the master connection. The first are the expected ones; all are kept. */
const setExpectationKeys = (expectation: ConntrackExpectation, pairs: [string, string][]): void => {
  const seen = new Map<string, number>();
  for (const [key, value] of pairs) {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    const port = toCount(value);
    if (count === 1 && (key === 'sport' || key === 'dport') && port !== undefined) expectation[key] = port;
    else if (key === 'master-src') expectation.masterSrc = value;
    else if (key === 'master-dst') expectation.masterDst = value;
    else if (key === 'helper') expectation.helper = value;
    else if (key !== 'src' && key !== 'dst' && key !== 'proto') expectation.other[count === 1 ? key : `${key}#${count}`] = value;
  }
};
