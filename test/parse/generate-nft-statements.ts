import fc from 'fast-check';
import type { Action, CompareOperator, Expression, SetElement, SetReference, Statement, Value } from '../../src/model/netfilter.ts';
import { addressText } from '../../src/model/netfilter-address.ts';

/** Expressions and statements of nft as the parser has them, of every kind that has a type. */

const literal = (text: string): Value => ({ type: 'literal', text });
const constant = (value: Value): Expression => ({ type: 'value', value });
const field = (name: string): Expression => ({ type: 'field', name });
export const number = (highest: number) => fc.nat(highest).map((value) => literal(String(value)));
const between = (highest: number) =>
  fc
    .tuple(fc.nat(highest), fc.nat(highest))
    .map(([a, b]): Value => ({ type: 'range', from: String(Math.min(a, b)), to: String(Math.max(a, b)) }));
const ip4 = fc.nat(0xffffffff).map((value) => addressText({ family: 'ip', value: BigInt(value) }));
const ip6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => addressText({ family: 'ip6', value }));
const addresses = (address: fc.Arbitrary<string>, bits: number): fc.Arbitrary<Value> =>
  fc.oneof(
    address.map(literal),
    fc.tuple(address, fc.nat(bits)).map(([of, length]): Value => ({ type: 'prefix', address: of, length })),
    fc.tuple(address, address).map(([from, to]): Value => ({ type: 'range', from, to })),
  );

/** Fields with the constants that they are compared with, and the type of a set of them. */
const fields: { name: string; type: string; values: fc.Arbitrary<Value> }[] = [
  { name: 'ip saddr', type: 'ipv4_addr', values: addresses(ip4, 32) },
  { name: 'ip6 daddr', type: 'ipv6_addr', values: addresses(ip6, 128) },
  { name: 'tcp dport', type: 'inet_service', values: fc.oneof(number(65535), between(65535)) },
  { name: 'th sport', type: 'inet_service', values: number(65535) },
  {
    name: 'meta iifname',
    type: 'ifname',
    values: fc.oneof(fc.constantFrom('eth0', 'cali*', 'ip', "it's", '0x10', '10.0.0.1').map(literal)),
  },
  { name: 'meta l4proto', type: 'inet_proto', values: fc.constantFrom('tcp', 'udp', 'icmpv6').map(literal) },
  { name: 'meta mark', type: 'mark', values: fc.oneof(number(0xffffffff), between(0xffffffff)) },
  { name: 'ether saddr', type: 'ether_addr', values: fc.constantFrom('02:00:00:00:00:01', 'aa:bb:cc:dd:ee:ff').map(literal) },
  { name: 'icmp type', type: 'icmp_type', values: fc.constantFrom('echo-request', 'destination-unreachable', '42').map(literal) },
];
export const anyField = fc.constantFrom(...fields);

export const elements = (count: number, values: fc.Arbitrary<Value>[], data?: fc.Arbitrary<Value[] | Action>): fc.Arbitrary<SetElement[]> =>
  fc
    .array(fc.tuple(fc.tuple(...values), data ?? fc.constant(undefined)), { minLength: 1, maxLength: count })
    .map((list) => list.map(([key, found]) => ({ line: 0, key, ...(found === undefined ? {} : { data: found }) })));

export const name = fc.stringMatching(/^[a-z][a-z0-9_/-]{0,12}$/).filter((text) => !text.endsWith('/') && !text.endsWith('-'));
const setOf = (values: fc.Arbitrary<Value>[], data?: fc.Arbitrary<Value[] | Action>): fc.Arbitrary<SetReference> =>
  fc.oneof(
    name.map((found): SetReference => ({ type: 'named', name: found })),
    elements(4, values, data).map((found): SetReference => ({ type: 'anonymous', elements: found })),
  );

const comparison = (left: Expression, operator: CompareOperator, right: Expression): Statement => ({
  role: 'match',
  kind: 'compare',
  left,
  operator,
  right,
  text: '',
});
const equality = fc.constantFrom('==' as const, '!=' as const);
const flags = fc.subarray(['established', 'related', 'new', 'untracked'], { minLength: 2 });
const list = (parts: string[]): Expression => ({ type: 'list', parts: parts.map((part) => constant(literal(part))) });

export const compares: fc.Arbitrary<Statement> = fc.oneof(
  anyField.chain(({ name: of, values }) =>
    fc.tuple(equality, values).map(([operator, value]) => comparison(field(of), operator, constant(value))),
  ),
  anyField.chain(({ name: of, values }) =>
    fc.tuple(equality, setOf([values])).map(([operator, set]) => comparison(field(of), operator, { type: 'set', set })),
  ),
  fc
    .tuple(anyField, anyField)
    .chain(([a, b]) =>
      setOf([a.values, b.values]).map((set) =>
        comparison({ type: 'concat', parts: [field(a.name), field(b.name)] }, '==', { type: 'set', set }),
      ),
    ),
  fc
    .tuple(fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const), fc.nat(255))
    .map(([operator, value]) => comparison(field('ip ttl'), operator, constant(literal(String(value))))),
  fc
    .tuple(fc.constantFrom('in' as const, '==' as const, '!=' as const), flags)
    .map(([operator, parts]) => comparison(field('ct state'), operator, list(parts))),
  fc
    .tuple(equality, fc.nat(0xffffffff), fc.nat(0xffffffff))
    .map(([operator, mask, value]) =>
      comparison(
        { type: 'binary', operator: '&', left: field('meta mark'), right: constant(literal(String(mask))) },
        operator,
        constant(literal(String(value))),
      ),
    ),
  fc
    .tuple(
      equality,
      fc.subarray(['fin', 'syn', 'rst', 'ack'], { minLength: 2 }),
      fc.subarray(['fin', 'syn', 'rst', 'ack'], { minLength: 1 }),
    )
    .map(([operator, mask, set]) =>
      comparison(
        { type: 'binary', operator: '&', left: field('tcp flags'), right: list(mask) },
        operator,
        set.length === 1 ? constant(literal(set[0] ?? '')) : list(set),
      ),
    ),
  fc.constantFrom('local', 'unicast').map((type) => comparison(field('fib daddr . iif type'), '==', constant(literal(type)))),
);

export const verdicts: fc.Arbitrary<Action> = fc.oneof(
  fc
    .constantFrom('accept' as const, 'drop' as const, 'return' as const, 'continue' as const)
    .map((kind): Action => ({ role: 'action', kind })),
  fc.tuple(fc.constantFrom('jump' as const, 'goto' as const), name).map(([kind, chain]): Action => ({ role: 'action', kind, chain })),
);

const generators: fc.Arbitrary<Expression> = fc.oneof(
  fc
    .tuple(fc.constantFrom('random' as const, 'inc' as const), fc.integer({ min: 1, max: 1000 }), fc.nat(100))
    .map(([mode, modulus, offset]): Expression => ({ type: 'numgen', mode, modulus, offset })),
  fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(100), fc.nat(0xffffffff)).map(
    ([modulus, offset, seed]): Expression => ({
      type: 'hash',
      algorithm: 'jhash',
      of: { type: 'concat', parts: [field('ip saddr'), field('tcp sport')] },
      modulus,
      offset,
      seed,
    }),
  ),
  fc.integer({ min: 1, max: 1000 }).map((modulus): Expression => ({ type: 'hash', algorithm: 'symhash', modulus, offset: 0 })),
);

const mapTo = (data: fc.Arbitrary<Value[]>): fc.Arbitrary<Expression> =>
  fc.tuple(generators, setOf([number(9)], data)).map(([key, map]): Expression => ({ type: 'map', key, map }));

const port = fc.nat(65535);
const ports = fc.tuple(port, port).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const natFlags = fc.subarray(['random', 'fully-random', 'persistent']);
const markParts: fc.Arbitrary<Expression> = fc
  .tuple(fc.constantFrom('&' as const, '|' as const, '^' as const), fc.nat(0xffffffff))
  .map(
    ([operator, value]): Expression => ({ type: 'binary', operator, left: field('meta mark'), right: constant(literal(String(value))) }),
  );

export const actions: fc.Arbitrary<Statement> = fc.oneof(
  verdicts,
  fc
    .constantFrom('icmpx-port-unreachable', 'icmp-host-unreachable', 'icmp6-no-route', 'tcp-reset')
    .map((type): Action => ({ role: 'action', kind: 'reject', with: type })),
  fc
    .tuple(
      fc.constantFrom('dnat' as const, 'snat' as const),
      fc.constantFrom('ip' as const, 'ip6' as const),
      ip4,
      ip4,
      ip6,
      fc.option(ports, { nil: undefined }),
      natFlags,
    )
    .map(
      ([kind, family, from, to, from6, chosen, said]): Action => ({
        role: 'action',
        kind,
        to: {
          type: 'fixed',
          addresses: [family === 'ip' ? { from, to } : { from: from6, to: from6 }],
          ...(chosen ? { ports: chosen } : {}),
        },
        flags: said,
        family,
      }),
    ),
  mapTo(fc.tuple(ip4.map(literal), number(65535))).map(
    (address): Action => ({ role: 'action', kind: 'dnat', to: { type: 'expression', address, text: '' }, flags: [], family: 'ip' }),
  ),
  fc
    .tuple(fc.constantFrom('masquerade' as const, 'redirect' as const), fc.option(ports, { nil: undefined }), natFlags)
    .map(([kind, chosen, said]): Action => ({ role: 'action', kind, ...(chosen ? { ports: chosen } : {}), flags: said })),
  mapTo(fc.tuple(number(65535))).map((expression): Action => ({ role: 'action', kind: 'redirect', expression, flags: [] })),
  anyField.chain(({ name: of, values }) =>
    setOf([values], verdicts).map((map): Action => ({ role: 'action', kind: 'verdictMap', key: field(of), map, text: '' })),
  ),
  fc
    .tuple(
      fc.constantFrom('meta mark', 'ct mark'),
      fc.oneof(markParts, generators, number(0xffffffff).map(constant), mapTo(fc.tuple(number(0xffffffff)))),
    )
    .map(([target, value]): Action => ({ role: 'action', kind: 'assign', target, value, text: '' })),
  fc.constant<Action>({ role: 'action', kind: 'notrack' }),
);

/** Statements that are kept as their words, with what is read of them. */
export const kept: fc.Arbitrary<Statement> = fc.constantFrom<Statement>(
  { role: 'match', kind: 'module', module: 'limit', options: [], text: 'limit rate over 5/second burst 9 packets' },
  { role: 'match', kind: 'module', module: 'quota', options: [], text: 'quota over 10 mbytes' },
  { role: 'match', kind: 'module', module: 'connlimit', options: [], text: 'ct count over 20' },
  { role: 'action', kind: 'fallThrough', name: 'counter', options: [], text: 'counter name "web"' },
  { role: 'action', kind: 'fallThrough', name: 'ct helper', options: [], text: 'ct helper set "ftp"' },
  { role: 'action', kind: 'fallThrough', name: 'flow', options: [], text: 'flow add @ft' },
);
