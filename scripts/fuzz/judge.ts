import type { Parsed } from '../../src/model/parsed.ts';
import { guessKind } from '../../src/parse/guess.ts';
import { kindNames, parseAs } from '../../src/parse/kinds.ts';
import { parsePcap } from '../../src/parse/pcap.ts';
import { linesLost } from '../../test/parse/line-account.ts';

/** Everything that an input can be given to: the parser of each kind, the guess of the kind, and capture files. */
export const targets: readonly string[] = [...kindNames.map(({ kind }) => kind), 'guess', 'pcap'];

/** What is wrong with one parser on one text; undefined = nothing. */
export interface Failure {
  kind: 'throws' | 'slow' | 'line lost' | 'complete with lines unparsed';
  detail: string;
}

/** A parser may take this long, and as long again for each kilobyte. */
const millisecondsPerKilobyte = 50;

export function judge(target: string, text: string): Failure | undefined {
  const started = performance.now();
  const outcome = run(target, text);
  const took = performance.now() - started;
  if (outcome instanceof Error) return { kind: 'throws', detail: outcome.stack ?? outcome.message };
  if (took > limitFor(text)) {
    // A busy machine is no slow parser: the best of five decides.
    const best = Math.min(...Array.from({ length: 4 }, () => timed(target, text)), took);
    if (best > limitFor(text)) return { kind: 'slow', detail: `${Math.round(best)} ms for ${text.length} characters` };
  }
  return outcome === undefined ? undefined : account(target, text, outcome);
}

const limitFor = (text: string): number => millisecondsPerKilobyte * Math.max(1, text.length / 1000);

function timed(target: string, text: string): number {
  const started = performance.now();
  run(target, text);
  return performance.now() - started;
}

function run(target: string, text: string): Parsed<unknown> | undefined | Error {
  try {
    if (target === 'pcap') parsePcap(Buffer.from(text, 'latin1'));
    else if (target === 'guess') guessKind(text);
    else return parseAs(target, text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Each line is in the value or among the unparsed. JSON and XML have items instead of lines, where a whole text is none or the other. */
function account(target: string, text: string, parsed: Parsed<unknown>): Failure | undefined {
  if (parsed.complete && parsed.unparsed.length > 0)
    return { kind: 'complete with lines unparsed', detail: `line ${parsed.unparsed[0]?.line}` };
  if (/[[{<]/.test(text.trimStart().charAt(0))) return undefined;
  const lost = linesLost(text, parsed).filter((line) => !isLookedAt(target, text, line, parsed));
  return lost.length === 0 ? undefined : { kind: 'line lost', detail: `lines ${lost.slice(0, 10).join(', ')}` };
}

/** A line that no value names (a heading, COMMIT, a brace) was looked at if the outcome is another with other words in its place. */
function isLookedAt(target: string, text: string, line: number, before: Parsed<unknown>): boolean {
  const lines = text.split('\n');
  lines[line - 1] = '@@ neither read nor known @@';
  const after = run(target, lines.join('\n'));
  if (after === undefined || after instanceof Error) return false;
  return after.unparsed.length !== before.unparsed.length || asText(after.value) !== asText(before.value);
}

const asText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
