import fc from 'fast-check';
import type { AddressMask, ModuleOption } from '../../src/model/netfilter.ts';
import { addressText, prefixMask } from '../../src/model/netfilter-address.ts';

/** What rules of iptables are made of: words, numbers, addresses and options. */

export type Family = 'ip' | 'ip6';
export const negated = fc.boolean();
export const port = fc.nat(65535);
export const uint32 = fc.nat(0xffffffff);
/** What can stand in one line: no control characters, which also begin colours. */
export const oneLine = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/\p{Cc}/u.test(text));
export const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,12}$/);
export const chainName = fc.constantFrom('KUBE-SERVICES', 'KUBE-MARK-MASQ', 'USER');
export const device = fc.stringMatching(/^[a-z][a-z0-9.]{0,8}\+?$/);
export const range = (highest: number) =>
  fc.tuple(fc.nat(highest), fc.nat(highest)).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
export const option = (name: string, isNegated = false, ...values: string[]): ModuleOption => ({ name, negated: isNegated, values });

export const addressOf = (family: Family): fc.Arbitrary<string> =>
  fc.bigInt({ min: 0n, max: family === 'ip' ? 0xffffffffn : (1n << 128n) - 1n }).map((value) => addressText({ family, value }));

/** A prefix mostly, sometimes any mask. */
export const addressMaskOf = (family: Family): fc.Arbitrary<AddressMask> => {
  const bits = family === 'ip' ? 32 : 128;
  const all = (1n << BigInt(bits)) - 1n;
  const mask = fc.oneof(
    { weight: 4, arbitrary: fc.nat(bits).map((length) => prefixMask(length, family)) },
    fc.bigInt({ min: 0n, max: all }),
  );
  return fc
    .tuple(fc.bigInt({ min: 0n, max: all }), mask)
    .map(([value, chosen]) => ({ family, text: '', value: value & chosen, mask: chosen }));
};

/** Options with values as extensions of all kinds have them: one word, or text that needs quotes. */
export const anyOption = fc
  .tuple(
    fc.stringMatching(/^x[a-z0-9-]{1,10}$/),
    negated,
    fc.array(
      fc.oneof(
        word,
        oneLine.filter((text) => text !== ''),
      ),
      { maxLength: 2 },
    ),
  )
  .map(([name, isNegated, values]) => option(name, isNegated, ...values));
