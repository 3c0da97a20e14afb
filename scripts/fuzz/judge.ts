import type { Parsed } from '../../src/model/parsed.ts';
import { guessKind } from '../../src/parse/guess.ts';
import { kindNames, parseAs } from '../../src/parse/kinds.ts';
import { parsePcap } from '../../src/parse/pcap.ts';
import { linesIgnored } from '../../test/parse/line-account.ts';

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
  if (outcome instanceof Error) return { kind: 'throws', detail: traceOf(target, text) };
  if (took > limitFor(text)) {
    // On a busy machine the process waits: the processor's time decides, the best of four.
    const best = Math.min(...Array.from({ length: 4 }, () => processorTime(target, text)));
    if (best > limitFor(text)) return { kind: 'slow', detail: `${Math.round(best)} ms for ${text.length} characters` };
  }
  return outcome === undefined ? undefined : account(target, text, outcome);
}

/** What is thrown, with where. */
function traceOf(target: string, text: string): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 20;
  const outcome = run(target, text);
  Error.stackTraceLimit = before;
  return outcome instanceof Error ? (outcome.stack ?? outcome.message) : 'thrown once, and not again';
}

const limitFor = (text: string): number => millisecondsPerKilobyte * Math.max(1, text.length / 1000);

function processorTime(target: string, text: string): number {
  const before = process.cpuUsage();
  run(target, text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
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
  const lost = linesIgnored(text, parsed, (changed) => {
    const outcome = run(target, changed);
    return outcome instanceof Error ? undefined : outcome;
  });
  return lost.length === 0 ? undefined : { kind: 'line lost', detail: `lines ${lost.slice(0, 10).join(', ')}` };
}
