import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { understand } from '../../src/parse/understand.ts';
import { linesIgnored } from './line-account.ts';
import { sample as rulesOf } from './netfilter-samples.ts';

const routes = [
  'default via 10.60.0.2 dev eth0 proto dhcp metric 100 ',
  '10.60.0.0/24 dev eth0 proto kernel scope link src 10.60.0.1 ',
  '10.244.0.0/16 proto zebra ',
  '\tnexthop via 10.60.0.3 dev eth0 weight 2 ',
  '\tnexthop via 10.60.0.4 dev eth0 weight 1 ',
  'blackhole 10.245.0.0/24 ',
  '',
].join('\n');

interface Part {
  kind: string;
  line: number;
  dst: string;
  nexthops: unknown[];
}

const partsOf = (text: string): Part[] => {
  const value = understand(text)?.parsed.value;
  return (Array.isArray(value) ? value : (value as { flows: unknown[] }).flows) as Part[];
};
const destinations = (text: string): unknown => partsOf(text).map(({ dst, nexthops }) => [dst, nexthops.length]);

describe('understand', () => {
  it('undoes nothing on an output as the tool printed it', () => {
    const whole = understand(rulesOf('001').text);
    expect(whole).toMatchObject({ kind: 'iptables-save', undone: [], parsed: { complete: true, unparsed: [] } });
  });

  it.each([
    ['a quoted reply', (line: string) => `> ${line}`],
    ['a quote in a quote', (line: string) => `> > ${line}`],
    ['a comment', (line: string) => `  # ${line}`],
    ['a container log', (line: string) => `2026-11-21T10:00:00.123456789Z stdout F ${line}`],
    ['syslog', (line: string) => `Nov 21 10:00:00 node-1 collect[812]: ${line}`],
    ['colours', (line: string) => line.replace('10.', '\x1b[35m\x1b[K10.\x1b[m\x1b[K')],
  ])('reads through %s, and does not call it whole', (_what, change) => {
    const changed = routes
      .split('\n')
      .map((line) => (line === '' ? '' : change(line)))
      .join('\n');
    expect(understand(changed)).toMatchObject({ kind: 'ip-route', parsed: { complete: false, unparsed: [] } });
    expect(destinations(changed)).toEqual(destinations(routes));
  });

  it.each([
    'root@node-1:~# ip route',
    '[root@node-1 ~]# ip route',
    '$ ip route',
    '/ # ip route',
    '```console',
    'command terminated with exit code 1',
  ])('leaves out the line "%s" around an output, and accounts for it', (line) => {
    const text = `${line}\n${routes}`;
    const read = understand(text);
    expect(read).toMatchObject({
      kind: 'ip-route',
      parsed: { complete: false, unparsed: [] },
      undone: [{ what: 'surroundings', lines: [1] }],
    });
    expect(partsOf(text)[0]?.line).toBe(2);
  });

  it('joins what a terminal folded, keeping the numbers of the lines', () => {
    const flow =
      'tcp      6 431998 ESTABLISHED src=10.42.1.10 dst=10.42.2.10 sport=40001 dport=8080 packets=12 bytes=1200 src=10.42.2.10 dst=10.42.1.10 sport=8080 dport=40001 packets=11 bytes=990 [ASSURED] mark=0 use=1';
    const text = `${flow.replace(/.{80}/g, '$&\n')}\n${flow.replace('40001', '40002').replace(/.{80}/g, '$&\n')}\n`;
    const read = understand(text);
    expect(read).toMatchObject({
      kind: 'conntrack',
      parsed: { complete: false, unparsed: [] },
      undone: [{ what: 'wrap', lines: [2, 3, 5, 6] }],
    });
    expect(partsOf(text).map(({ line }) => line)).toEqual([1, 4]);
  });

  it('does not make one rule of two that are of one length', () => {
    const rule = (chain: string) =>
      `-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j ${chain}`;
    const text = `*nat\n${rule('KUBE-SVC-A')}\n${rule('KUBE-SVC-B')}\nCOMMIT\n`;
    expect(understand(text)?.parsed.unparsed.map(({ line }) => line)).toEqual([2, 3]);
    expect(understand(text)?.undone).toEqual([]);
  });

  it('takes a message of kubectl out of the middle of a rule', () => {
    const text = [
      '*nat',
      ':KUBE-SEP-A - [0:0]',
      '-A KUBE-SEP-A -s 10.42.E1121 06:30:01.512345   12345 websocket.go:296] Unknown stream id 1, discarding message',
      '1.40/32 -j ACCEPT',
      'COMMIT',
      '',
    ].join('\n');
    const read = understand(text);
    expect(read).toMatchObject({
      kind: 'iptables-save',
      parsed: { complete: false, unparsed: [] },
      undone: [{ what: 'interruption', lines: [4] }],
    });
    expect(JSON.stringify(read?.undone)).not.toContain('10.42');
  });

  it('parts outputs that follow each other on one line, where that is possible in one way only', () => {
    const text = `${routes.trimEnd()} 0:\tfrom all lookup local\n32767:\tfrom all lookup default10.60.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT \n`;
    const read = understand(text);
    expect(partsOf(text).map(({ kind, line }) => [kind, line])).toEqual([
      ['ip-route', 1],
      ['ip-rule', 6],
      ['ip-neigh', 7],
    ]);
    expect(read?.parsed).toMatchObject({ complete: false, unparsed: [] });
    // `metric 100` and `10.0.0.0/8`, or `metric 1001` and `0.0.0.0/8`?
    const twofold = 'default via 10.60.0.2 dev eth0 metric 10010.0.0.0/8 dev eth0 scope link \n0:\tfrom all lookup local\n';
    expect(understand(twofold)?.parsed.unparsed.map(({ line }) => line)).toEqual([1]);
  });

  it('reads with a told kind as with a guessed one', () => {
    expect(understand(`> ${routes}`.replace(/\n(?=.)/g, '\n> '), 'ip-route')).toMatchObject({ why: null, parsed: { unparsed: [] } });
    expect(understand('anything', 'no-such-kind')).toBeUndefined();
  });

  it('does not throw on any text, and loses no line of it', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '> ',
        '\x1b[31m',
        routes,
        '    ',
        '\n',
        'x'.repeat(80),
        '```',
        '$ ip route',
        'E1121 06:30:01.512345   12345 a.go:1] x',
      ),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        const read = understand(text);
        if (read === undefined) return;
        const account = { ...read.parsed, value: { value: read.parsed.value, undone: read.undone } };
        expect(linesIgnored(text, account, (changed) => understand(changed, read.kind)?.parsed)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
