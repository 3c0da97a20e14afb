import { describe, expect, it } from 'vitest';
import { findChain, findTable } from '../../src/model/netfilter.ts';
import { parseIptablesList, parseIptablesRules } from '../../src/parse/iptables-list.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { opaqueTexts, sample } from './netfilter-samples.ts';
import { holdsForAnyText } from './properties.ts';

describe('parseIptablesList', () => {
  holdsForAnyText(
    parseIptablesList,
    ['020', '025', '040'].map((number) => sample(number).text),
  );

  it('reads columns, whether the target is missing or a name pushes them', () => {
    const { value, unparsed } = parseIptablesList(sample('020').text);
    const rules = findChain(findTable(value, 'filter') ?? expect.fail(), 'MK-BASIC')?.rules ?? [];
    const truth = sample('020').truth.rules as { target?: string }[];
    expect([unparsed, rules.length]).toEqual([[], truth.length]);
    expect(rules[1]?.statements).toMatchObject([
      { kind: 'address', end: 'source', negated: true, addresses: [{ text: '10.2.3.4' }] },
      { kind: 'drop' },
    ]);
    expect(rules[6]?.statements).toMatchObject([
      { kind: 'protocol', protocol: 'udp' },
      { kind: 'interface', direction: 'in', name: 'veth1234567890a' },
    ]);
  });

  it('reads translations and what it does not know as opaque', () => {
    const { value } = parseIptablesList(sample('040').text, { table: 'nat', whole: true });
    const rules = findChain(findTable(value, 'nat') ?? expect.fail(), 'PREROUTING')?.rules ?? [];
    expect(rules[0]?.statements).toMatchObject([
      { kind: 'protocol', protocol: 'tcp' },
      { kind: 'ports', ranges: [{ first: 80, last: 80 }] },
      { kind: 'dnat', to: { addresses: [{ from: '10.0.0.5', to: '10.0.0.5' }] } },
    ]);
    expect(opaqueTexts(value)).toContain('to:10.0.0.6:2000-2999/1000');
  });

  it('says without -v that the interfaces are not shown, in every rule', () => {
    const { value } = parseIptablesList(sample('025').text);
    const rules = findChain(findTable(value, 'filter') ?? expect.fail(), 'MK-PORTS')?.rules ?? [];
    expect(rules.map((rule) => rule.handle)).toEqual(rules.map((_, index) => index + 1));
    expect(
      rules.every((rule) => rule.statements.some((statement) => statement.kind === 'opaque' && statement.text === '(interfaces)')),
    ).toBe(true);
  });

  it('is complete only where the caller knows that the text is whole', () => {
    const { text } = sample('040');
    expect([parseIptablesList(text, { table: 'nat' }).complete, parseIptablesList(text, { table: 'nat', whole: true }).complete]).toEqual([
      false,
      true,
    ]);
  });
});

describe('parseIptablesRules', () => {
  it('reads -S like iptables-save', () => {
    const saved = findTable(parseIptablesSave(sample('061').text).value, 'filter') ?? expect.fail();
    const bases = saved.chains
      .filter((chain) => chain.base !== undefined)
      .map((chain) => `-P ${chain.name} ${chain.base?.policy.toUpperCase()}`);
    const users = saved.chains.filter((chain) => chain.base === undefined).map((chain) => `-N ${chain.name}`);
    const rules = saved.chains.flatMap((chain) => chain.rules.map((rule) => rule.text));
    const { value, complete } = parseIptablesRules([...bases, ...users, ...rules, ''].join('\n'), { whole: true });
    const statements = (table: typeof saved): unknown =>
      table.chains.map((chain) => [chain.name, chain.base, chain.rules.map((rule) => rule.statements)]);
    expect(complete).toBe(true);
    expect(statements(value.tables[0] ?? expect.fail())).toEqual(statements(saved));
  });

  it('sees that the rules are in the other backend', () => {
    const { value } = parseIptablesRules(sample('012').text, { table: 'nat' });
    expect(value.warnings).toMatchObject([{ kind: 'legacy-tables-present', line: 1 }]);
    expect(value.tables[0]?.chains.map((chain) => chain.base?.policy)).toEqual(['accept', 'accept', 'accept', 'accept']);
  });
});
