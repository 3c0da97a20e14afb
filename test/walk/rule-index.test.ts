import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCases } from '../../scripts/corpus/cases.ts';
import { labOf } from '../../scripts/corpus/lab.ts';
import { generateServices, iptablesSaveOf } from '../../scripts/generate-rules.ts';
import type { Chain, NetfilterRuleset } from '../../src/model/netfilter.ts';
import { newConnection, type Packet } from '../../src/model/packet.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { rulesFor } from '../../src/walk/netfilter/rule-index.ts';
import { traverseNode } from '../../src/walk/netfilter/traverse.ts';
import { initialState } from '../../src/walk/netfilter/types.ts';
import { evaluateHook } from '../../src/walk/netfilter.ts';

/** The same ruleset in chains so short that no index is made: each chain goes on in the next one, without a way back between them. */
function inShortChains(ruleset: NetfilterRuleset): NetfilterRuleset {
  const length = 8;
  const cut = (chain: Chain): Chain[] => {
    const parts = Math.max(1, Math.ceil(chain.rules.length / length));
    return Array.from({ length: parts }, (_, part) => {
      const { base, ...rest } = chain;
      const rules = chain.rules.slice(part * length, (part + 1) * length);
      const goesOn = {
        line: chain.line,
        text: '',
        statements: [{ role: 'action', kind: 'goto', chain: `${chain.name}/${part + 1}` } as const],
      };
      return {
        ...rest,
        name: part === 0 ? chain.name : `${chain.name}/${part}`,
        ...(part === 0 && base !== undefined ? { base } : {}),
        rules: part === parts - 1 ? rules : [...rules, goesOn],
      };
    });
  };
  return { ...ruleset, tables: ruleset.tables.map((table) => ({ ...table, chains: table.chains.flatMap(cut) })) };
}

/** Ends without the steps, which the cut chains have more of. */
const endsOf = (passages: ReturnType<typeof traverseNode>): string[] =>
  passages
    .map(({ end, outcome }) =>
      JSON.stringify([end, outcome.verdict, outcome.rejectWith, outcome.packet, outcome.probability.toFixed(9), outcome.why]),
    )
    .sort();

const corpora = join(import.meta.dirname, '../../../shared/corpora');

describe.skipIf(!existsSync(corpora))('an indexed walk (corpora)', () => {
  it.each(['iptables', 'nftables'] as const)(
    'ends as one through every rule does (%s)',
    (task) => {
      let walks = 0;
      for (const item of readCases(corpora, task)) {
        const rules = item.forms[0]?.read().value;
        if (rules === undefined) continue;
        const short = inShortChains(rules);
        for (const flow of item.flows) {
          const { packet, around, context } = labOf(item, flow);
          expect(endsOf(traverseNode([rules], packet, around, context)), `${item.id} ${flow.name}`).toEqual(
            endsOf(traverseNode([short], packet, around, context)),
          );
          walks++;
        }
      }
      expect(walks).toBeGreaterThan(400);
    },
    120_000,
  );
});

describe('the index of a chain', () => {
  const services = generateServices(40, 3);
  const ruleset = parseIptablesSave(iptablesSaveOf(services)).value;
  const packetTo = (destination: string, destinationPort: number | undefined): Packet =>
    newConnection({
      family: 'ip',
      source: '10.128.0.9',
      destination,
      protocol: 'tcp',
      sourcePort: 40_000,
      ...(destinationPort === undefined ? {} : { destinationPort }),
      inInterface: 'cni0',
    });

  it('leaves few rules to look at, in their order', () => {
    const chain = ruleset.tables.flatMap(({ chains }) => chains).find(({ name, rules }) => name === 'KUBE-SERVICES' && rules.length > 16);
    const plan = chain && rulesFor(chain, [initialState(packetTo(services[7]?.clusterIP ?? '', 80))], 0);
    // The Service's own rule, and the last one, which asks for no address.
    expect(plan?.rules).toEqual([7, 40]);
  });

  it('is not asked where the destination or its port is not known', () => {
    const chain = ruleset.tables.flatMap(({ chains }) => chains).find(({ name, rules }) => name === 'KUBE-SERVICES' && rules.length > 16);
    const packet = packetTo(services[7]?.clusterIP ?? '', undefined);
    expect(chain && rulesFor(chain, [initialState(packet)], 0).rules.length).toBe(41);
    expect(chain && rulesFor(chain, [initialState({ ...packet, destinationPort: 80, unknown: ['destination'] })], 0).rules.length).toBe(41);
  });

  it('never loses a rule that matches: any mix of rules, any packet', () => {
    const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.0/30', '0.0.0.0/0');
    const rule = fc.record({
      destination: fc.option(fc.tuple(fc.boolean(), address)),
      port: fc.option(fc.tuple(fc.boolean(), fc.constantFrom('80', '443', '80:443', '80,8080'))),
      protocol: fc.constantFrom('tcp', 'udp'),
      target: fc.constantFrom('ACCEPT', 'DROP', 'RETURN', 'MARK --set-xmark 0x1/0x1', 'MARK --set-xmark 0x0/0x1', 'OTHER'),
    });
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 16, maxLength: 40 }),
        fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.9'),
        fc.constantFrom(80, 443, 9),
        (rules, destination, port) => {
          const lines = rules.map(({ destination: to, port: on, protocol, target }) =>
            [
              '-A FORWARD',
              to === null ? '' : `${to[0] ? '! ' : ''}-d ${to[1]}`,
              `-p ${protocol}`,
              on === null
                ? ''
                : on[1].includes(',')
                  ? `-m multiport ${on[0] ? '! ' : ''}--dports ${on[1]}`
                  : `-m ${protocol} ${on[0] ? '! ' : ''}--dport ${on[1]}`,
              `-j ${target}`,
            ].join(' '),
          );
          const text = [
            '*filter',
            ':FORWARD ACCEPT [0:0]',
            ':OTHER - [0:0]',
            ...lines,
            '-A OTHER -m mark --mark 0x1/0x1 -j DROP',
            'COMMIT',
            '',
          ].join('\n');
          const parsed = parseIptablesSave(text);
          expect(parsed.complete).toBe(true);
          const packet = { ...packetTo(destination, port), outInterface: 'eth0' };
          const ends = (value: NetfilterRuleset): string[] =>
            evaluateHook([value], 'forward', packet).map(
              (outcome) => `${outcome.verdict} ${outcome.packet.mark} ${outcome.decidedBy?.line}`,
            );
          // The line of a policy is that of its chain, cut or not.
          expect(ends(parsed.value)).toEqual(ends(inShortChains(parsed.value)));
        },
      ),
    );
  });
});
