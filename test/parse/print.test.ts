import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NetfilterRuleset } from '../../src/model/netfilter.ts';
import { printIptablesSave } from '../../src/parse/iptables/print.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { printNft } from '../../src/parse/nft/print.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { iptablesRulesets } from './generate-iptables.ts';
import { nftRulesets } from './generate-nft.ts';

describe('printIptablesSave', () => {
  it('writes rules of every match and target so that they are read as they were', () => {
    fc.assert(
      fc.property(iptablesRulesets, (ruleset) => {
        const printed = printIptablesSave(ruleset, { counters: true });
        const { value, unparsed, complete } = parseIptablesSave(printed, { family: ruleset.family === 'ip6' ? 'ip6' : 'ip' });
        expect([complete, unparsed]).toEqual([true, []]);
        expect(meaning(value)).toEqual(meaning(ruleset));
      }),
      { numRuns: 500 },
    );
  });
});

describe('printNft', () => {
  it('writes rulesets of every kind of statement so that they are read as they were', () => {
    fc.assert(
      fc.property(nftRulesets, (ruleset) => {
        const { value, unparsed, complete } = parseNftText(printNft(ruleset));
        expect([complete, unparsed]).toEqual([true, []]);
        expect(meaning(value)).toEqual(meaning(ruleset));
      }),
      { numRuns: 500 },
    );
  });
});

/** Tables without what is about their text: lines, handles, and words beside what they say. */
const meaning = ({ tables }: NetfilterRuleset): unknown => withoutText(tables);

function withoutText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutText);
  if (typeof value !== 'object' || value === null) return value;
  const says = ('kind' in value && (value.kind === 'comment' || value.kind === 'queue')) || ('type' in value && value.type === 'literal');
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (key === 'line' || (key === 'text' && !says) ? [] : [[key, withoutText(inner)]])),
  );
}
