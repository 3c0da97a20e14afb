import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';

/** A tool refused its options: there is no answer in such a text, whatever stands below it. */
export interface UsageMessage extends HasLine {
  text: string;
  lines: number[];
}

/**
 * Reads the refusal of an option and the usage text after it, of GNU tools and BusyBox 1.28 to 1.37 (`netstat: invalid option -- 'p'`, `BusyBox v…`, `Usage: …`, indented
 * option lines). Complete means only that no other line is there.
 */
export function parseUsage(text: string): Parsed<UsageMessage[]> {
  const state: State = { messages: [], inUsage: false, described: false };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of a usage message');
  return { value: state.messages, unparsed, complete: unparsed.length === 0 && state.messages.length > 0 };
}

interface State {
  messages: UsageMessage[];
  inUsage: boolean;
  /** BusyBox has one line of description between the usage line and the options. */
  described: boolean;
}

const rules: readonly LineRule<State>[] = [
  [
    /^[\w./-]+: (?:(?:invalid|unrecognized|unknown|illegal) option\b|option requires an argument).*$/,
    (state, [text = ''], { line }) => state.messages.push({ line, text, lines: [line] }),
  ],
  [/^\w[\w.-]* -h for help$/, (state, _groups, at) => state.messages.length > 0 && belongs(state, at)],
  [/^BusyBox v\S+ \(.*\) multi-call binary\.$/, (state, _groups, at) => belongs(state, at)],
  [/^[Uu]sage: (.+)$/, (state, _groups, at) => belongs(Object.assign(state, { inUsage: true, described: false }), at)],
  [/^[\t ]+\S/, (state, _groups, at) => state.inUsage && belongs(state, at)],
  [/^(?:where +)?[A-Z][A-Z_-]* := |^(?:[Cc]ommands|[Oo]ptions):$/, (state, _groups, at) => state.inUsage && belongs(state, at)],
  [
    /^[A-Z][\w ,:'/()-]+\.?$/,
    (state, _groups, at) => state.inUsage && !state.described && belongs(Object.assign(state, { described: true }), at),
  ],
];

function belongs({ messages }: State, { line, text }: Line): undefined {
  const last = messages.at(-1);
  if (last) last.lines.push(line);
  else messages.push({ line, text, lines: [line] });
  return undefined;
}
