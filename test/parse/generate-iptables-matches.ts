import fc from 'fast-check';
import type { Match, ModuleOption } from '../../src/model/netfilter.ts';
import {
  addressMaskOf,
  addressOf,
  anyOption,
  device,
  type Family,
  negated,
  oneLine,
  option,
  range,
  uint32,
  word,
} from './generate-iptables-words.ts';

/** Every match of iptables that the parser knows, each with and without negation. */

export const genericMatches = (family: Family): fc.Arbitrary<Match[]> =>
  fc
    .tuple(
      fc.option(fc.tuple(addressMaskOf(family), negated), { nil: undefined }),
      fc.option(fc.tuple(addressMaskOf(family), negated), { nil: undefined }),
      fc.option(fc.tuple(device, negated), { nil: undefined }),
      fc.option(fc.tuple(device, negated), { nil: undefined }),
      fc.option(fc.tuple(fc.constantFrom('tcp', 'udp', 'sctp', 'dccp', 'icmp', 'icmpv6', 'esp', 'gre', 'ipencap', '200'), negated), {
        nil: undefined,
      }),
      fc.option(negated, { nil: undefined }),
    )
    .map(([source, destination, comesIn, goesOut, protocol, fragment]) => [
      ...(source
        ? [{ role: 'match' as const, kind: 'address' as const, end: 'source' as const, negated: source[1], addresses: [source[0]] }]
        : []),
      ...(destination
        ? [
            {
              role: 'match' as const,
              kind: 'address' as const,
              end: 'destination' as const,
              negated: destination[1],
              addresses: [destination[0]],
            },
          ]
        : []),
      ...(comesIn
        ? [{ role: 'match' as const, kind: 'interface' as const, direction: 'in' as const, negated: comesIn[1], name: comesIn[0] }]
        : []),
      ...(goesOut
        ? [{ role: 'match' as const, kind: 'interface' as const, direction: 'out' as const, negated: goesOut[1], name: goesOut[0] }]
        : []),
      ...(protocol ? [{ role: 'match' as const, kind: 'protocol' as const, negated: protocol[1], protocol: protocol[0] }] : []),
      ...(fragment === undefined || family === 'ip6' ? [] : [{ role: 'match' as const, kind: 'fragment' as const, negated: fragment }]),
    ]);

/** The matches of one `-m`. */
type Group = fc.Arbitrary<Match[]>;
const one = (match: fc.Arbitrary<Match>): Group => match.map((found) => [found]);
const several = (...matches: fc.Arbitrary<Match>[]): Group =>
  fc
    .subarray(matches, { minLength: 1 })
    .chain((chosen) => fc.tuple(...chosen))
    .map((found) => found.map((match, index) => (index === 0 ? match : { ...match, joined: true as const })));
const of = <T extends object>(record: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T & { role: 'match' }> =>
  fc.record(record).map((value) => ({ role: 'match' as const, ...value }) as T & { role: 'match' });

const portsOf = (module: string, end: 'source' | 'destination'): fc.Arbitrary<Match> =>
  of({
    kind: fc.constant('ports' as const),
    module: fc.constant(module),
    end: fc.constant(end),
    negated,
    ranges: range(65535).map((only) => [only]),
  });

const flagList = fc.subarray(['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG']);
const tcpFlags: fc.Arbitrary<Match> = of({ kind: fc.constant('tcpFlags' as const), negated, mask: flagList, set: flagList });

const icmpType = (family: Family): fc.Arbitrary<Match> =>
  fc
    .tuple(negated, fc.option(fc.nat(254), { nil: undefined }), fc.option(range(255), { nil: undefined }))
    .map(([isNegated, type, codes]) => ({
      role: 'match',
      kind: 'icmpType',
      module: family === 'ip6' ? 'icmp6' : 'icmp',
      negated: isNegated,
      ...(type === undefined ? {} : { icmpType: type }),
      ...(type === undefined || codes === undefined ? {} : { codes }),
    }));

const states = fc.subarray(['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT'], { minLength: 1 });
const tupleEnds = (['original', 'reply'] as const).flatMap((tuple) => (['source', 'destination'] as const).map((end) => ({ tuple, end })));

const conntrack = (family: Family): Group =>
  several(
    of({ kind: fc.constant('conntrackState' as const), module: fc.constant('conntrack' as const), negated, states }),
    of({
      kind: fc.constant('conntrackStatus' as const),
      negated,
      statuses: fc.subarray(['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'], { minLength: 1 }),
    }),
    of({ kind: fc.constant('conntrackProtocol' as const), negated, protocol: fc.constantFrom('tcp', 'udp', 'gre', '99') }),
    of({ kind: fc.constant('conntrackDirection' as const), direction: fc.constantFrom('original' as const, 'reply' as const) }),
    ...tupleEnds.map(({ tuple, end }) =>
      of({
        kind: fc.constant('conntrackAddress' as const),
        negated,
        tuple: fc.constant(tuple),
        end: fc.constant(end),
        addresses: addressMaskOf(family).map((only) => [only]),
      }),
    ),
    ...tupleEnds.map(({ tuple, end }) =>
      of({ kind: fc.constant('conntrackPort' as const), negated, tuple: fc.constant(tuple), end: fc.constant(end), ports: range(65535) }),
    ),
    fc.nat(100_000).map((seconds) => module('conntrack', [option('ctexpire', false, `${seconds}`)])),
  );

const module = (name: string, options: ModuleOption[]): Match => ({ role: 'match', kind: 'module', module: name, options, text: '' });

const statistic: fc.Arbitrary<Match> = fc.oneof(
  of({
    kind: fc.constant('statistic' as const),
    mode: fc.constant('random' as const),
    negated,
    // The eleven decimals that iptables-save prints.
    probability: fc.nat(100_000_000).chain((high) => fc.nat(999).map((low) => Math.min(1, (high * 1000 + low) / 1e11))),
  }),
  of({
    kind: fc.constant('statistic' as const),
    mode: fc.constant('nth' as const),
    negated,
    every: fc.integer({ min: 1, max: 1000 }),
    packet: fc.nat(1000),
  }),
);

const recent: fc.Arbitrary<Match> = fc
  .tuple(
    fc.constantFrom('set' as const, 'rcheck' as const, 'update' as const, 'remove' as const),
    negated,
    word,
    fc.nat(100_000),
    fc.nat(255),
  )
  .map(([action, isNegated, name, seconds, hits]) => ({
    role: 'match',
    kind: 'recent',
    negated: isNegated,
    action,
    name,
    options: [
      option('seconds', false, `${seconds}`),
      option('hitcount', false, `${hits}`),
      option('reap'),
      option('name', false, name),
      option('rsource'),
    ],
  }));

const ipset: fc.Arbitrary<Match> = of({
  kind: fc.constant('ipset' as const),
  negated,
  set: word,
  directions: fc.array(fc.constantFrom('src' as const, 'dst' as const), { minLength: 1, maxLength: 3 }),
  options: fc.subarray([option('return-nomatch'), option('update-counters', true), option('packets-gt', false, '5')]),
});

const addressTypes = fc.subarray(['UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE'], { minLength: 1 });
const addressType: Group = fc
  .tuple(
    fc.subarray(['source', 'destination'] as const, { minLength: 1 }),
    fc.array(fc.tuple(negated, addressTypes), { minLength: 2, maxLength: 2 }),
    fc.constantFrom('in' as const, 'out' as const, undefined),
  )
  .map(([ends, types, limit]) =>
    ends.map(
      (end, index): Match => ({
        role: 'match',
        kind: 'addressType',
        end,
        negated: types[index]?.[0] ?? false,
        types: types[index]?.[1] ?? [],
        ...(limit === undefined ? {} : { limitInterface: limit }),
        ...(index === 0 ? {} : { joined: true }),
      }),
    ),
  );

const knownModules = fc.constantFrom(
  module('limit', [option('limit', false, '5/min'), option('limit-burst', false, '10')]),
  module('hashlimit', [
    option('hashlimit-above', false, '10/sec'),
    option('hashlimit-mode', false, 'srcip,dstport'),
    option('hashlimit-name', false, '-x y'),
  ]),
  module('owner', [option('uid-owner', true, '0-99'), option('socket-exists', true)]),
  module('length', [option('length', true, '100:1500')]),
  module('u32', [option('u32', true, '0x0>>0x16&0x3c@0x0>>0x10=0x1f90,0x50:0x51')]),
  module('bpf', [option('bytecode', false, '4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0')]),
  module('string', [option('string', true, 'a "quoted" \\ text'), option('algo', false, 'bm'), option('icase')]),
  module('time', [option('timestart', false, '08:00:00'), option('weekdays', true, 'Mon,Tue')]),
  module('ipvs', [option('ipvs'), option('vport', true, '80')]),
  module('rpfilter', [option('loose'), option('invert')]),
  module('mac', [option('mac-source', true, '02:00:00:00:00:01')]),
  module('dscp', [option('dscp', true, '0x2e')]),
  module('tcpmss', [option('mss', true, '1400:1500')]),
  module('socket', [option('transparent'), option('restore-skmark')]),
  module('nfacct', [option('nfacct-name', false, 'ct_state_invalid_dropped_pkts')]),
  module('tcp', []),
);

export const groups = (family: Family): Group =>
  fc.oneof(
    several(
      portsOf('tcp', 'source'),
      portsOf('tcp', 'destination'),
      tcpFlags,
      fc.constant(module('tcp', [option('tcp-option', true, '5')])),
    ),
    several(portsOf('udp', 'source'), portsOf('udp', 'destination')),
    several(portsOf('sctp', 'destination'), fc.constant(module('sctp', [option('chunk-types', true, 'any', 'DATA,INIT')]))),
    one(
      of({
        kind: fc.constant('ports' as const),
        module: fc.constant('multiport'),
        end: fc.constantFrom('source' as const, 'destination' as const, 'either' as const),
        negated,
        ranges: fc.array(range(65535), { minLength: 1, maxLength: 5 }),
      }),
    ),
    one(icmpType(family)),
    conntrack(family),
    one(of({ kind: fc.constant('conntrackState' as const), module: fc.constant('state' as const), negated, states })),
    one(
      of({
        kind: fc.constant('mark' as const),
        of: fc.constantFrom('packet' as const, 'connection' as const),
        negated,
        value: uint32,
        mask: uint32,
      }),
    ),
    one(oneLine.map((text): Match => ({ role: 'match', kind: 'comment', text }))),
    one(statistic),
    one(recent),
    one(ipset),
    addressType,
    several(
      ...(['source', 'destination'] as const).map((end) =>
        of({ kind: fc.constant('addressRange' as const), end: fc.constant(end), negated, from: addressOf(family), to: addressOf(family) }),
      ),
    ),
    one(
      fc
        .subarray([option('physdev-in', true, 'veth+'), option('physdev-out', false, 'eth0'), option('physdev-is-bridged', true)], {
          minLength: 1,
        })
        .map((options): Match => ({ role: 'match', kind: 'physdev', options })),
    ),
    one(knownModules),
    one(
      fc.tuple(fc.stringMatching(/^x[a-z]{3,8}$/), fc.array(anyOption, { maxLength: 3 })).map(([name, options]) => module(name, options)),
    ),
  );
