import type { Expression, SetReference } from '../../model/netfilter.ts';
import { asFlags } from './expressions.ts';
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
    return first && asFlags(others.reduce<Expression>((left, right) => ({ type: 'binary', operator, left, right }), first));
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
    const [modulus, seed, from] = [numberMember(content, 'mod'), numberMember(content, 'seed'), member(content, 'expr')];
    if (modulus === undefined) return undefined;
    const of = from === undefined ? {} : { of: expressionOfJson(from) };
    const offset = numberMember(content, 'offset') ?? 0;
    return { type: 'hash', algorithm, ...of, modulus, offset, ...(seed === undefined ? {} : { seed }) };
  };

const map: Reader = (content) => {
  const reference = setOfExpression(member(content, 'data'));
  return reference && { type: 'map', key: expressionOfJson(member(content, 'key')), map: reference };
};

const rawBases = new Map(Object.entries({ link: 'll', network: 'nh', transport: 'th', inner: 'ih' }));

/** `@th,16,16`: so many bits of a header. */
function rawPayload(content: unknown): Expression | undefined {
  const base = rawBases.get(textMember(content, 'base') ?? '');
  const [offset, length] = [numberMember(content, 'offset'), numberMember(content, 'len')];
  return base === undefined || offset === undefined || length === undefined ? undefined : field(`@${base},${offset},${length}`);
}

const readers = new Map<string, Reader>(
  Object.entries({
    payload: (content) => {
      const [protocol, name] = [textMember(content, 'protocol'), textMember(content, 'field')];
      return protocol === undefined || name === undefined ? rawPayload(content) : field(protocol, name);
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
    // A field stands behind the name of its header (`frag more-fragments`), the header alone behind `exthdr`.
    exthdr: (content) => {
      const [name, fieldName] = [textMember(content, 'name'), textMember(content, 'field')];
      return fieldName === undefined ? field('exthdr', name) : field(name, fieldName);
    },
    'sctp chunk': (content) => field('sctp chunk', textMember(content, 'name'), textMember(content, 'field')),
    'dccp option': (content) => field('dccp option', String(member(content, 'type'))),
    ipsec: (content) => {
      const number = numberMember(content, 'spnum') ?? 0;
      const spnum = number === 0 ? undefined : `spnum ${number}`;
      return field('ipsec', textMember(content, 'dir'), spnum, textMember(content, 'family'), textMember(content, 'key'));
    },
    'tcp option': (content) => field('tcp option', textMember(content, 'name'), textMember(content, 'field')),
    'ip option': (content) => field('ip option', textMember(content, 'name'), textMember(content, 'field')),
    '&': binary('&'),
    '|': binary('|'),
    '^': binary('^'),
    '<<': binary('<<'),
    '>>': binary('>>'),
  }),
);
