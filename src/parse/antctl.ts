import type { AntctlOutput } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { readFlow } from './ovs-ofctl.ts';
import { settingsOf } from './settings.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads what `antctl get …` prints, Antrea 0.6 to 2.4: tables (agentinfo, podinterface, ovstables, networkpolicy, addressgroup …), `get ovsflows`, and YAML (`traceflow`, `-o yaml`).
 * Columns start where their heading starts (tabwriter); there is no end mark.
 */
export function parseAntctl(text: string): Parsed<AntctlOutput> {
  const state: State = { rows: [], flows: [], settings: [], marks: [], otherLines: [], columns: undefined };
  const lines = linesOf(text);
  const isYaml = /^(?:- )?[a-z]\w*:(?: |$)/i.test(lines.find((line) => line.text.trim() !== '')?.text ?? '');
  if (isYaml) return fromYaml(state, text);
  const unparsed = applyRules(lines, state, rules, 'no line of antctl');
  const { columns: _columns, ...value } = state;
  return { value, unparsed, complete: unparsed.length === 0 && value.rows.length + value.flows.length > 0 };
}

interface State extends AntctlOutput {
  /** Headings with the column at which each begins; undefined before a heading. */
  columns: { name: string; start: number }[] | undefined;
}

const rules: readonly LineRule<State>[] = [
  [/^FLOW\s*$/, (state, _groups, at) => state.otherLines.push(at.line)],
  [/^\s*\S.*actions=/, (state, _groups, { line, text }) => takeFlow(state, line, text)],
  ...shellMarkRules,
  [/^[A-Z][A-Z0-9-]*(?: {1,}[A-Z][A-Z0-9-]*)+\s*$/, takeHeading],
  [/^\S/, takeRow],
];

function takeFlow(state: State, line: number, text: string): undefined | false {
  const flow = readFlow(line, text.trim());
  if (!flow) return false;
  state.flows.push(flow);
  return undefined;
}

function takeHeading(state: State, _groups: readonly string[], { line, text }: Line): undefined | false {
  const columns = Array.from(text.matchAll(/\S+/g), (match) => ({ name: match[0], start: match.index }));
  if (columns.length < 2) return false;
  state.columns = columns;
  state.otherLines.push(line);
  return undefined;
}

/** A row fits when a blank stands before each column's start. */
function takeRow(state: State, _groups: readonly string[], { line, text }: Line): undefined | false {
  const columns = state.columns;
  if (!columns || columns.some(({ start }) => start > 0 && start <= text.length && text[start - 1] !== ' ')) return false;
  const cells = columns.map(({ name, start }, index) => [name, text.slice(start, columns[index + 1]?.start).trim()]);
  state.rows.push({ line, cells: Object.fromEntries(cells) });
  return undefined;
}

function fromYaml({ columns: _columns, ...value }: State, text: string): Parsed<AntctlOutput> {
  const { settings, otherLines, unparsed } = settingsOf(text);
  return { value: { ...value, settings, otherLines }, unparsed, complete: unparsed.length === 0 && settings.length > 0 };
}
