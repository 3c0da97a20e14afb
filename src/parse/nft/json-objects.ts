import type { Chain, Flowtable, NamedSet, Rule, TableFamily } from '../../model/netfilter.ts';
import { readBase, readPriority } from './base.ts';
import { elementsOfJson } from './json-elements.ts';
import { statementsOfJson } from './json-statements.ts';
import { only } from './json-value.ts';
import { wordsOfJson } from './json-words.ts';
import { ruleText } from './print-rules.ts';
import { withRejectType } from './rules.ts';
import { newSet } from './state.ts';

type Data = Record<string, unknown>;

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]);

export function chainOfJson(data: Data): Chain | undefined {
  const { name, type, hook, prio, policy, dev, comment } = data;
  if (typeof name !== 'string') return undefined;
  const chain: Chain = { name, line: 1, rules: [], ...(typeof comment === 'string' ? { comment } : {}) };
  if (hook === undefined) return chain;
  const base = readBase(`type ${type} hook ${hook} priority ${prio}; policy ${policy ?? 'accept'};`);
  return base === undefined ? undefined : { ...chain, base: { ...base, devices: strings(dev) } };
}

export function ruleOfJson(
  data: Data,
  family: TableFamily,
  partsOf: (map: string) => number,
): { rule: Rule; hasXt: boolean; notUnderstood: boolean } {
  const { handle, comment, expr } = data;
  const read = statementsOfJson(expr);
  const statements = read.statements.map((statement) => withRejectType(statement, family));
  const said = typeof comment === 'string' ? { comment } : {};
  const rule: Rule = {
    line: 1,
    text: '',
    ...(typeof handle === 'number' ? { handle } : {}),
    ...(read.counters === undefined ? {} : { counters: read.counters }),
    ...(read.counterAt === undefined ? {} : { counterAt: read.counterAt }),
    ...said,
    statements,
  };
  rule.text = ruleText(rule, { family, partsOf });
  return { rule, hasXt: read.hasXt, notUnderstood: read.notUnderstood };
}

export function setOfJson(kind: 'set' | 'map', data: Data): NamedSet {
  const { name, type, map, flags, timeout, size, 'gc-interval': interval, policy, stmt, comment, elem } = data;
  const set = newSet(kind, String(name), 1);
  set.keyType = typeWords(type);
  set.dataType = typeWords(map);
  set.flags = strings(flags);
  if (typeof timeout === 'number') set.timeout = timeout;
  if (typeof size === 'number') set.size = size;
  if (typeof interval === 'number') set.gcInterval = interval;
  if (policy === 'memory' || policy === 'performance') set.policy = policy;
  if (data['auto-merge'] === true) set.autoMerge = true;
  if (Array.isArray(stmt)) set.statements = stmt.flatMap(elementStatement);
  if (typeof comment === 'string') set.comment = comment;
  const elements = elementsOfJson(elem);
  set.elements = elements.elements;
  set.elementsKnown = elements.known;
  return set;
}

/** `{"counter": null}` says that each element counts; what it counted stands with the element. */
function elementStatement(json: unknown): string[] {
  const [kind = '', content] = only(json) ?? [];
  return [kind === 'counter' ? kind : (wordsOfJson(kind, content) ?? JSON.stringify(json))];
}

/** `"ipv4_addr"`, `["ipv4_addr", "inet_service"]`, and for typeof sets an expression, which is kept as its JSON. */
function typeWords(type: unknown): string[] {
  if (type === undefined) return [];
  if (typeof type === 'string') return type.split(' . ');
  return Array.isArray(type) ? type.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))) : [JSON.stringify(type)];
}

export function flowtableOfJson(data: Data): Flowtable {
  const priority = readPriority(String(data.prio ?? 0), 'netdev') ?? 0;
  return { name: String(data.name), line: 1, hook: 'ingress', priority, devices: strings(data.dev), flags: strings(data.flags) };
}
