import type { Chain, Flowtable, NamedSet, Rule, TableFamily } from '../../model/netfilter.ts';
import { readBase, readPriority } from './base.ts';
import { elementsOfJson } from './json-elements.ts';
import { statementsOfJson } from './json-statements.ts';
import { ruleText } from './render.ts';
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

export function ruleOfJson(data: Data, family: TableFamily): { rule: Rule; hasXt: boolean; notUnderstood: boolean } {
  const { handle, comment, expr } = data;
  const read = statementsOfJson(expr);
  const statements = read.statements.map((statement) => withRejectType(statement, family));
  const said = typeof comment === 'string' ? { comment } : {};
  const rule: Rule = {
    line: 1,
    text: ruleText(statements, read.counters, typeof comment === 'string' ? comment : undefined),
    ...(typeof handle === 'number' ? { handle } : {}),
    ...(read.counters === undefined ? {} : { counters: read.counters }),
    ...said,
    statements,
  };
  return { rule, hasXt: read.hasXt, notUnderstood: read.notUnderstood };
}

export function setOfJson(kind: 'set' | 'map', data: Data): NamedSet {
  const { name, type, map, flags, timeout, comment, elem } = data;
  const set = newSet(kind, String(name), 1);
  set.keyType = typeWords(type);
  set.dataType = typeWords(map);
  set.flags = strings(flags);
  if (typeof timeout === 'number') set.timeout = timeout;
  if (typeof comment === 'string') set.comment = comment;
  const elements = elementsOfJson(elem);
  set.elements = elements.elements;
  set.elementsKnown = elements.known;
  return set;
}

/** `"ipv4_addr"`, `["ipv4_addr", "inet_service"]`, and for typeof sets an expression, which is kept as its JSON. */
function typeWords(type: unknown): string[] {
  if (type === undefined) return [];
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))) : [JSON.stringify(type)];
}

export function flowtableOfJson(data: Data): Flowtable {
  const priority = readPriority(String(data.prio ?? 0), 'netdev') ?? 0;
  return { name: String(data.name), line: 1, hook: 'ingress', priority, devices: strings(data.dev) };
}
