import type { Parsed } from '../model/parsed.ts';
import type { PingOutput, PingRun } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { icmpErrorOf } from './ping.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads fping 4.2 to 5.x (src/fping.c), with `-c` and without: a run per target. Times are ms. Complete when every target has its closing figures or a verdict (`is alive`,
 * `is unreachable`, which is no ICMP error but the lack of an answer).
 */
export function parseFping(text: string): Parsed<PingOutput> {
  const state: State = { runs: [], marks: [], otherLines: [], judged: new Set() };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of fping');
  const { runs, marks, otherLines, judged } = state;
  const complete = endsInLine(text) && unparsed.length === 0 && runs.length > 0 && runs.every((run) => judged.has(run));
  return { value: { runs, marks, otherLines }, unparsed, complete };
}

interface State extends PingOutput {
  /** Of which the text says how it ended. */
  judged: Set<PingRun>;
}

const rules: readonly LineRule<State>[] = [
  [
    /^(\S+) +: \[(\d+)\], (\d+) bytes, ([\d.]+) ms \(.*\)$/,
    (state, [, target = '', seq, bytes, time], at) => {
      const run = runOf(state, target, at);
      run.payloadBytes = Number(bytes) - icmpHeaderBytes;
      run.replies.push({ line: at.line, from: target, seq: Number(seq), ttl: undefined, timeMs: Number(time), duplicate: false });
    },
  ],
  [
    /^(\S+) +: \[(\d+)\], (timed out) \(.*\)$/,
    (state, [, target = '', seq, words = ''], at) => failed(runOf(state, target, at), words, Number(seq), at),
  ],
  [
    /^(\S+) +: xmt\/rcv\/%loss = (\d+)\/(\d+)\/(\d+)%(?:, min\/avg\/max = ([\d.]+)\/([\d.]+)\/([\d.]+))?$/,
    (state, [, target = '', transmitted, received, loss, ...times], at) =>
      closing(state, target, [transmitted, received, loss].map(Number), times, at),
  ],
  [
    /^(\S+) is (alive|unreachable)(?: \(([\d.]+) ms.*\))?$/,
    (state, [, target = '', word = '', time = ''], at) => verdict(state, target, word, time, at),
  ],
  [
    /^(ICMP .+?) from (\S+) for ICMP Echo sent to (\S+?)(?: \(\S+\))?$/,
    (state, [, words = '', from, target = ''], at) =>
      void runOf(state, target, at).errors.push(icmpErrorOf(at.line, words, from, undefined)),
  ],
  [
    /^(\S+): ((?:Name or service|nodename nor servname|Temporary failure|No address associated).*)$/,
    (state, [, target = '', words = ''], at) => {
      const run = runOf(state, target, at);
      state.judged.add(run);
      return failed(run, words, undefined, at);
    },
  ],
  ...shellMarkRules,
];

/** fping counts the ICMP header among the bytes of a reply. */
const icmpHeaderBytes = 8;

function runOf(state: State, target: string, { line }: Line): PingRun {
  const known = state.runs.find((run) => run.target === target);
  if (known) return known;
  const run: PingRun = { line, target, address: undefined, payloadBytes: undefined, replies: [], errors: [], statistics: undefined };
  state.runs.push(run);
  return run;
}

function failed(run: PingRun, words: string, seq: number | undefined, { line }: Line): undefined {
  run.errors.push({ ...failureOfWords(line, words), from: undefined, seq, mtu: undefined });
  return undefined;
}

function closing(
  state: State,
  target: string,
  [transmitted = 0, received = 0, lossPercent]: number[],
  times: readonly string[],
  at: Line,
): undefined {
  const run = runOf(state, target, at);
  const [min = 0, avg = 0, max = 0] = times.map(Number);
  const rtt = times.every((time) => time !== '') ? { line: at.line, min, avg, max } : undefined;
  run.statistics = { line: at.line, transmitted, received, duplicates: 0, errors: 0, lossPercent, rtt };
  state.judged.add(run);
  return undefined;
}

function verdict(state: State, target: string, word: string, time: string, at: Line): undefined {
  const run = runOf(state, target, at);
  state.judged.add(run);
  if (word === 'unreachable') return failed(run, 'no answer', undefined, at);
  run.replies.push({
    line: at.line,
    from: target,
    seq: 0,
    ttl: undefined,
    timeMs: time === '' ? undefined : Number(time),
    duplicate: false,
  });
  return undefined;
}
