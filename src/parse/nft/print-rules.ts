import type { Action, Match, NatTarget, NumberRange, Rule, SetReference, Statement, TableFamily } from '../../model/netfilter.ts';
import { counterText } from './counter.ts';
import { comparisonText, expressionText, setText, stringParts, verdictText } from './print-expressions.ts';

/** What a rule's words depend on besides the rule. */
export interface RuleSurroundings {
  family: TableFamily;
  /** Number of values that the data of a named map has. */
  partsOf: (map: string) => number;
}

/** A rule in the words of nft(8), from its statements. */
export function ruleText(rule: Pick<Rule, 'statements' | 'counters' | 'counterAt' | 'comment'>, around: RuleSurroundings): string {
  const words = rule.statements.map((statement, index) => statementText(statement, rule.statements[index - 1], around));
  const at = rule.counterAt ?? (rule.counters === undefined ? undefined : words.length);
  if (at !== undefined) words.splice(at, 0, counterText(rule.counters));
  if (rule.comment !== undefined) words.push(`comment "${rule.comment}"`);
  return words.filter((word) => word !== '').join(' ');
}

function statementText(statement: Statement, before: Statement | undefined, around: RuleSurroundings): string {
  if (statement.role === 'match') return matchText(statement);
  // What was not understood stands in the rule as a match and as an action.
  if (statement.kind === 'opaqueAction' && before?.kind === 'opaque' && before.text === statement.text) return '';
  return actionText(statement, around);
}

function matchText(match: Match): string {
  if (match.kind !== 'compare') return 'text' in match ? match.text : match.kind;
  return comparisonText(match.left, match.operator, match.right);
}

function actionText(action: Action, around: RuleSurroundings): string {
  switch (action.kind) {
    case 'dnat':
    case 'snat':
      return translationText(action, around);
    case 'masquerade':
      return [action.kind, ...(action.ports === undefined ? [] : [`to :${rangeText(action.ports)}`]), ...flagWords(action.flags)].join(' ');
    case 'redirect': {
      const { ports, expression } = action;
      const to = expression === undefined ? ports && rangeText(ports) : expressionText(expression);
      return [action.kind, ...(to === undefined ? [] : [`to :${to}`]), ...flagWords(action.flags)].join(' ');
    }
    case 'reject':
      return rejectText(action.with);
    case 'verdictMap':
      return `${expressionText(action.key)} vmap ${setText(action.map, stringParts(action.key))}`;
    case 'assign':
      return `${action.target} set ${expressionText(action.value, stringParts({ type: 'field', name: action.target }))}`;
    default:
      return verdictText(action);
  }
}

const flagWords = (flags: readonly string[]): string[] => (flags.length === 0 ? [] : [flags.join(',')]);
const rangeText = ({ first, last }: NumberRange): string => (first === last ? String(first) : `${first}-${last}`);

/** `icmp-…`, `icmp6-…`, `icmpx-…` and `tcp-reset`, the names that iptables and nft share here. */
function rejectText(type: string): string {
  if (type === 'tcp-reset') return 'reject with tcp reset';
  const [, protocol = '', name = ''] = /^(icmp6?|icmpx)-(.*)$/.exec(type) ?? [];
  return protocol === '' ? 'reject' : `reject with ${protocol === 'icmp6' ? 'icmpv6' : protocol} type ${name}`;
}

function translationText({ kind, to, flags, family }: Extract<Action, { kind: 'dnat' | 'snat' }>, around: RuleSurroundings): string {
  const says = family ?? (around.family === 'ip' || around.family === 'ip6' ? around.family : undefined);
  // A map to addresses with ports is taken for one to addresses unless the rule says otherwise; nft itself leaves these words out (up to 1.0.6).
  const shape = to.type === 'expression' && hasPortInMap(to, around) ? ['addr . port'] : [];
  const words = says === undefined || (to.type === 'fixed' && to.addresses.length === 0) ? [] : [says];
  return [kind, ...words, ...shape, 'to', targetText(to), ...flagWords(flags)].join(' ');
}

function hasPortInMap({ address }: Extract<NatTarget, { type: 'expression' }>, { partsOf }: RuleSurroundings): boolean {
  if (address?.type !== 'map') return false;
  return (address.map.type === 'named' ? partsOf(address.map.name) : dataParts(address.map)) === 2;
}

function dataParts(map: Extract<SetReference, { type: 'anonymous' }>): number {
  const data = map.elements[0]?.data;
  return Array.isArray(data) ? data.length : 0;
}

function targetText(to: NatTarget): string {
  const port = to.type === 'fixed' ? to.ports && rangeText(to.ports) : to.port && expressionText(to.port);
  const behind = port === undefined ? '' : `:${port}`;
  if (to.type === 'expression') return `${to.address === undefined ? '' : expressionText(to.address)}${behind}`;
  const ends = to.addresses.flatMap(({ from, to: last }) => (from === last ? [from] : [from, last]));
  return `${ends.map((end) => (end.includes(':') && behind !== '' ? `[${end}]` : end)).join('-')}${behind}`;
}
