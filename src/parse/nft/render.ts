import type { Action, Counters, Expression, NatTarget, SetElement, SetReference, Statement, Value } from '../../model/netfilter.ts';

/** A rule in the words of `nft list ruleset`, for rules that came as JSON. */
export function ruleText(statements: readonly Statement[], counters: Counters | undefined, comment: string | undefined): string {
  const words = statements.map((statement) => (statement.role === 'match' ? matchText(statement) : actionText(statement)));
  const counter = counters === undefined ? [] : [`counter packets ${counters.packets} bytes ${counters.bytes}`];
  const firstAction = statements.findIndex((statement) => statement.role === 'action');
  const place = firstAction < 0 ? words.length : firstAction;
  const said = comment === undefined ? [] : [`comment "${comment}"`];
  return [...words.slice(0, place), ...counter, ...words.slice(place), ...said].join(' ');
}

const matchText = (match: Extract<Statement, { role: 'match' }>): string => ('text' in match ? match.text : match.kind);

function actionText(action: Action): string {
  if (action.kind === 'jump' || action.kind === 'goto') return `${action.kind} ${action.chain}`;
  if (action.kind === 'dnat' || action.kind === 'snat') return [action.kind, 'to', targetText(action.to), ...action.flags].join(' ');
  if (action.kind === 'masquerade' || action.kind === 'redirect') {
    const ports = action.ports === undefined ? [] : [`to :${rangeText(action.ports.first, action.ports.last)}`];
    return [action.kind, ...ports, ...action.flags].join(' ');
  }
  if (action.kind === 'reject') return action.with.endsWith('port-unreachable') ? 'reject' : `reject with ${action.with}`;
  return 'text' in action ? action.text : action.kind;
}

const rangeText = (first: number, last: number): string => (first === last ? String(first) : `${first}-${last}`);

function targetText(to: NatTarget): string {
  if (to.type === 'expression')
    return [to.address, to.port].flatMap((part) => (part === undefined ? [] : [expressionText(part)])).join(':');
  const addresses = to.addresses.map(({ from, to: last }) => (from === last ? from : `${from}-${last}`)).join(',');
  if (to.ports === undefined) return addresses;
  return `${addresses.includes(':') ? `[${addresses}]` : addresses}:${rangeText(to.ports.first, to.ports.last)}`;
}

export function expressionText(expression: Expression): string {
  switch (expression.type) {
    case 'value':
      return valueText(expression.value);
    case 'field':
      return expression.name;
    case 'concat':
      return expression.parts.map(expressionText).join(' . ');
    case 'list':
      return expression.parts.map(expressionText).join(',');
    case 'binary':
      return `${expressionText(expression.left)} ${expression.operator} ${expressionText(expression.right)}`;
    case 'set':
      return setText(expression.set);
    case 'map':
      return `${expressionText(expression.key)} map ${setText(expression.map)}`;
    case 'numgen':
      return `numgen ${expression.mode} mod ${expression.modulus}${expression.offset === 0 ? '' : ` offset ${expression.offset}`}`;
    case 'hash':
      return `${expression.algorithm} mod ${expression.modulus}`;
    case 'opaque':
      return expression.text;
  }
}

const setText = (set: SetReference): string => (set.type === 'named' ? `@${set.name}` : `{ ${set.elements.map(elementText).join(', ')} }`);

function elementText(element: SetElement): string {
  const key = element.key.map(valueText).join(' . ');
  if (element.data === undefined) return key;
  return `${key} : ${Array.isArray(element.data) ? element.data.map(valueText).join(' . ') : actionText(element.data)}`;
}

export function valueText(value: Value): string {
  if (value.type === 'literal') return value.text;
  if (value.type === 'prefix') return `${value.address}/${value.length}`;
  return value.type === 'range' ? `${value.from}-${value.to}` : '*';
}
