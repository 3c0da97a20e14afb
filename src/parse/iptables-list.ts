import type { Chain, NetfilterRuleset, Rule, Table } from '../model/netfilter.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { listedRule } from './iptables/listed-rule.ts';
import { misreadPart } from './iptables/misread.ts';
import { parseRule } from './iptables/rule.ts';
import { ruleSequences } from './iptables/rule-sequence.ts';
import { baseChain } from './iptables-save.ts';

export interface IptablesListOptions {
  /** The table that was asked for with `-t`; neither form says it. */
  table?: string;
  family?: 'ip' | 'ip6';
  source?: NetfilterRuleset['source'];
  /** True when the caller knows by other means (exit status, byte count) that the text is whole: neither form has an end mark. */
  whole?: boolean;
}

interface State {
  ruleset: NetfilterRuleset;
  table: Table;
  unparsed: UnparsedLine[];
  chain: Chain | undefined;
  columns: string[];
}

/**
 * Reads `iptables -S` and `ip6tables -S`: `-P INPUT ACCEPT`, `-N CHAIN`, `-A …` with `-c packets bytes` behind by -v.
 */
export function parseIptablesRules(text: string, options: IptablesListOptions = {}): Parsed<NetfilterRuleset> {
  const state = initialState(options);
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const chains = new Map<string, Chain>();
  lines.forEach((line, index) => {
    const match = /^-(P|N) (\S+)(?: (\S+))?(?: -c (\d+) (\d+))?\s*$/.exec(line);
    if (match?.[2] !== undefined)
      chains.set(match[2], declare(state, match[2], match[3], index + 1, match[4] === undefined ? undefined : [match[4], match[5] ?? '0']));
  });
  const names = new Set([...chains].filter(([, chain]) => chain.base === undefined).map(([name]) => name));
  const sequences = ruleSequences();
  lines.forEach((line, index) => {
    const read = readRuleLine(state, chains, names, line, index + 1);
    if (read !== undefined) sequences.add(read.chain, read.rule, read.position);
  });
  sequences.finish();
  return finish(state, options);
}

/**
 * Reads `iptables -L` with any of -n, -v, -x, --line-numbers, as people paste it: the columns of generic matches are read, and what stands behind them
 * as far as it is common; the rest of a line stays an opaque match. Without -v the interfaces are not shown, so that each rule gets an opaque
 * match that says so.
 */
export function parseIptablesList(text: string, options: IptablesListOptions = {}): Parsed<NetfilterRuleset> {
  const state = initialState(options);
  const lines = text.split('\n').map((line) => line.replace(/[\r\0]/g, '').trimEnd());
  const names = new Set(lines.flatMap((line) => chainHeading(line)?.name ?? []));
  lines.forEach((line, index) => {
    readListLine(state, names, line, index + 1);
  });
  return finish(state, options);
}

function initialState(options: IptablesListOptions): State {
  const family = options.family ?? 'ip';
  const table: Table = {
    family,
    name: options.table ?? 'filter',
    lossy: false,
    dormant: false,
    closed: options.whole ?? false,
    line: 1,
    chains: [],
    sets: [],
    flowtables: [],
    objects: [],
  };
  const ruleset: NetfilterRuleset = { source: options.source ?? 'iptables', family, tables: [table], warnings: [], otherLines: [] };
  return { ruleset, table, unparsed: [], chain: undefined, columns: [] };
}

function finish(state: State, options: IptablesListOptions): Parsed<NetfilterRuleset> {
  return {
    value: state.ruleset,
    unparsed: state.unparsed,
    complete: options.whole === true && state.unparsed.length === 0 && !hidesTables(state),
  };
}

const hidesTables = (state: State): boolean => state.ruleset.warnings.some((warning) => warning.kind === 'incompatible-table');

function declare(state: State, name: string, policy: string | undefined, line: number, counters?: [string, string]): Chain {
  const base = policy === undefined ? undefined : baseChain(state.table.name, name, policy);
  const chain: Chain = {
    name,
    line,
    rules: [],
    ...(base === undefined ? {} : { base }),
    ...(counters === undefined ? {} : { counters: { packets: Number(counters[0]), bytes: Number(counters[1]) } }),
  };
  state.table.chains.push(chain);
  return chain;
}

function readRuleLine(
  state: State,
  chains: ReadonlyMap<string, Chain>,
  names: ReadonlySet<string>,
  line: string,
  number: number,
): { chain: Chain; rule: Rule; position: number | undefined } | undefined {
  if (line.trim() === '' || /^-[PN] /.test(line) || readWarning(state, line, number)) return undefined;
  const rule = parseRule(line, names, state.table.family === 'ip6' ? 'ip6' : 'ip');
  const chain = 'why' in rule ? undefined : chains.get(rule.chain);
  if ('why' in rule || chain === undefined) {
    state.unparsed.push({ line: number, text: line, why: 'why' in rule ? rule.why : 'its chain is not in the output' });
    return undefined;
  }
  const misread = misreadPart(rule.statements);
  if (misread !== undefined) state.unparsed.push({ line: number, text: line, why: misread });
  const read: Rule = {
    line: number,
    text: line,
    ...(rule.counters === undefined ? {} : { counters: rule.counters }),
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
    statements: rule.statements,
  };
  return { chain, rule: read, position: rule.position };
}

function readWarning(state: State, line: string, number: number): boolean {
  const incompatible = /^# Table [`'](\w+)' is incompatible/.exec(line);
  if (incompatible?.[1] !== undefined)
    state.ruleset.warnings.push({ kind: 'incompatible-table', table: incompatible[1], line: number, text: line });
  else if (/legacy tables present/.test(line)) state.ruleset.warnings.push({ kind: 'legacy-tables-present', line: number, text: line });
  else return false;
  return true;
}

interface Heading {
  name: string;
  policy?: string;
  packets?: string;
  bytes?: string;
  references?: number;
}

/** `Chain INPUT (policy ACCEPT 0 packets, 0 bytes)`, `Chain X (2 references)`, and an incompatible one of iptables-nft `[0 references]`. */
function chainHeading(line: string): Heading | undefined {
  const match = /^Chain (\S+) \((?:policy (\w+)(?: (\d+\w?) packets, (\d+\w?) bytes)?|(\d+) references?)\)/.exec(line);
  if (match?.[1] === undefined) return undefined;
  const [, name, policy, packets, bytes, references] = match;
  return {
    name,
    ...(policy === undefined ? {} : { policy }),
    ...(packets === undefined || bytes === undefined ? {} : { packets, bytes }),
    ...(references === undefined ? {} : { references: Number(references) }),
  };
}

function readListLine(state: State, names: ReadonlySet<string>, line: string, number: number): void {
  if (line === '') return;
  const heading = chainHeading(line);
  if (heading !== undefined) beginChain(state, heading, number);
  else if (/^\s*(num|pkts|target)\s/.test(line)) {
    state.columns = line.trim().split(/\s+/);
    state.ruleset.otherLines.push(number);
  } else if (!readWarning(state, line, number)) addListed(state, names, line, number);
}

function beginChain(state: State, heading: Heading, number: number): void {
  const counters = heading.packets === undefined || heading.bytes === undefined ? undefined : countersOf(heading.packets, heading.bytes);
  state.chain = declare(state, heading.name, heading.policy, number, counters);
  if (heading.references !== undefined) state.chain.references = heading.references;
}

/** -v without -x rounds: `12K`. Such numbers are not kept as counters. */
const countersOf = (packets: string, bytes: string): [string, string] | undefined =>
  /^\d+$/.test(packets) && /^\d+$/.test(bytes) ? [packets, bytes] : undefined;

function addListed(state: State, names: ReadonlySet<string>, line: string, number: number): void {
  const rule = state.chain === undefined ? undefined : listedRule(line, number, state.columns, names);
  if (state.chain === undefined || rule === undefined) state.unparsed.push({ line: number, text: line, why: 'not a line of iptables -L' });
  else state.chain.rules.push(rule);
}
