import type { Chain, Rule, Statement, TableFamily } from '../../model/netfilter.ts';
import { type NftState, unread } from './state.ts';
import { readRule } from './statements.ts';
import { type NftToken, nftReader, nftTokens } from './tokens.ts';

/** Reads a rule into its chain. What can't be read stays there as an opaque rule, and its line goes to `unparsed`. */
export function addRule(state: NftState, chain: Chain, text: string, line: number, lines: readonly string[]): void {
  const rule = ruleOf(text, line, lines, state.table?.family ?? 'ip');
  chain.rules.push(rule.rule);
  if (rule.hasXt && state.table !== undefined) state.table.lossy = true;
  const opaque = rule.rule.statements.find((statement) => statement.kind === 'opaqueAction' && statement.why === 'not understood');
  if (opaque !== undefined) unread(state, line, text, 'not understood from some word on');
}

export function ruleOf(text: string, line: number, lines: readonly string[], family: TableFamily): { rule: Rule; hasXt: boolean } {
  const tokens: NftToken[] = [];
  let remark = '';
  for (const [index, part] of lines.entries()) {
    const read = nftTokens(part, line + index);
    if (read === undefined) return { rule: unreadable(text, line), hasXt: false };
    for (const token of read.tokens) tokens.push(token);
    remark = read.remark;
  }
  if (isCut(tokens)) return { rule: unreadable(text, line), hasXt: false };
  const handle = /^# handle (\d+)/.exec(remark)?.[1];
  const { statements, comment, counters, counterAt, hasXt } = readRule(nftReader(tokens));
  const rule: Rule = {
    line,
    text: (remark === '' ? text : text.slice(0, text.length - remark.trimEnd().length)).trim(),
    ...(handle === undefined ? {} : { handle: Number(handle) }),
    ...(counters === undefined ? {} : { counters }),
    ...(counterAt === undefined ? {} : { counterAt }),
    ...(comment === undefined ? {} : { comment }),
    statements: statements.map((statement) => withRejectType(statement, family)),
  };
  return { rule, hasXt };
}

/** Deeper than any rule: expressions are read by functions that call themselves. */
const deepest = 200;

/** More braces or parentheses opened than closed, so that the rule does not end here, or more than can be read. */
function isCut(tokens: readonly NftToken[]): boolean {
  let open = 0;
  let joined = 0;
  for (const { text, quoted } of tokens) {
    if (quoted) continue;
    if (text === '{' || text === '(') open++;
    if (text === '|' || text === '&' || text === '^') joined++;
    if (open > deepest || joined > deepest) return true;
    if (text === '}' || text === ')') open--;
  }
  return open !== 0;
}

const unreadable = (text: string, line: number): Rule => ({
  line,
  text,
  statements: [
    { role: 'match', kind: 'opaque', text, why: 'not understood' },
    { role: 'action', kind: 'opaqueAction', text, why: 'not understood' },
  ],
});

/** `reject` alone is port unreachable of the table's family; in an inet table of the packet's (icmpx). */
export function withRejectType(statement: Statement, family: TableFamily): Statement {
  if (statement.kind !== 'reject' || statement.with !== 'port-unreachable') return statement;
  return { ...statement, with: `${family === 'ip' ? 'icmp' : family === 'ip6' ? 'icmp6' : 'icmpx'}-port-unreachable` };
}
