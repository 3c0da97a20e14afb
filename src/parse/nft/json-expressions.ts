import type { Expression, SetReference } from '../../model/netfilter.ts';
import { constantOfJson, elementsOfJson } from './json-elements.ts';
import { member, numberMember, only, textMember } from './json-value.ts';

const opaque = (value: unknown): Expression => ({ type: 'opaque', text: JSON.stringify(value) });
const field = (...words: (string | undefined)[]): Expression => ({
  type: 'field',
  name: words.filter((word) => word !== undefined).join(' '),
});

/** An expression of libnftables-json(5); what is not known stays opaque. */
export function expressionOfJson(value: unknown): Expression {
  if (typeof value === 'string' && value.startsWith('@')) return { type: 'set', set: { type: 'named', name: value.slice(1) } };
  const constant = constantOfJson(value);
  if (constant !== undefined) return { type: 'value', value: constant };
  if (Array.isArray(value)) return { type: 'list', parts: value.map(expressionOfJson) };
  const [kind, content] = only(value) ?? [];
  const read = kind === undefined ? undefined : readers.get(kind);
  return read?.(content) ?? opaque(value);
}

/** `"@name"` or `{set: […]}`. */
export function setOfExpression(value: unknown): SetReference | undefined {
  if (typeof value === 'string' && value.startsWith('@')) return { type: 'named', name: value.slice(1) };
  const elements = elementsOfJson(member(value, 'set'));
  return member(value, 'set') !== undefined && elements.known ? { type: 'anonymous', elements: elements.elements } : undefined;
}

type Reader = (content: unknown) => Expression | undefined;

const binary =
  (operator: '&' | '|' | '^' | '<<' | '>>'): Reader =>
  (content) => {
    if (!Array.isArray(content) || content.length < 2) return undefined;
    const [first, ...others] = content.map(expressionOfJson);
    return first && others.reduce<Expression>((left, right) => ({ type: 'binary', operator, left, right }), first);
  };

const conntrack: Reader = (content) => {
  const key = textMember(content, 'key');
  const family = textMember(content, 'family');
  return key === undefined ? undefined : field('ct', textMember(content, 'dir'), family, key);
};

const fib: Reader = (content) => {
  const flags = member(content, 'flags');
  const words = Array.isArray(flags) ? flags.map(String) : [String(flags)];
  return field('fib', words.join(' . '), textMember(content, 'result'));
};

const numgen: Reader = (content) => {
  const [mode, modulus] = [textMember(content, 'mode'), numberMember(content, 'mod')];
  if ((mode !== 'random' && mode !== 'inc') || modulus === undefined) return undefined;
  return { type: 'numgen', mode, modulus, offset: numberMember(content, 'offset') ?? 0 };
};

const hash =
  (algorithm: 'jhash' | 'symhash'): Reader =>
  (content) => {
    const modulus = numberMember(content, 'mod');
    return modulus === undefined ? undefined : { type: 'hash', algorithm, modulus, offset: numberMember(content, 'offset') ?? 0 };
  };

const map: Reader = (content) => {
  const reference = setOfExpression(member(content, 'data'));
  return reference && { type: 'map', key: expressionOfJson(member(content, 'key')), map: reference };
};

const readers = new Map<string, Reader>(
  Object.entries({
    payload: (content) => {
      const [protocol, name] = [textMember(content, 'protocol'), textMember(content, 'field')];
      return protocol === undefined || name === undefined ? undefined : field(protocol, name);
    },
    meta: (content) => field('meta', textMember(content, 'key') ?? String(content)),
    ct: conntrack,
    fib,
    numgen,
    jhash: hash('jhash'),
    symhash: hash('symhash'),
    map,
    concat: (content) => (Array.isArray(content) ? { type: 'concat', parts: content.map(expressionOfJson) } : undefined),
    set: (content) => {
      const { elements, known } = elementsOfJson(content);
      return known ? { type: 'set', set: { type: 'anonymous', elements } } : undefined;
    },
    rt: (content) => field('rt', textMember(content, 'family'), textMember(content, 'key')),
    socket: (content) => field('socket', textMember(content, 'key')),
    osf: (content) => field('osf', textMember(content, 'key')),
    exthdr: (content) => field('exthdr', textMember(content, 'name'), textMember(content, 'field')),
    'tcp option': (content) => field('tcp option', textMember(content, 'name'), textMember(content, 'field')),
    'ip option': (content) => field('ip option', textMember(content, 'name'), textMember(content, 'field')),
    '&': binary('&'),
    '|': binary('|'),
    '^': binary('^'),
    '<<': binary('<<'),
    '>>': binary('>>'),
  }),
);
