import type { Parsed } from '../model/parsed.ts';
import type { ArpingOutput, ArpingRun } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads one or several runs of arping of iputils 20121221 to 20250605 (arping.c) and BusyBox 1.28 to 1.37 (networking/arping.c). Times are ms. Two MAC addresses that
 * answer for one target are two hosts with one address. Complete when every run has its closing counts or failed before its first packet.
 */
export function parseArping(text: string): Parsed<ArpingOutput> {
  const state: State = { runs: [], marks: [], otherLines: [], current: undefined };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of arping');
  const { runs, marks, otherLines } = state;
  const isWhole = (run: ArpingRun): boolean => run.received !== undefined || (run.target === undefined && run.errors.length > 0);
  const complete = endsInLine(text) && unparsed.length === 0 && runs.length > 0 && runs.every(isWhole);
  return { value: { runs, marks, otherLines }, unparsed, complete };
}

interface State extends ArpingOutput {
  current: ArpingRun | undefined;
}

const rules: readonly LineRule<State>[] = [
  [
    /^ARPING (?:to )?(\S+) from (\S+) (?:via )?(\S+)$/,
    (state, [, target = '', source = '', device = ''], at) => Object.assign(newRun(state, at), { target, source, device }),
  ],
  [
    /^(?:Uni|Broad)cast reply from (\S+) \[([0-9a-fA-F:]+)\](?: for \S+ \[\S+\])?(?: +([\d.]+)ms)?(?: UNSOLICITED\?)?$/,
    ({ current }, [, from = '', mac = '', time = ''], { line }) =>
      current ? current.replies.push({ line, from, mac: mac.toLowerCase(), timeMs: time === '' ? undefined : Number(time) }) : false,
  ],
  [/^(?:Uni|Broad)cast request from \S+ \[\S+\].*$/, ({ otherLines }, _groups, at) => otherLines.push(at.line)],
  [/^Sent (\d+) probes?(?:\(s\))? \(\d+ broadcast\(s\)\)$/, (state, [, sent], at) => closing(state, { sent: Number(sent) }, at)],
  [/^Received (\d+) response(?:s|\(s\))?(?: \(.*\))?$/, (state, [, received], at) => closing(state, { received: Number(received) }, at)],
  [
    /^(?:arping|\/bin\/arping): (.+)$/,
    (state, [, words = ''], at) => (state.current ?? newRun(state, at)).errors.push(failureOfWords(at.line, words)),
  ],
  ...shellMarkRules,
];

function newRun(state: State, { line }: Line): ArpingRun {
  state.current = {
    line,
    target: undefined,
    source: undefined,
    device: undefined,
    replies: [],
    errors: [],
    sent: undefined,
    received: undefined,
  };
  state.runs.push(state.current);
  return state.current;
}

/** "Received" is the last line of a run. */
function closing(state: State, counts: Partial<Pick<ArpingRun, 'sent' | 'received'>>, at: Line): undefined | false {
  if (!state.current) return false;
  Object.assign(state.current, counts);
  state.otherLines.push(at.line);
  if (counts.received !== undefined) state.current = undefined;
  return undefined;
}
