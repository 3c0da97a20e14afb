import fc from 'fast-check';
import type { Chain, NamedSet, NetfilterRuleset, Rule } from '../../src/model/netfilter.ts';
import { actions, anyField, compares, elements, kept, name, number, verdicts } from './generate-nft-statements.ts';

/** Rulesets of nft as the parser has them: rules, and sets and maps with what belongs to them. */

/** What can stand in quotes: nft has no way to write a quote inside. */
const quotable = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\p{Cc}"\\]/u.test(text));

const counters = fc.record({ packets: fc.nat(), bytes: fc.maxSafeNat() });

const rules: fc.Arbitrary<Rule> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 5, arbitrary: compares }, kept), { maxLength: 3 }),
    fc.option(actions, { nil: undefined }),
    fc.option(fc.tuple(counters, fc.nat(3)), { nil: undefined }),
    fc.option(quotable, { nil: undefined }),
  )
  .map(([matches, end, counter, comment]) => {
    const statements = [...matches, ...(end === undefined ? [] : [end])];
    const counted = counter === undefined ? {} : { counters: counter[0], counterAt: Math.min(counter[1], statements.length) };
    return { line: 0, text: '', ...counted, ...(comment === undefined ? {} : { comment }), statements };
  })
  // nft takes no rule that does nothing, not even with a comment.
  .filter(({ statements, counters: counted }) => statements.length > 0 || counted !== undefined);

const sets: fc.Arbitrary<NamedSet> = fc
  .tuple(
    name,
    fc.array(anyField, { minLength: 1, maxLength: 2 }),
    fc.constantFrom('set' as const, 'verdicts' as const, 'marks' as const),
    fc.option(quotable, { nil: undefined }),
  )
  .chain(([of, keys, kind, comment]) => {
    const data = kind === 'verdicts' ? verdicts : kind === 'marks' ? fc.tuple(number(0xffffffff)) : undefined;
    return fc
      .tuple(
        elements(
          3,
          keys.map(({ values }) => values),
          data,
        ),
        fc.record(
          {
            timeout: fc.nat(100_000),
            gcInterval: fc.nat(100_000),
            size: fc.nat(65535),
            autoMerge: fc.constant(true),
            policy: fc.constantFrom('memory' as const, 'performance' as const),
            statements: fc.constant<string[]>(['counter']),
          },
          { requiredKeys: [] },
        ),
        fc.subarray(['interval', 'timeout', 'dynamic']),
        fc.record({ timeout: fc.nat(100_000), comment: quotable, counters }, { requiredKeys: [] }),
      )
      .map(
        ([found, settings, said, attributes]): NamedSet => ({
          name: of,
          kind: kind === 'set' ? 'set' : 'map',
          keyType: keys.map(({ type }) => type),
          dataType: kind === 'set' ? [] : [kind === 'verdicts' ? 'verdict' : 'mark'],
          flags: said,
          ...settings,
          ...(comment === undefined ? {} : { comment }),
          elements: found.map((element, index) => (index === 0 ? { ...element, ...attributes } : element)),
          elementsKnown: true,
          line: 0,
        }),
      );
  });

const chains: fc.Arbitrary<Chain> = fc
  .tuple(
    name,
    fc.option(fc.integer({ min: -400, max: 400 }), { nil: undefined }),
    fc.constantFrom('accept' as const, 'drop' as const),
    fc.option(quotable, { nil: undefined }),
    fc.array(rules, { maxLength: 4 }),
  )
  .map(([of, priority, policy, comment, found]) => ({
    name: of,
    ...(priority === undefined ? {} : { base: { type: 'filter' as const, hook: 'forward' as const, priority, policy, devices: [] } }),
    ...(comment === undefined ? {} : { comment }),
    line: 0,
    rules: found,
  }));

export const nftRulesets: fc.Arbitrary<NetfilterRuleset> = fc
  .tuple(
    fc.option(quotable, { nil: undefined }),
    fc.boolean(),
    fc.array(sets, { maxLength: 3 }),
    fc.array(chains, { minLength: 1, maxLength: 3 }),
  )
  .map(([comment, dormant, ownSets, ownChains]) => ({
    source: 'nft' as const,
    family: 'mixed' as const,
    tables: [
      {
        family: 'inet' as const,
        name: 'zoo',
        lossy: false,
        dormant,
        closed: true,
        ...(comment === undefined ? {} : { comment }),
        line: 0,
        chains: ownChains,
        sets: ownSets,
        flowtables: [{ name: 'ft', hook: 'ingress' as const, priority: 0, devices: ['eth0', 'eth1'], flags: ['counter'], line: 0 }],
        objects: [{ type: 'counter', name: 'web', comment: 'a counter', line: 0, text: 'packets 3 bytes 30' }],
      },
    ],
    warnings: [],
    otherLines: [],
  }));
