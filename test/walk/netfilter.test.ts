import { describe, expect, it } from 'vitest';
import { findTable, type NetfilterRuleset } from '../../src/model/netfilter.ts';
import { newConnection, type Packet } from '../../src/model/packet.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';
import { traverseNode } from '../../src/walk/netfilter/traverse.ts';
import { evaluateHook, type Outcome, verdictOf, withoutTablesOf } from '../../src/walk/netfilter.ts';
import { sample } from '../parse/netfilter-samples.ts';

const save = (...lines: string[]): NetfilterRuleset => {
  const { value, unparsed } = parseIptablesSave(
    `${['*filter', ':FORWARD ACCEPT [0:0]', ':A - [0:0]', ':B - [0:0]', ...lines, 'COMMIT'].join('\n')}\n`,
  );
  expect(unparsed).toEqual([]);
  return value;
};

const packet = (change: Partial<Packet> = {}): Packet => ({
  ...newConnection({
    family: 'ip',
    source: '10.244.1.3',
    destination: '10.244.2.4',
    protocol: 'tcp',
    sourcePort: 40000,
    destinationPort: 8080,
    inInterface: 'cni0',
    outInterface: 'flannel.1',
  }),
  ...change,
});

const words = (outcomes: Outcome[]): string[] =>
  outcomes.map((outcome) => `${outcome.verdict} ${Number(outcome.probability.toFixed(3))}`).sort();
const forward = (lines: string[], change: Partial<Packet> = {}): Outcome[] => evaluateHook([save(...lines)], 'forward', packet(change));

describe('evaluateHook', () => {
  it('names the rule or the policy that decided, and the rules on the way', () => {
    const [outcome] = forward(['-A FORWARD -i cni0 -j A', '-A A -p tcp -m tcp --dport 8080 -j DROP']);
    expect(outcome).toMatchObject({ verdict: 'drop', decidedBy: { by: 'rule', table: 'filter', chain: 'A', line: 6 } });
    expect(outcome?.steps.map(({ line }) => line)).toEqual([5, 6]);
    const [byPolicy] = evaluateHook([save(':FORWARD DROP [0:0]')], 'forward', packet());
    expect(byPolicy).toMatchObject({ verdict: 'drop', decidedBy: { by: 'policy', chain: 'FORWARD' } });
  });

  it('follows jump, return and goto as the kernel does', () => {
    expect(words(forward(['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -j RETURN', '-A A -j ACCEPT']))).toEqual(['drop 1']);
    // A goto does not come back: what returns from B goes on behind the jump into A.
    expect(words(forward(['-A FORWARD -j A', '-A FORWARD -j DROP', '-A A -g B', '-A A -j ACCEPT', '-A B -p udp -j ACCEPT']))).toEqual([
      'drop 1',
    ]);
    // From a base chain a goto that comes back ends in the policy.
    expect(words(forward(['-A FORWARD -g B', '-A FORWARD -j DROP', '-A B -j RETURN']))).toEqual(['accept 1']);
  });

  it('sets and matches marks bit by bit', () => {
    const lines = [
      '-A FORWARD -j MARK --set-xmark 0x4000/0x4000',
      '-A FORWARD -j MARK --set-xmark 0x3/0x0',
      '-A FORWARD -m mark ! --mark 0x4003 -j DROP',
    ];
    expect(words(forward(lines))).toEqual(['accept 1']);
    expect(words(forward(lines, { mark: 1 }))).toEqual(['drop 1']);
    expect(forward(['-A FORWARD -j MARK --set-xmark 0x0/0xff'], { mark: 0x1ff })[0]?.packet.mark).toBe(0x100);
    const saved = [
      '-A FORWARD -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff',
      '-A FORWARD -m connmark --mark 0x7 -j DROP',
    ];
    expect(words(forward(saved, { mark: 7 }))).toEqual(['drop 1']);
  });

  it('forks by probability', () => {
    const lines = [
      '-A FORWARD -m statistic --mode random --probability 0.25000000000 -j DROP',
      '-A FORWARD -m statistic --mode nth --every 3 --packet 0 -j REJECT',
    ];
    expect(words(forward(lines))).toEqual(['accept 0.5', 'drop 0.25', 'reject 0.25']);
  });

  it('ends open, and names the rule, where it can not be told whether a drop applies', () => {
    const outcomes = forward([
      '-A FORWARD -p udp -j DROP',
      '-A FORWARD -m limit --limit 10/sec -j DROP',
      '-A FORWARD -m mark --mark 0x1 -j DROP',
    ]);
    expect(outcomes).toMatchObject([
      { verdict: 'insufficient-info', decidedBy: { line: 6 }, possible: [{ verdict: 'drop' }, { verdict: 'accept' }] },
    ]);
    expect(verdictOf(outcomes)).toBe('insufficient-info');
  });

  it('is not open where it does not matter', () => {
    expect(words(forward(['-A FORWARD -m limit --limit 10/sec -j LOG', '-A FORWARD -m recent --set --name X']))).toEqual(['accept 1']);
    expect(words(forward(['-A FORWARD -m limit --limit 10/sec -j ACCEPT']))).toEqual(['accept 1']);
    expect(
      words(forward(['-A FORWARD -m limit --limit 10/sec -j A', '-A FORWARD -m owner --uid-owner 5 -j A', '-A A -p udp -j DROP'])),
    ).toEqual(['accept 1']);
    // One match that fails settles the rule, whatever the others are.
    expect(words(forward(['-A FORWARD -p udp -m u32 --u32 "0x0=0x1" -j DROP']))).toEqual(['accept 1']);
  });

  it('works through many rules that can not be told in little time', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `-A FORWARD -m limit --limit ${index + 1}/sec -j MARK --set-xmark 0x1/0x1`);
    const started = performance.now();
    expect(new Set(forward(lines).map(({ verdict }) => verdict))).toEqual(new Set(['accept']));
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('takes no unknown target or field for granted', () => {
    expect(words(forward(['-A FORWARD -j NFQUEUE --queue-num 3']))).toEqual(['insufficient-info 1']);
    expect(words(forward(['-A FORWARD -j ZAP']))).toEqual(['insufficient-info 1']);
    const { inInterface: _, ...unknownDevice } = packet();
    expect(words(evaluateHook([save('-A FORWARD -i cni0 -j DROP')], 'forward', unknownDevice))).toEqual(['insufficient-info 1']);
    expect(words(evaluateHook([save('-A FORWARD -m addrtype --dst-type LOCAL -j DROP')], 'forward', packet()))).toEqual([
      'insufficient-info 1',
    ]);
    const local = { localAddresses: ['192.168.1.11'] };
    expect(words(evaluateHook([save('-A FORWARD -m addrtype --dst-type LOCAL -j DROP')], 'forward', packet(), local))).toEqual([
      'accept 1',
    ]);
  });

  it('says nothing for a table whose output was cut', () => {
    const { value } = parseIptablesSave('*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p udp -j DROP\n');
    expect(evaluateHook([value], 'forward', packet())).toMatchObject([
      { verdict: 'insufficient-info', decidedBy: { by: 'end-of-output', chain: 'FORWARD' } },
    ]);
    expect(words(evaluateHook([value], 'forward', packet({ protocol: 'udp' })))).toEqual(['drop 1']);
  });

  it('lets an older connection pass the nat chains', () => {
    const nat = parseIptablesSave('*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination 10.0.0.9:90\nCOMMIT\n').value;
    const before = packet();
    expect(evaluateHook([nat], 'prerouting', before)).toMatchObject([
      {
        dnat: { address: '10.0.0.9', port: 90 },
        packet: { destination: '10.0.0.9', destinationPort: 90, conntrack: { status: ['dnat'] } },
      },
    ]);
    const later = { ...before, conntrack: { ...before.conntrack, state: 'established' as const } };
    expect(evaluateHook([nat], 'prerouting', later)[0]?.dnat).toBe(undefined);
  });

  it('drops a later packet of a masqueraded connection that leaves by another device, where it is known to be one', () => {
    const nat = parseIptablesSave('*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n').value;
    const tuple = { source: '10.244.1.3', destination: '10.244.2.4', sourcePort: 40000, destinationPort: 8080 };
    const reply = { source: '10.244.2.4', destination: '192.168.1.11', sourcePort: 8080, destinationPort: 40000 };
    const evaluate = (masqueradedBy: string | null | undefined, local: string) => {
      const known = { state: 'established', status: ['snat'], direction: 'original', original: tuple, reply } as const;
      const view = { ...known, natSettled: ['source', 'destination'] as const, ...(masqueradedBy === undefined ? {} : { masqueradedBy }) };
      return evaluateHook([nat], 'postrouting', packet({ conntrack: view }), {
        localAddresses: [local],
        masqueradeAddress: () => '10.244.1.0',
      })[0];
    };
    expect(evaluate('eth0', '192.168.1.11')).toMatchObject({ verdict: 'drop', decidedBy: { line: 3 } });
    expect(evaluate('flannel.1', '192.168.1.11')).toMatchObject({ verdict: 'accept', packet: { source: '192.168.1.11' } });
    expect(evaluate(null, '192.168.1.11')?.verdict).toBe('accept');
    // An entry of the table does not say; the address of a pool that no device has was not chosen by masquerading.
    expect(evaluate(undefined, '192.168.1.11')?.verdict).toBe('insufficient-info');
    expect(evaluate(undefined, '192.168.1.12')?.verdict).toBe('accept');
  });

  it('runs the chains of all tables in the order of their priority; one drop is enough', () => {
    const nft = parseNftText(
      [
        'table inet fw {',
        '\tset banned {',
        '\t\ttype ipv4_addr',
        '\t\tflags interval',
        '\t\telements = { 10.244.0.0/16 }',
        '\t}',
        '\tchain early {',
        '\t\ttype filter hook forward priority filter - 5; policy accept;',
        '\t\tmeta mark set 0x7',
        '\t}',
        '\tchain late {',
        '\t\ttype filter hook forward priority filter + 5; policy accept;',
        '\t\tip saddr @banned tcp dport { 22, 8000-8100 } reject with tcp reset',
        '\t}',
        '}',
        '',
      ].join('\n'),
    );
    expect(nft.complete).toBe(true);
    const iptables = save('-A FORWARD -m mark --mark 0x7 -j ACCEPT', '-A FORWARD -j DROP');
    const [outcome] = evaluateHook([iptables, nft.value], 'forward', packet());
    expect(outcome).toMatchObject({ verdict: 'reject', rejectWith: 'tcp-reset', decidedBy: { source: 'nft', chain: 'late', line: 13 } });
    expect(outcome?.steps.map(({ chain, by }) => `${chain} ${by}`)).toEqual(['early rule', 'early policy', 'FORWARD rule', 'late rule']);
    expect(words(evaluateHook([iptables, nft.value], 'forward', packet({ destinationPort: 443 })))).toEqual(['accept 1']);
  });

  it('reads verdict maps, flags and ranges of nft', () => {
    const ruleset = (rule: string): NetfilterRuleset =>
      parseNftText(
        `table ip t {\n\tchain x {\n\t}\n\tchain c {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\t${rule}\n\t}\n}\n`,
      ).value;
    const walk = (rule: string, change: Partial<Packet> = {}): string[] => words(evaluateHook([ruleset(rule)], 'forward', packet(change)));
    expect(walk('ct state vmap { established : accept, related : accept, new : drop }')).toEqual(['drop 1']);
    expect(walk('ip daddr . tcp dport vmap { 10.244.2.4 . 8080 : drop }')).toEqual(['drop 1']);
    expect(walk('ip daddr . tcp dport vmap { 10.244.2.4 . 8081 : drop }')).toEqual(['accept 1']);
    expect(walk('ct state != established,related drop')).toEqual(['drop 1']);
    expect(walk('tcp flags syn / fin,syn,rst,ack drop')).toEqual(['drop 1']);
    expect(walk('tcp flags & (fin | syn | rst | ack) == syn drop')).toEqual(['drop 1']);
    expect(walk('iifname "cni*" oifname != { "eth0", "lo" } drop')).toEqual(['drop 1']);
    expect(walk('udp dport != 53 drop')).toEqual(['accept 1']);
    expect(walk('numgen random mod 4 vmap { 0 : drop, 1-2 : accept }')).toEqual(['accept 0.75', 'drop 0.25']);
    expect(walk('meta random & 2147483647 < 1073741824 drop')).toEqual(['accept 0.5', 'drop 0.5']);
    expect(walk('meta mark set meta mark | 0x4000 meta mark & 0x00004000 != 0x00000000 drop')).toEqual(['drop 1']);
    expect(walk('tcp dport vmap @gone')).toEqual(['insufficient-info 1']);
    expect(walk('limit rate 5/second drop')).toEqual(['insufficient-info 1']);
  });
});

describe('withoutTablesOf', () => {
  it('drops what iptables-save shows better and keeps native tables', () => {
    const nft = parseNftText(`${sample('009').text}${sample('013').text}`).value;
    const rest = withoutTablesOf(nft, [parseIptablesSave(sample('001').text).value]);
    expect(findTable(nft, 'nat')?.lossy).toBe(true);
    expect(rest.tables.map((table) => `${table.family} ${table.name}`)).toEqual([
      'ip6 mangle',
      'ip6 filter',
      'ip6 nat',
      'ip kube-proxy',
      'ip6 kube-proxy',
    ]);
  });
});

interface ServiceTruth {
  proto: string;
  cip: string;
  port: number;
  endpoints: string[];
  nodePort?: number;
  local?: string[];
  externalTrafficPolicy: string;
}

describe('a kube-proxy ruleset', () => {
  const iptables = parseIptablesSave(sample('001').text).value;
  const nft = parseNftText(sample('013').text).value;
  const services = (sample('001').truth.services as ServiceTruth[]).filter((service) => !service.cip.includes(':'));
  const context = { localAddresses: ['192.168.77.11'], recentListsEmpty: true };

  it.each([
    ['iptables', iptables],
    ['nftables', nft],
  ])('sends each ClusterIP to its endpoints, with even shares (%s)', (_mode, ruleset) => {
    for (const { proto, cip, port, endpoints } of services) {
      const client = packet({ source: '10.42.1.99', destination: cip, destinationPort: port, protocol: proto });
      const outcomes = evaluateHook([ruleset], 'prerouting', client, context).filter((outcome) => outcome.dnat !== undefined);
      const found = outcomes.map(({ dnat }) => `${dnat?.address}:${dnat?.port}`).sort();
      expect(found, `${cip}:${port}`).toEqual([...endpoints].sort());
      for (const { probability, assumptions } of outcomes) {
        expect(probability).toBeCloseTo(1 / endpoints.length, 5);
        expect(assumptions).toEqual([]);
      }
    }
    expect(services.length).toBeGreaterThan(4);
  });

  it('gives every endpoint as possible when it is not known whom session affinity binds', () => {
    const client = packet({ source: '10.42.1.99', destination: '10.43.7.24', destinationPort: 80 });
    const outcomes = evaluateHook([iptables], 'prerouting', client, { localAddresses: ['192.168.77.11'] });
    expect(outcomes.map(({ verdict, dnat }) => `${verdict} ${dnat?.address}`).sort()).toEqual(['accept 10.42.1.40', 'accept 10.42.2.40']);
  });

  it('masquerades what comes from outside the pod network, on the way through the node', () => {
    const route = (): { to: 'device'; outInterface: string } => ({ to: 'device', outInterface: 'cni0' });
    const go = (source: string): (string | undefined)[] =>
      traverseNode(
        [iptables],
        packet({ source, destination: '10.43.7.21', destinationPort: 80 }),
        { origin: 'network', route },
        context,
      ).map(({ end, outcome }) => `${end} ${outcome.packet.destination} ${outcome.masquerade === undefined ? 'as is' : 'masqueraded'}`);
    expect(new Set(go('10.42.1.99').map((line) => line?.split(' ').slice(2).join(' ')))).toEqual(new Set(['as is']));
    expect(go('198.51.100.7').sort()).toEqual(['sent 10.42.1.9 masqueraded', 'sent 10.42.2.9 masqueraded', 'sent 10.42.3.9 masqueraded']);
  });

  it('rejects a Service without endpoints', () => {
    const outcomes = evaluateHook([iptables], 'forward', packet({ destination: '10.43.7.99', destinationPort: 80 }), context);
    expect(outcomes).toMatchObject([{ verdict: 'reject', rejectWith: 'icmp-port-unreachable', decidedBy: { chain: 'KUBE-SERVICES' } }]);
  });
});
