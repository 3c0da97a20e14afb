import type { NetfilterRuleset, Statement } from '../../src/model/netfilter.ts';
import { printIptablesSave } from '../../src/parse/iptables/print.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import type { Input } from './inputs.ts';
import type { Tool } from './namespace.ts';
import type { Attempt } from './run.ts';

/** The tables are there, empty, before the input comes, so that it does not matter which of them a kernel has loaded. */
const emptied = ['filter', 'nat', 'mangle', 'raw', 'security'].map((table) => `*${table}\\nCOMMIT\\n`).join('');

function toolOf({ legacy, family }: Input): Tool {
  const program = `${family === 'ip6' ? 'ip6tables' : 'iptables'}-${legacy ? 'legacy' : 'nft'}`;
  return {
    load: `${program}-restore -c rules`,
    list: `${program}-save -c`,
    flush: legacy ? `printf '${emptied}' | ${program}-restore` : 'nft flush ruleset',
  };
}

export function iptablesLoads(input: Input): Attempt {
  const { value } = parseIptablesSave(input.text, { family: input.family });
  const prepare = [...ipsets(value, input.family), ...accountingObjects(value)];
  const tool = toolOf(input);
  return { raw: { tool, text: input.text, prepare }, printed: { tool, text: printIptablesSave(value, { counters: true }), prepare } };
}

/**
 * Tables, chains, policies, counters and rules in their order, without the headings, which hold the time. A counter above 2^53 is rounded: k8snet reads
 * counters as numbers.
 */
export const iptablesRules = (listed: string): string[] =>
  listed
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/\d{16,}/g, (digits) => String(Number(digits))));

const statementsOf = ({ tables }: NetfilterRuleset): Statement[] =>
  tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules.flatMap(({ statements }) => statements)));

/** The sets that the rules ask, with as many parts as they ask for; what is in them does not matter here. */
function ipsets(ruleset: NetfilterRuleset, family: 'ip' | 'ip6'): string[] {
  const parts = ['ip', 'ip,port', 'ip,port,ip'];
  const sizes = new Map<string, number>();
  for (const statement of statementsOf(ruleset)) {
    const asked: [string, string][] =
      statement.kind === 'ipset'
        ? [[statement.set, statement.directions.join(',')]]
        : statement.kind === 'fallThrough' && statement.name === 'SET'
          ? statement.options.flatMap(({ values: [set, directions] }): [string, string][] => (set && directions ? [[set, directions]] : []))
          : [];
    for (const [set, directions] of asked) sizes.set(set, Math.max(sizes.get(set) ?? 0, directions.split(',').length));
  }
  const create = [...sizes].map(
    ([set, size]) => `ipset create '${set}' hash:${parts[size - 1]} family ${family === 'ip6' ? 'inet6' : 'inet'}`,
  );
  return create.length === 0 ? [] : ['ipset destroy', ...create];
}

/** `-m nfacct` counts in an object that has to be there. nfacct(8) is rarely installed, so that its one message goes to the kernel by hand. */
function accountingObjects(ruleset: NetfilterRuleset): string[] {
  const names = new Set<string>();
  for (const statement of statementsOf(ruleset)) {
    if (statement.kind !== 'module' || statement.module !== 'nfacct') continue;
    for (const { values } of statement.options) if (values[0] !== undefined) names.add(values[0]);
  }
  return [...names].map((name) => `perl -e 'socket(S, 16, 3, 12) && syswrite(S, pack("H*", shift))' ${newAccountingObject(name)}`);
}

/** NFNL_MSG_ACCT_NEW with NFACCT_NAME (linux/netfilter/nfnetlink_acct.h), as hexadecimal digits. */
function newAccountingObject(name: string): string {
  const value = Buffer.from(`${name}\0`);
  const padded = Math.ceil(value.length / 4) * 4;
  const message = Buffer.alloc(24 + padded);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(7 << 8, 4);
  // NLM_F_REQUEST | NLM_F_CREATE
  message.writeUInt16LE(0x401, 6);
  message.writeUInt16LE(4 + value.length, 20);
  message.writeUInt16LE(1, 22);
  value.copy(message, 24);
  return message.toString('hex');
}
