import { z } from 'zod';
import type { Parsed } from '../model/parsed.ts';
import type { KernelCounter } from '../model/socket.ts';
import { wholeJson, wholeText } from './json-items.ts';
import { type Attempt, readText, type TextLine, toCount, unparsedLine } from './text-lines.ts';

/**
 * `nstat` of iproute2 3.10 to 6.15, plain (`#kernel` or a history heading, then `IpInReceives   45   0.0`) and `-j`. Without `-a` the numbers are
 * differences to the last call of the same user, without `-z` zeros are left out: ask with `nstat -asz`. The average behind the number is not kept.
 * Several runs in one text give the counters of all of them in order.
 */
export const parseNstat = (text: string): Parsed<KernelCounter[]> =>
  /^\s*\{/.test(text.slice(0, 200)) ? parseJson(text) : parseText(text);

const parseText = (text: string): Parsed<KernelCounter[]> => {
  const { lines, whole } = readText(text);
  const value: KernelCounter[] = [];
  const unparsed: { line: number; text: string; why: string }[] = [];
  let headings = 0;
  for (const line of lines.filter((candidate) => candidate.text.trim() !== '')) {
    if (/^#(kernel|[0-9]+\.[0-9]+ |.* sampling_interval=)/.test(line.text)) {
      headings += 1;
      continue;
    }
    const attempt = parseCounterLine(line);
    if ('ok' in attempt) value.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  return { value, unparsed, complete: whole && unparsed.length === 0 && headings > 0 };
};

const parseCounterLine = (line: TextLine): Attempt<KernelCounter> => {
  const match = /^([A-Za-z][A-Za-z0-9_]*) +([0-9]+) +([0-9]+\.[0-9]+|[0-9.]+[KMG]?)\s*$/.exec(line.text);
  const name = match?.[1];
  const value = toCount(match?.[2]);
  if (name === undefined) return { why: 'no "name number average"' };
  return value === undefined ? { why: 'the number is larger than 2^53' } : { ok: { ...line, name, value } };
};

const jsonSchema = z.record(z.string(), z.record(z.string(), z.number()));

/** `nstat -j`: `{"kernel":{"IpInReceives":45,…}}`; `line` is the number of the counter. */
const parseJson = (text: string): Parsed<KernelCounter[]> => {
  const checked = jsonSchema.safeParse(wholeJson(text));
  if (!checked.success) return { value: [], unparsed: wholeText(text, 'not the JSON of nstat'), complete: false };
  const pairs = Object.values(checked.data).flatMap((counters) => Object.entries(counters));
  const value = pairs.map(([name, number], index) => ({ line: index + 1, text: `${name} ${number}`, name, value: number }));
  const inexact = value.filter((counter) => !Number.isSafeInteger(counter.value));
  return {
    value: value.filter((counter) => Number.isSafeInteger(counter.value)),
    unparsed: inexact.map((counter) => unparsedLine(counter, 'the number is larger than 2^53')),
    complete: inexact.length === 0,
  };
};
