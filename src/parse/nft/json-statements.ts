import type { Action, CompareOperator, Counters, Match, NatTarget, Statement } from '../../model/netfilter.ts';
import { portRange } from '../nat-target.ts';
import { verdictOfJson } from './json-elements.ts';
import { expressionOfJson, setOfExpression } from './json-expressions.ts';
import { member, numberMember, only, textMember } from './json-value.ts';
import { rejectName } from './plain.ts';
import { expressionText } from './render.ts';
import { xtStatement } from './statements.ts';

export interface JsonStatements {
  statements: Statement[];
  counters?: Counters;
  hasXt: boolean;
  notUnderstood: boolean;
}

/** The `expr` list of a rule. A statement that is not known becomes an opaque match and an opaque action: what it does is not known. */
export function statementsOfJson(expr: unknown): JsonStatements {
  const result: JsonStatements = { statements: [], hasXt: false, notUnderstood: !Array.isArray(expr) };
  for (const json of Array.isArray(expr) ? expr : []) {
    const [kind = '', content] = only(json) ?? [];
    if (kind === 'counter' && typeof content === 'object' && content !== null) addCounter(result, content);
    else if (kind === 'xt') addXt(result, content);
    else addStatement(result, json, kind, content);
  }
  return result;
}

function addCounter(result: JsonStatements, content: object): void {
  const [packets, bytes] = [numberMember(content, 'packets'), numberMember(content, 'bytes')];
  if (packets !== undefined && bytes !== undefined) result.counters = { packets, bytes };
}

/** nft before 1.0.7 writes `{"xt": null}`, later versions name the extension; the arguments are never there. */
function addXt(result: JsonStatements, content: unknown): void {
  result.hasXt = true;
  const [type, name] = [textMember(content, 'type'), textMember(content, 'name')];
  if (type !== undefined && name !== undefined) result.statements.push(xtStatement(type, name));
  else result.statements.push(...opaquePair('xt', 'nft does not show this extension of iptables; iptables-save does'));
}

function addStatement(result: JsonStatements, json: unknown, kind: string, content: unknown): void {
  const statement = verdictOfJson(json) ?? readers.get(kind)?.(content, JSON.stringify(json));
  if (statement !== undefined) {
    result.statements.push(statement);
    return;
  }
  result.notUnderstood = true;
  result.statements.push(...opaquePair(JSON.stringify(json), 'not understood'));
}

const opaquePair = (text: string, why: string): Statement[] => [
  { role: 'match', kind: 'opaque', text, why },
  { role: 'action', kind: 'opaqueAction', text, why },
];

type Reader = (content: unknown, text: string) => Statement | undefined;

const operators = new Map<string, CompareOperator>(
  Object.entries({ '==': '==', '!=': '!=', '<': '<', '>': '>', '<=': '<=', '>=': '>=', in: '==' }),
);

const match: Reader = (content) => {
  const operator = operators.get(textMember(content, 'op') ?? '');
  if (operator === undefined) return undefined;
  const [left, right] = [expressionOfJson(member(content, 'left')), expressionOfJson(member(content, 'right'))];
  const sign = operator === '==' ? '' : `${operator} `;
  return { role: 'match', kind: 'compare', left, operator, right, text: `${expressionText(left)} ${sign}${expressionText(right)}` };
};

const vmap: Reader = (content) => {
  const map = setOfExpression(member(content, 'data'));
  if (map === undefined) return undefined;
  const key = expressionOfJson(member(content, 'key'));
  return { role: 'action', kind: 'verdictMap', key, map, text: `${expressionText(key)} vmap ${expressionText({ type: 'set', set: map })}` };
};

const mangle: Reader = (content) => {
  const target = expressionOfJson(member(content, 'key'));
  const value = expressionOfJson(member(content, 'value'));
  if (target.type !== 'field') return undefined;
  return { role: 'action', kind: 'assign', target: target.name, value, text: `${target.name} set ${expressionText(value)}` };
};

const flagsOf = (content: unknown): string[] => {
  const flags = member(content, 'flags');
  return Array.isArray(flags) ? flags.map(String) : flags === undefined ? [] : [String(flags)];
};

const nat =
  (kind: 'dnat' | 'snat'): Reader =>
  (content, text) => {
    const [address, port] = [member(content, 'addr'), member(content, 'port')];
    if (textMember(content, 'type_flags') !== undefined || member(content, 'type_flags') !== undefined) return undefined;
    const to = fixedOf(address, port) ?? expressionTarget(address, port, text);
    return to && { role: 'action', kind, to, flags: flagsOf(content) };
  };

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

function expressionTarget(address: unknown, port: unknown, text: string): NatTarget | undefined {
  const parts = {
    ...(address === undefined ? {} : { address: expressionOfJson(address) }),
    ...(port === undefined ? {} : { port: expressionOfJson(port) }),
  };
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

const module =
  (name: string): Reader =>
  (_content, text) =>
    ({ role: 'match', kind: 'module', module: name, options: [], text }) satisfies Match;

const goesOn =
  (name: string): Reader =>
  (_content, text) =>
    ({ role: 'action', kind: 'fallThrough', name, options: [], text }) satisfies Action;

/** `{op: "update", elem, set, stmt?}`; a limit inside decides like a match. */
const setUpdate: Reader = (content, text) => {
  const statements = member(content, 'stmt');
  return Array.isArray(statements) && statements.length > 0 ? module('meter')(content, text) : goesOn('set-update')(content, text);
};

const tproxy: Reader = (content, text) => {
  const [address, port] = [textMember(content, 'addr'), numberMember(content, 'port')];
  const place = { ...(address === undefined ? {} : { address }), ...(port === undefined ? {} : { port }) };
  return { role: 'action', kind: 'tproxy', ends: false, ...place, value: 0, mask: 0, text };
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
    tproxy,
    limit: module('limit'),
    quota: module('quota'),
    'ct count': module('connlimit'),
    meter: module('meter'),
    set: setUpdate,
    log: goesOn('log'),
    counter: goesOn('counter'),
    flow: goesOn('flow'),
    dup: goesOn('dup'),
    last: goesOn('last'),
    'ct helper': goesOn('ct helper'),
    'ct timeout': goesOn('ct timeout'),
    'ct expectation': goesOn('ct expectation'),
    notrack: () => ({ role: 'action', kind: 'notrack' }),
    queue: (_content, text) => ({ role: 'action', kind: 'queue', text }),
    synproxy: (_content, text) => ({ role: 'action', kind: 'opaqueAction', text, why: 'synproxy answers in the name of the destination' }),
  }),
);
