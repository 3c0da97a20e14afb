import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetfilterRuleset, Rule, Table } from '../../src/model/netfilter.ts';

const directory = join(import.meta.dirname, '../../fixtures/parse/netfilter');

export interface Sample {
  text: string;
  truth: Record<string, unknown>;
}

/** The output whose file name begins with the number, and what was configured. */
export function sample(number: string): Sample {
  const name = readdirSync(directory).find((file) => file.startsWith(`${number}-`) && file.endsWith('.txt'));
  if (name === undefined) throw new Error(`no sample ${number}`);
  const truth = JSON.parse(readFileSync(join(directory, name.replace(/txt$/, 'json')), 'utf8')).truth;
  return { text: readFileSync(join(directory, name), 'utf8'), truth };
}

export interface TableTruth {
  policies: Record<string, string>;
  userChains: string[];
  rules: Record<string, number>;
}

/** Policies, user chains and number of rules of each chain, in the words of the samples' truth. */
export function tableFacts(table: Table): TableTruth {
  const bases = table.chains.filter((chain) => chain.base !== undefined);
  const users = table.chains.filter((chain) => chain.base === undefined);
  return {
    policies: Object.fromEntries(bases.map((chain) => [chain.name, chain.base?.policy.toUpperCase() ?? ''])),
    userChains: users.map((chain) => chain.name).sort(),
    rules: Object.fromEntries(table.chains.map((chain) => [chain.name, chain.rules.length])),
  };
}

export const sortedTruth = (truth: TableTruth): TableTruth => ({ ...truth, userChains: [...truth.userChains].sort() });

export const allRules = (ruleset: NetfilterRuleset): Rule[] =>
  ruleset.tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules));

/** Texts of what a parser kept without understanding it. */
export const opaqueTexts = (ruleset: NetfilterRuleset): string[] =>
  allRules(ruleset).flatMap((rule) =>
    rule.statements.flatMap((statement) => (statement.kind === 'opaque' || statement.kind === 'opaqueAction' ? [statement.text] : [])),
  );
