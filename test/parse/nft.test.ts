import { describe, expect, it } from 'vitest';
import { findChain, findTable, type NetfilterRuleset } from '../../src/model/netfilter.ts';
import { parseNftCommands } from '../../src/parse/nft-commands.ts';
import { parseNftJson } from '../../src/parse/nft-json.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { allRules, opaqueTexts, sample } from './netfilter-samples.ts';
import { holdsForAnyText } from './properties.ts';

const native = ['013', '017', '098'];

describe('parseNftText', () => {
  holdsForAnyText(
    parseNftText,
    ['013', '041', '048', '097', '098'].map((number) => sample(number).text),
  );

  it.each(native)('reads all of %s', (number) => {
    const { value, complete, unparsed } = parseNftText(sample(number).text);
    expect([complete, unparsed, opaqueTexts(value)]).toEqual([true, [], []]);
    expect(value.tables.some((table) => table.lossy)).toBe(false);
  });

  it('finds every chain, set, map and object of the feature zoo', () => {
    const { text, truth } = sample('097');
    const { value, complete } = parseNftText(text);
    const table = findTable(value, 'feat', 'inet') ?? expect.fail();
    expect(complete).toBe(true);
    expect(Object.fromEntries(table.chains.map((chain) => [chain.name, chain.rules.length]))).toEqual(truth.chains);
    expect(table.sets.filter((set) => set.kind === 'set').map((set) => set.name)).toEqual(truth.sets);
    expect(table.sets.filter((set) => set.kind === 'map').map((set) => set.name)).toEqual(truth.maps);
    expect(table.objects.map((object) => object.name)).toEqual(truth.objects);
    expect(findChain(table, 'input')?.base).toMatchObject({ hook: 'input', priority: 0, policy: 'drop', type: 'filter' });
    expect(findChain(table, 'from-eth')?.rules[0]).toMatchObject({
      handle: 32,
      line: text.split('\n').findIndex((line) => line.endsWith('# handle 32')) + 1,
    });
  });

  it('reads elements over several lines with their lines, intervals and concatenations', () => {
    const { text } = sample('097');
    const lines = text.split('\n');
    const table = findTable(parseNftText(text).value, 'feat', 'inet') ?? expect.fail();
    const set = (name: string) => table.sets.find((candidate) => candidate.name === name) ?? expect.fail(name);
    expect(set('banned').elements.map(({ key, comment }) => [key, comment])).toEqual([
      [[{ type: 'literal', text: '203.0.113.5' }], 'manual'],
      [[{ type: 'literal', text: '203.0.113.6' }], undefined],
      [[{ type: 'literal', text: '203.0.113.7' }], undefined],
    ]);
    for (const element of set('banned').elements)
      expect(lines[element.line - 1]).toContain(element.key[0]?.type === 'literal' ? element.key[0].text : '?');
    expect(set('banned').timeout).toBe(3600);
    expect(set('nets').elements.map(({ key }) => key[0])).toEqual([
      { type: 'prefix', address: '10.0.0.0', length: 8 },
      { type: 'range', from: '172.16.5.0', to: '172.16.6.255' },
      { type: 'range', from: '192.168.0.10', to: '192.168.0.20' },
    ]);
    expect(set('svc').keyType).toEqual(['ipv4_addr', 'inet_proto', 'inet_service']);
    expect(set('zone').elements.map(({ data }) => data)).toMatchObject([
      { kind: 'drop' },
      { kind: 'accept' },
      { kind: 'goto', chain: 'from-wg' },
      { kind: 'jump', chain: 'from-eth' },
    ]);
    expect(set('dn').elements[0]).toMatchObject({ key: [{ text: '8080' }], data: [{ text: '10.42.1.9' }, { text: '80' }] });
  });

  it('knows priorities by name and by number, devices, families and dormant tables', () => {
    const { value } = parseNftText(sample('098').text);
    const bases = value.tables.flatMap((table) =>
      table.chains.flatMap((chain) => (chain.base ? [[table.family, chain.base.hook, chain.base.priority, chain.base.devices]] : [])),
    );
    expect(bases).toEqual([
      ['netdev', 'ingress', -500, ['eth0']],
      ['netdev', 'egress', 0, ['eth0']],
      ['bridge', 'forward', -200, []],
      ['bridge', 'prerouting', -300, []],
      ['arp', 'input', 0, []],
      ['ip6', 'forward', 10, []],
      ['ip', 'input', 0, []],
    ]);
    expect(findTable(value, 'dormantone')?.dormant).toBe(true);
  });

  it('marks the tables of iptables as lossy and does not believe what nft prints wrongly there', () => {
    const { value } = parseNftText(sample('009').text);
    expect(value.tables.every((table) => table.lossy)).toBe(true);
    const firewall = findChain(findTable(value, 'filter') ?? expect.fail(), 'KUBE-FIREWALL')?.rules[0];
    expect(firewall?.statements.find((statement) => statement.kind === 'opaque')).toMatchObject({ text: 'ct status dnat' });
    const types = opaqueTexts(parseNftText(sample('037').text).value);
    expect(types).toContain('fib saddr type != { unicast , broadcast }');
    expect(types.filter((text) => text === 'xt match "set"').length).toBe(5);
  });

  it('reads a log prefix with quotes in it, and what stands behind it', () => {
    const { value } = parseNftText(sample('048').text);
    const log = allRules(value)[9]?.statements.find((statement) => statement.kind === 'fallThrough');
    expect(log).toMatchObject({
      name: 'log',
      options: [
        { name: 'prefix', values: ['[UFW BLOCK] it\'s "q" '] },
        { name: 'flags', values: ['all'] },
      ],
    });
    const rejects = allRules(value).flatMap((rule) =>
      rule.statements.flatMap((statement) => (statement.kind === 'reject' ? [statement.with] : [])),
    );
    expect(rejects).toEqual([
      'icmp-net-unreachable',
      'icmp-host-unreachable',
      'icmp-port-unreachable',
      'icmp-prot-unreachable',
      'icmp-net-prohibited',
      'icmp-host-prohibited',
      'icmp-admin-prohibited',
      'tcp-reset',
    ]);
  });

  it('keeps the messages of standard error apart', () => {
    const { text } = sample('078');
    const { value, complete } = parseNftText(text);
    const second = text.split('\n').findIndex((line) => line.startsWith('# Warning: table ip6')) + 1;
    expect([complete, value.warnings.map(({ kind, line }) => [kind, line])]).toEqual([
      true,
      [
        ['managed-by-iptables-nft', 1],
        ['managed-by-iptables-nft', second],
      ],
    ]);
  });

  it('takes no text for whole that was cut inside a table', () => {
    const { text } = sample('097');
    for (let length = 20; length < text.trimEnd().length; length += 53)
      expect(parseNftText(text.slice(0, length)).complete, `cut at ${length}`).toBe(false);
  });

  it('keeps a rule whose end it does not understand, as opaque from there on', () => {
    const text = 'table ip t {\n\tchain c {\n\t\tip saddr 10.0.0.1 frobnicate hard accept\n\t}\n}\n';
    const { value, unparsed, complete } = parseNftText(text);
    expect([complete, unparsed.map(({ line }) => line)]).toEqual([false, [3]]);
    expect(allRules(value)[0]?.statements).toMatchObject([
      { kind: 'compare' },
      { kind: 'opaque', text: 'frobnicate hard accept' },
      { kind: 'opaqueAction' },
    ]);
  });
});

describe('parseNftJson', () => {
  it('reads the kube-proxy tables of iptables and marks them as lossy', () => {
    const { text, truth } = sample('010');
    const { value, complete } = parseNftJson(text);
    const tables = truth.tables as Record<string, { rules: Record<string, number> }>;
    expect(complete).toBe(true);
    for (const [name, table] of Object.entries(tables)) {
      const found = findTable(value, name) ?? expect.fail(name);
      expect([found.lossy, Object.fromEntries(found.chains.map((chain) => [chain.name, chain.rules.length]))]).toEqual([true, table.rules]);
    }
  });

  it('finds the same in JSON as in text of the same state', () => {
    const [text, json] = [parseNftText(sample('098').text).value, parseNftJson(sample('099').text).value];
    expect(shape(json)).toEqual(shape(text));
  });

  it('takes an empty ruleset for one, and no output for none', () => {
    expect(parseNftJson(sample('092').text)).toMatchObject({ complete: true, value: { tables: [] } });
    expect(parseNftJson('').complete).toBe(false);
    expect(parseNftJson(sample('010').text.slice(0, 5000))).toMatchObject({ complete: false, value: { tables: [] } });
  });

  it('keeps statements of later versions as opaque', () => {
    const rule = { rule: { family: 'ip', table: 't', chain: 'c', handle: 4, expr: [{ teleport: { to: 'x' } }, { accept: null }] } };
    const text = JSON.stringify({
      nftables: [{ table: { family: 'ip', name: 't', handle: 1 } }, { chain: { family: 'ip', table: 't', name: 'c' } }, rule],
    });
    const { value, complete } = parseNftJson(text);
    expect(complete).toBe(false);
    expect(allRules(value)[0]?.statements).toMatchObject([{ kind: 'opaque' }, { kind: 'opaqueAction' }, { kind: 'accept' }]);
  });
});

describe('parseNftCommands', () => {
  it('reads a script of kube-proxy', () => {
    const { value, complete } = parseNftCommands(
      [
        'add table ip kube-proxy { comment "rules for kube-proxy" ; }',
        'add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }',
        'add chain ip kube-proxy reject-chain { comment "helper" ; }',
        'add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment "IPs" ; }',
        'add rule ip kube-proxy reject-chain reject',
        'add rule ip kube-proxy nat-prerouting ip daddr . meta l4proto . th dport vmap @service-ips comment "x"',
        'add element ip kube-proxy service-ips { 10.96.0.10 . udp . 53 comment "dns" : goto reject-chain }',
      ].join('\n'),
    );
    const table = findTable(value, 'kube-proxy') ?? expect.fail();
    expect(complete).toBe(true);
    expect(table.sets[0]).toMatchObject({
      name: 'service-ips',
      elements: [{ comment: 'dns', data: { kind: 'goto', chain: 'reject-chain' } }],
    });
    expect(findChain(table, 'reject-chain')?.rules[0]?.statements).toMatchObject([{ kind: 'reject', with: 'icmp-port-unreachable' }]);
  });

  it('says which commands it does not read', () => {
    expect(parseNftCommands('flush ruleset\nadd rule ip x y accept\n').unparsed.map(({ line }) => line)).toEqual([1, 2]);
  });
});

const shape = (ruleset: NetfilterRuleset): unknown =>
  ruleset.tables.map(({ family, name, dormant, chains, sets }) => ({
    family,
    name,
    dormant,
    chains: chains.map((chain) => [chain.name, chain.base, chain.rules.length]),
    sets: sets.map((set) => [set.name, set.keyType, set.elements.map(({ key }) => key)]),
  }));
