import type { CompareOperator, Expression, NatTarget, Statement } from '../../model/netfilter.ts';
import { portRange } from '../nat-target.ts';
import { bitFields } from './bit-fields.ts';
import { type Counting, noteCounter } from './counter.ts';
import { verdictOfJson } from './json-elements.ts';
import { expressionOfJson, setOfExpression } from './json-expressions.ts';
import { member, numberMember, only, textMember } from './json-value.ts';
import { wordsOfJson } from './json-words.ts';
import { rejectName } from './plain.ts';
import { comparisonText, expressionText, setText, stringParts } from './print-expressions.ts';
import { readRule, xtStatement } from './statements.ts';
import { nftReader, nftTokens } from './tokens.ts';

export interface JsonStatements extends Counting {
  hasXt: boolean;
  notUnderstood: boolean;
}

/** The `expr` list of a rule. A statement that is not known becomes an opaque match and an opaque action: what it does is not known. */
export function statementsOfJson(expr: unknown): JsonStatements {
  const result: JsonStatements = { statements: [], hasXt: false, notUnderstood: !Array.isArray(expr) };
  for (const json of Array.isArray(expr) ? expr : []) {
    const [kind = '', content] = only(json) ?? [];
    if (kind === 'counter' && isCounter(content)) addCounter(result, content);
    else if (kind === 'xt') addXt(result, content);
    else addStatement(result, json, kind, content);
  }
  return result;
}

/** With its values, or without them (`nft -s`); otherwise it is a counter that has a name. */
const isCounter = (content: unknown): boolean => content === null || numberMember(content, 'packets') !== undefined;

function addCounter(result: JsonStatements, content: unknown): void {
  const [packets, bytes] = [numberMember(content, 'packets'), numberMember(content, 'bytes')];
  noteCounter(result, packets === undefined || bytes === undefined ? undefined : { packets, bytes });
}

/** nft before 1.0.7 writes `{"xt": null}`, later versions name the extension; the arguments are never there. */
function addXt(result: JsonStatements, content: unknown): void {
  result.hasXt = true;
  const [type, name] = [textMember(content, 'type'), textMember(content, 'name')];
  if (type !== undefined && name !== undefined) result.statements.push(xtStatement(type, name));
  else result.statements.push(...opaquePair('xt', 'nft does not show this extension of iptables; iptables-save does'));
}

function addStatement(result: JsonStatements, json: unknown, kind: string, content: unknown): void {
  const statement = verdictOfJson(json) ?? readers.get(kind)?.(content);
  const statements = statement === undefined ? statementsOfWords(json, kind, content) : [statement];
  if (statements !== undefined) {
    for (const one of statements) result.statements.push(one);
    return;
  }
  result.notUnderstood = true;
  result.statements.push(...opaquePair(JSON.stringify(json), 'not understood'));
}

/** Statements of which little more than their words is kept are read as text is; some versions print one as text even in JSON. */
function statementsOfWords(json: unknown, kind: string, content: unknown): Statement[] | undefined {
  const words = typeof json === 'string' ? json : wordsOfJson(kind, content);
  const tokens = words === undefined ? undefined : nftTokens(words, 1);
  if (tokens === undefined) return undefined;
  const { statements } = readRule(nftReader(tokens.tokens));
  return statements.some((statement) => statement.kind === 'opaqueAction' && statement.why === 'not understood') ? undefined : statements;
}

const opaquePair = (text: string, why: string): Statement[] => [
  { role: 'match', kind: 'opaque', text, why },
  { role: 'action', kind: 'opaqueAction', text, why },
];

type Reader = (content: unknown) => Statement | undefined;

const operators = new Map<string, CompareOperator>(
  Object.entries({ '==': '==', '!=': '!=', '<': '<', '>': '>', '<=': '<=', '>=': '>=', in: 'in' }),
);

const match: Reader = (content) => {
  const written = textMember(content, 'op') ?? '';
  const [left, right] = [expressionOfJson(member(content, 'left')), expressionOfJson(member(content, 'right'))];
  if (written === '!') return comparison({ type: 'binary', operator: '&', left, right }, '==', zero);
  const operator = operators.get(written);
  // Only fields of bits tell `in` from `==`.
  const isOfBits = left.type === 'field' && bitFields.has(left.name);
  return operator && comparison(left, operator === 'in' && !isOfBits ? '==' : operator, right);
};

const zero: Expression = { type: 'value', value: { type: 'literal', text: '0' } };
const comparison = (left: Expression, operator: CompareOperator, right: Expression): Statement => ({
  role: 'match',
  kind: 'compare',
  left,
  operator,
  right,
  text: comparisonText(left, operator, right),
});

const vmap: Reader = (content) => {
  const map = setOfExpression(member(content, 'data'));
  if (map === undefined) return undefined;
  const key = expressionOfJson(member(content, 'key'));
  return { role: 'action', kind: 'verdictMap', key, map, text: `${expressionText(key)} vmap ${setText(map, stringParts(key))}` };
};

const mangle: Reader = (content) => {
  const target = expressionOfJson(member(content, 'key'));
  const value = expressionOfJson(member(content, 'value'));
  if (target.type !== 'field') return undefined;
  return { role: 'action', kind: 'assign', target: target.name, value, text: `${target.name} set ${expressionText(value)}` };
};

function flagsOf(content: unknown, name = 'flags'): string[] {
  const flags = member(content, name);
  return Array.isArray(flags) ? flags.map(String) : flags === undefined ? [] : [String(flags)];
}

const nat =
  (kind: 'dnat' | 'snat'): Reader =>
  (content) => {
    const [address, port, family] = [member(content, 'addr'), member(content, 'port'), textMember(content, 'family')];
    if (flagsOf(content, 'type_flags').includes('prefix')) return prefixes(kind, family, address);
    const to = fixedOf(address, port) ?? expressionTarget(address, port);
    return { role: 'action', kind, to, flags: flagsOf(content), ...(family === 'ip' || family === 'ip6' ? { family } : {}) };
  };

const prefixes = (kind: string, family = '', address: unknown): Statement => ({
  role: 'action',
  kind: 'opaqueAction',
  text: `${kind} ${family} prefix to ${expressionText(expressionOfJson(address))}`.replace('  ', ' '),
  why: 'a translation of prefixes',
});

function fixedOf(address: unknown, port: unknown): NatTarget | undefined {
  const range = member(address, 'range');
  const between = Array.isArray(range) ? { from: String(range[0]), to: String(range[1]) } : undefined;
  const addresses = between ? [between] : typeof address === 'string' ? [{ from: address, to: address }] : [];
  if (addresses.length === 0 && address !== undefined) return undefined;
  const ports = portsOf(port);
  if (port !== undefined && ports === undefined) return undefined;
  return { type: 'fixed', addresses, ...(ports ? { ports } : {}) };
}

function portsOf(port: unknown): ReturnType<typeof portRange> {
  const range = member(port, 'range');
  if (Array.isArray(range)) return portRange(range.join('-'));
  return typeof port === 'number' || typeof port === 'string' ? portRange(String(port)) : undefined;
}

function expressionTarget(address: unknown, port: unknown): NatTarget {
  const parts = {
    ...(address === undefined ? {} : { address: expressionOfJson(address) }),
    ...(port === undefined ? {} : { port: expressionOfJson(port) }),
  };
  const text = [parts.address, parts.port].flatMap((part) => (part === undefined ? [] : [expressionText(part)])).join(':');
  return { type: 'expression', ...parts, text };
}

const withPorts =
  (kind: 'masquerade' | 'redirect'): Reader =>
  (content) => {
    const port = member(content, 'port');
    const ports = portsOf(port);
    const flags = flagsOf(content);
    if (port === undefined || ports !== undefined) return { role: 'action', kind, ...(ports ? { ports } : {}), flags };
    return kind === 'redirect' ? { role: 'action', kind, expression: expressionOfJson(port), flags } : undefined;
  };

const reject: Reader = (content) => {
  const type = textMember(content, 'type');
  if (type === undefined) return { role: 'action', kind: 'reject', with: 'port-unreachable' };
  const expr = member(content, 'expr');
  return { role: 'action', kind: 'reject', with: rejectName(type === 'tcp reset' ? 'tcp' : type, String(expr ?? '')) };
};

const readers = new Map<string, Reader>(
  Object.entries({
    match,
    vmap,
    mangle,
    dnat: nat('dnat'),
    snat: nat('snat'),
    masquerade: withPorts('masquerade'),
    redirect: withPorts('redirect'),
    reject,
    notrack: () => ({ role: 'action', kind: 'notrack' }),
  }),
);
