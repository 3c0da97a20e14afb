import type { Match, NetfilterRuleset, Rule, Statement, Table } from '../../model/netfilter.ts';

const names = new Set(['filter', 'nat', 'mangle', 'raw', 'security']);
const builtIn = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);

/**
 * Marks the tables that iptables-nft wrote: nft prints them with losses. What it is known to print wrongly there is made opaque:
 * `ct status dnat` stands for any `--ctstate` list with DNAT in it, negated or not, and `fib saddr type != { … }` has lost a match.
 */
export function markLossyTables(ruleset: NetfilterRuleset): void {
  const managed = new Set(ruleset.warnings.filter((warning) => warning.kind === 'managed-by-iptables-nft').map((warning) => warning.table));
  for (const table of ruleset.tables) {
    table.lossy ||= managed.has(`${table.family} ${table.name}`) || looksLikeIptables(table);
  }
  const lossy = ruleset.tables.filter((table) => table.lossy);
  const families = new Set(lossy.map((table) => table.family));
  for (const table of lossy) {
    for (const rule of table.chains.flatMap((chain) => chain.rules)) rule.statements = distrust(rule, table, families.size > 1);
  }
}

/** The five table names of iptables, and a chain with a built-in name or, where there is none, rules with counters only. */
function looksLikeIptables(table: Table): boolean {
  if ((table.family !== 'ip' && table.family !== 'ip6') || !names.has(table.name)) return false;
  const bases = table.chains.filter((chain) => chain.base !== undefined);
  return (
    bases.every((chain) => builtIn.has(chain.name)) &&
    table.chains.length > 0 &&
    table.chains.every((chain) => chain.rules.every((rule) => rule.counters !== undefined || /\bcounter\b/.test(rule.text)))
  );
}

function distrust(rule: Rule, table: Table, severalFamilies: boolean): Statement[] {
  const statements = rule.statements.map((statement) => (statement.role === 'match' ? distrustMatch(statement) : statement));
  const hasAction = statements.some((statement) => statement.role === 'action');
  // With iptables tables of both families nft 1.0.6 prints nothing for DNAT and MASQUERADE of the one it reads second.
  if (hasAction || !severalFamilies || table.name !== 'nat') return statements;
  return [
    ...statements,
    { role: 'action', kind: 'opaqueAction', text: rule.text, why: 'nft prints no target here, which may be one that it lost' },
  ];
}

function distrustMatch(match: Match): Match {
  if (match.kind !== 'compare' || match.left.type !== 'field') return match;
  const { name } = match.left;
  const isStatus = name === 'ct status';
  const isTypeSet = /^fib [sd]addr type$/.test(name) && match.operator === '!=' && match.right.type === 'set';
  if (!isStatus && !isTypeSet) return match;
  return { role: 'match', kind: 'opaque', text: match.text, why: 'nft prints this match of iptables wrongly; iptables-save shows it' };
}
