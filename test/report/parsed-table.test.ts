import { describe, expect, it } from 'vitest';
import { parseText } from '../../src/app/parse.ts';
import { parsedToText } from '../../src/report/parsed.ts';
import { tableLines } from '../../src/report/parsed-table.ts';

/** The lines of the table that people see of a pasted text. */
function tableOf(text: string, kind: string): string[] {
  const outcome = parseText(text, kind);
  if (!outcome.ok) throw new Error(outcome.sentence);
  return parsedToText(outcome.report).trimEnd().split('\n').slice(2);
}

const cells = (line = ''): string[] => line.split(/ {2,}/);

describe('the table of an output', () => {
  it('shows of sockets the addresses, the ports and who holds them', () => {
    const [heading, first, second, third, fourth] = tableOf(
      [
        'Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process',
        'tcp   LISTEN 0      4096         0.0.0.0:10250      0.0.0.0:*     users:(("kubelet",pid=1,fd=3))',
        'udp   UNCONN 0      0      127.0.0.53%lo:53         0.0.0.0:*',
        'tcp   ESTAB  0      0              [::1]:38840        [::1]:6443',
        'tcp   ESTAB  0      0           10.0.0.5:ssh       10.0.0.9:40000',
        '',
      ].join('\n'),
      'ss',
    );
    expect(cells(heading).slice(0, 6)).toEqual(['line', 'netid', 'state', 'local', 'peer', 'processes']);
    expect(cells(first).slice(1, 6)).toEqual(['tcp', 'LISTEN', '0.0.0.0:10250', '0.0.0.0:*', 'name kubelet pid 1 fd 3']);
    expect(second).toMatch(/ 127\.0\.0\.53%lo:53 /);
    expect(third).toMatch(/ \[::1\]:38840 +\[::1\]:6443 /);
    expect(fourth).toMatch(/ 10\.0\.0\.5:ssh +10\.0\.0\.9:40000 /);
  });

  it('shows the state of a neighbour, and of a rule its mark and its table', () => {
    const neighbours = tableOf('10.0.0.1 dev eth0 lladdr 02:42:ac:12:00:01 REACHABLE\n10.0.0.9 dev eth0 FAILED\n', 'ip-neigh');
    expect(neighbours.map(cells)).toEqual([
      ['line', 'address', 'dev', 'mac', 'states'],
      ['1', '10.0.0.1', 'eth0', '02:42:ac:12:00:01', 'REACHABLE'],
      ['2', '10.0.0.9', 'eth0', 'FAILED'],
    ]);
    const rules = tableOf('100:\tfrom 10.0.0.0/8 fwmark 0x200/0xf00 lookup 2004\n32767:\tfrom all blackhole\n', 'ip-rule');
    expect(rules[1]).toMatch(/ 100 +10\.0\.0\.0\/8 +all +0x200\/0xf00 +lookup table 2004 /);
    expect(rules[2]).toMatch(/ blackhole /);
  });

  it('shows where routes lead, all ways of one with several, in every form', () => {
    const old = tableOf(
      'Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n10.244.0.0      0.0.0.0         255.255.255.0   U     0      0        0 cni0\n',
      'route-n',
    );
    expect(old[1]).toMatch(/ 10\.244\.0\.0\/24 +cni0 /);
    const [heading, answer] = tableOf('10.96.0.10 via 172.18.0.1 dev eth0 src 172.18.0.2 uid 0 \n    cache \n', 'ip-route-get');
    expect(cells(heading).slice(3, 7)).toEqual(['dst', 'via', 'dev', 'src']);
    expect(answer).toMatch(/ 10\.96\.0\.10 +172\.18\.0\.1 +eth0 +172\.18\.0\.2 /);
    const all = tableOf(
      'default via 172.18.0.1 dev eth0 table 100 proto static scope global src 172.18.0.2 metric 10 mtu 1400\n10.9.0.0/24\n\tnexthop via 172.18.0.3 dev eth0 weight 1\n\tnexthop via 172.18.0.4 dev eth1 weight 2\n',
      'ip-route',
    );
    expect(all[1]).toMatch(/ default +172\.18\.0\.1 +eth0 +100 +172\.18\.0\.2 +10 /);
    expect(all[2]).toMatch(/ via 172\.18\.0\.3 dev eth0 weight 1; via 172\.18\.0\.4 dev eth1 weight 2$/);
    expect(all.at(-1)).toBe('3 more columns (scope, mtu, family): -o json');
  });

  it('shows the addresses of an interface with their lengths', () => {
    const lines = tableOf(
      '2: eth0: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP\n    link/ether 02:42:ac:12:00:02 brd ff:ff:ff:ff:ff:ff\n    inet 172.18.0.2/16 scope global eth0\n       valid_lft forever preferred_lft forever\n    inet6 fe80::1/64 scope link\n       valid_lft forever preferred_lft forever\n',
      'ip-addr',
    );
    expect(lines[1]).toMatch(/ 172\.18\.0\.2\/16; fe80::1\/64 +BROADCAST,UP /);
  });

  it('says what it leaves out, and where it cuts a value', () => {
    expect(tableLines([Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`n${index}`, index]))]).at(-1)).toBe(
      '2 more columns (n10, n11): -o json',
    );
    const lines = tableLines([{ line: 1, name: 'x'.repeat(101) }]);
    expect(lines[1]).toBe(`1     ${'x'.repeat(99)}…`);
    expect(lines.at(-1)).toBe('… a value that is longer: -o json');
    expect(tableLines([{ line: 1, name: 'x'.repeat(100), hole: undefined, none: [], empty: {} }])).toHaveLength(2);
  });

  it('gives a path no port', () => {
    expect(tableLines([{ local: { host: '/run/a.sock', port: undefined }, peer: { host: '*', port: undefined } }])[1]).toBe(
      '/run/a.sock  *:*',
    );
  });

  it('lets no value of the input forge a line', () => {
    const lines = tableLines([{ line: 1, name: 'a\nb\u001b[31mc', details: { 'k\n2': ['x\ty', null] } }]);
    expect(lines).toEqual(['line  name  details', '1     a bc  k 2 x y,']);
  });
});
