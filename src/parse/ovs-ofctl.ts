import type { OpenFlow, OpenFlowOutput } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { emptyRecord } from './text-lines.ts';

/**
 * Reads `ovs-ofctl dump-flows` of Open vSwitch 2.5 to 3.5 (ovs-ofctl(8), ovs-fields(7)), with or without --names, --no-stats and --stats. Actions are kept as they are:
 * they hold commas, brackets and arrows of their own. There is no end mark.
 */
export function parseOvsOfctl(text: string): Parsed<OpenFlowOutput> {
  const value: OpenFlowOutput = { flows: [], marks: [], otherLines: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no line of ovs-ofctl dump-flows');
  return { value, unparsed, complete: unparsed.length === 0 && value.flows.length > 0 };
}

/** One flow, `field=value,… actions=…`; undefined = not one, or cut before its actions. */
export function readFlow(line: number, text: string): OpenFlow | undefined {
  const at = text.search(/(?:^|[ ,])actions=/);
  if (at < 0) return undefined;
  const fields = splitFields(text.slice(0, at));
  const actions = text.slice(text.indexOf('actions=', at) + 'actions='.length).trim();
  if (fields === undefined || actions === '') return undefined;
  const own = new Set([
    'cookie',
    'duration',
    'table',
    'n_packets',
    'n_bytes',
    'priority',
    'idle_timeout',
    'hard_timeout',
    'idle_age',
    'hard_age',
    'send_flow_rem',
    'reset_counts',
    'importance',
  ]);
  const count = (name: string): number | undefined => (fields[name] === undefined ? undefined : Number.parseFloat(fields[name]));
  return {
    line,
    table: fields.table ?? '0',
    cookie: fields.cookie,
    priority: count('priority'),
    packets: count('n_packets'),
    bytes: count('n_bytes'),
    durationSeconds: count('duration'),
    match: Object.fromEntries(Object.entries(fields).filter(([name]) => !own.has(name))),
    actions,
  };
}

const rules: readonly LineRule<OpenFlowOutput>[] = [
  [/^(?:NXST_FLOW|OFPST_FLOW) reply \([^)]*\):(?: flags=\[more\])?\s*$/, ({ otherLines }, _groups, at) => otherLines.push(at.line)],
  [
    /^\s*\S.*actions=/,
    ({ flows }, _groups, { line, text }) => {
      const flow = readFlow(line, text.trim());
      return flow !== undefined && flows.push(flow);
    },
  ],
  ...shellMarkRules,
];

/** A field's value may hold commas inside brackets; a word alone is a protocol. */
function splitFields(text: string): Record<string, string> | undefined {
  const fields = emptyRecord<string>();
  for (const part of text.split(/[,\s]+/).filter(Boolean)) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (!/^[a-z][\w.[\]]*$/i.test(name)) return undefined;
    fields[name] = equals < 0 ? '' : part.slice(equals + 1);
  }
  return fields;
}
