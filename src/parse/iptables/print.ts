import type { Chain, NetfilterRuleset, Rule, Table } from '../../model/netfilter.ts';
import { matchWords } from './print-matches.ts';
import { targetWords } from './print-targets.ts';

/**
 * Writes a ruleset of iptables as the input of iptables-restore (iptables-restore(8), 1.4 to 1.8), which is the form of iptables-save without its
 * headings. Rules are written from their statements, not from their text, so that what comes out is what was understood; only statements that
 * were not understood are written as they were read. With `counters` for `iptables-restore -c`, otherwise for any.
 */
export function printIptablesSave(ruleset: NetfilterRuleset, options: { counters?: boolean } = {}): string {
  const counters = options.counters ?? false;
  return ruleset.tables.flatMap((table) => tableLines(table, counters).map((line) => `${line}\n`)).join('');
}

function tableLines(table: Table, counters: boolean): string[] {
  return [
    `*${table.name}`,
    ...table.chains.map(chainLine),
    ...table.chains.flatMap((chain) => chain.rules.map((rule) => countersBefore(rule, counters) + ruleLine(chain.name, rule))),
    'COMMIT',
  ];
}

function chainLine({ name, base, counters }: Chain): string {
  const policy = base?.policy === 'accept' ? 'ACCEPT' : base?.policy === 'drop' ? 'DROP' : '-';
  return `:${name} ${policy} [${counters?.packets ?? 0}:${counters?.bytes ?? 0}]`;
}

const countersBefore = ({ counters }: Rule, wanted: boolean): string =>
  wanted && counters !== undefined ? `[${counters.packets}:${counters.bytes}] ` : '';

/** One rule as `-A CHAIN …`. */
export function ruleLine(chain: string, rule: Rule): string {
  const words = [`-A ${chain}`];
  for (const [index, statement] of rule.statements.entries()) {
    // A line that could not be taken apart stands in its rule whole.
    if (statement.kind === 'opaque' && statement.text === rule.text) return rule.text;
    words.push(...(statement.role === 'match' ? matchWords(statement, rule.statements[index + 1]) : targetWords(statement)));
  }
  return words.join(' ');
}
