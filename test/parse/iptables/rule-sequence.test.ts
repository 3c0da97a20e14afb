import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Chain, Rule } from '../../../src/model/netfilter.ts';
import { ruleSequences } from '../../../src/parse/iptables/rule-sequence.ts';

const rule = (line: number): Rule => ({ line, text: '', statements: [] });

it('puts rules where an array would have them', () => {
  const additions = fc.array(fc.option(fc.nat({ max: 4000 }), { nil: undefined, freq: 3 }), { minLength: 1, maxLength: 5000, size: 'max' });
  fc.assert(
    fc.property(additions, fc.nat({ max: 3000 }), (positions, already) => {
      const expected = Array.from({ length: already }, (_, index) => rule(-1 - index));
      const chain: Chain = { name: 'INPUT', line: 1, rules: [...expected] };
      const sequences = ruleSequences();
      for (const [index, position] of positions.entries()) {
        const added = rule(index + 1);
        sequences.add(chain, added, position);
        expected.splice(position === undefined ? expected.length : Math.max(0, position - 1), 0, added);
      }
      sequences.finish();
      expect(chain.rules.map(({ line }) => line)).toEqual(expected.map(({ line }) => line));
    }),
    { numRuns: 50 },
  );
});

it('leaves a chain alone that only rules at its end were added to', () => {
  const rules: Rule[] = [];
  const chain: Chain = { name: 'INPUT', line: 1, rules };
  const sequences = ruleSequences();
  sequences.add(chain, rule(1));
  sequences.finish();
  expect(chain.rules).toBe(rules);
  expect(rules).toHaveLength(1);
});
