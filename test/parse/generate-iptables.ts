import fc from 'fast-check';
import type { Action, NatTarget, NetfilterRuleset, Rule, Statement } from '../../src/model/netfilter.ts';
import { genericMatches, groups } from './generate-iptables-matches.ts';
import {
  addressMaskOf,
  addressOf,
  anyOption,
  chainName,
  type Family,
  oneLine,
  option,
  port,
  range,
  uint32,
} from './generate-iptables-words.ts';

/** Rulesets of iptables as the parser has them, with every match and target that it knows. */

const natFlags = fc.subarray(['random', 'random-fully', 'persistent']);

const natTarget = (family: Family): fc.Arbitrary<NatTarget> =>
  fc
    .tuple(
      fc.option(fc.tuple(addressOf(family), addressOf(family)), { nil: undefined }),
      fc.boolean(),
      fc.option(range(65535), { nil: undefined }),
    )
    .map(([addresses, isOne, ports]): NatTarget => {
      const [from, to] = addresses ?? [];
      const list = from === undefined || to === undefined ? [] : [{ from, to: isOne ? from : to }];
      return {
        type: 'fixed',
        addresses: list,
        ...(list.length === 0 || ports !== undefined ? { ports: ports ?? { first: 80, last: 80 } } : {}),
      };
    });

const action = <T extends Action['kind']>(kind: T, rest: object = {}): Action => ({ role: 'action', kind, ...rest }) as Action;
const withText = (text: string) => ({ text });
const passing = ['LOG', 'NFLOG', 'SET', 'TCPMSS', 'CHECKSUM', 'CLASSIFY', 'TRACE', 'DSCP', 'TOS', 'TTL', 'TEE'];

const actions = (family: Family): fc.Arbitrary<Action> =>
  fc.oneof(
    fc.constantFrom(
      action('accept'),
      action('drop'),
      action('return'),
      action('notrack', { target: 'CT' }),
      action('notrack', { target: 'NOTRACK' }),
    ),
    chainName.map((chain) => action('jump', { chain })),
    chainName.map((chain) => action('goto', { chain })),
    fc
      .constantFrom('icmp-port-unreachable', 'icmp-admin-prohibited', 'tcp-reset', 'icmp6-no-route')
      .map((type) => action('reject', { with: type })),
    fc
      .tuple(fc.constantFrom('dnat' as const, 'snat' as const), natTarget(family), natFlags)
      .map(([kind, to, flags]) => action(kind, { to, flags })),
    fc
      .tuple(fc.constantFrom('masquerade' as const, 'redirect' as const), fc.option(range(65535), { nil: undefined }), natFlags)
      .map(([kind, ports, flags]) => action(kind, { ...(ports ? { ports } : {}), flags })),
    addressMaskOf(family).map(() => action('netmap', { to: '10.0.0.0/8' })),
    fc
      .tuple(fc.constantFrom('packet', 'connection'), uint32, uint32)
      .map(([kind, value, mask]) => action('setMark', { of: kind, value, mask })),
    fc
      .tuple(fc.constantFrom('packet', 'connection'), uint32, uint32)
      .map(([from, packetMask, connectionMask]) => action('copyMark', { from, packetMask, connectionMask })),
    fc
      .tuple(port, fc.option(addressOf(family), { nil: undefined }), uint32, uint32)
      .map(([number, address, value, mask]) =>
        action('tproxy', { ends: true, port: number, ...(address === undefined ? {} : { address }), value, mask, ...withText('') }),
      ),
    fc
      .tuple(fc.constantFrom(...passing), fc.array(anyOption, { maxLength: 3 }))
      .map(([name, options]) => action('fallThrough', { name, options, ...withText('') })),
    oneLine.map((text) => action('fallThrough', { name: 'LOG', options: [option('log-prefix', false, text)], ...withText('') })),
    fc.constant(action('fallThrough', { name: 'CT', options: [option('zone', false, '5')], ...withText('') })),
    fc.nat(65535).map((number) => action('queue', withText(`-j NFQUEUE --queue-num ${number}`))),
  );

const counters = fc.option(fc.record({ packets: fc.nat(), bytes: fc.maxSafeNat() }), { nil: undefined });

const ruleOf = (family: Family): fc.Arbitrary<Rule> =>
  fc
    .tuple(genericMatches(family), fc.array(groups(family), { maxLength: 4 }), fc.option(actions(family), { nil: undefined }), counters)
    .map(([generic, found, end, counted]) => {
      const statements: Statement[] = [...generic, ...found.flat(), ...(end === undefined ? [] : [end])];
      const comments = statements.flatMap((statement) => (statement.kind === 'comment' ? [statement.text] : []));
      return {
        line: 0,
        text: '',
        ...(counted ? { counters: counted } : {}),
        ...(comments.length > 0 ? { comment: comments.join(' ') } : {}),
        statements,
      };
    });

export const iptablesRulesets: fc.Arbitrary<NetfilterRuleset> = fc.constantFrom('ip' as const, 'ip6' as const).chain((family) =>
  fc.array(ruleOf(family), { minLength: 1, maxLength: 5 }).map((rules) => ({
    source: 'iptables' as const,
    family,
    tables: [
      {
        family,
        name: 'filter',
        lossy: false,
        dormant: false,
        closed: true,
        line: 0,
        chains: [
          {
            name: 'FORWARD',
            base: { type: 'filter' as const, hook: 'forward' as const, priority: 0, policy: 'drop' as const, devices: [] },
            counters: { packets: 1, bytes: 2 },
            line: 0,
            rules,
          },
          ...['KUBE-SERVICES', 'KUBE-MARK-MASQ', 'USER'].map((name) => ({ name, line: 0, rules: [] })),
        ],
        sets: [],
        flowtables: [],
        objects: [],
      },
    ],
    warnings: [],
    otherLines: [],
  })),
);
