import { describe, expect, it } from 'vitest';
import { guessKind } from '../../src/parse/guess.ts';
import { understand } from '../../src/parse/understand.ts';
import { sample as netfilterSample } from './netfilter-samples.ts';

const doubts = (text: string, kind?: string): string[] => (understand(text, kind)?.doubts ?? []).map(({ is, says }) => `${is}: ${says}`);
const save = '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j ACCEPT\nCOMMIT\n';

describe('why an output is not known to be whole', () => {
  it('is not asked of one that is', () => {
    expect(doubts(save)).toEqual([]);
    expect(doubts(netfilterSample('001').text)).toEqual([]);
  });

  it.each([
    ['*nat\n:PREROUTING ACCEPT [0:0]\n', undefined, ['cut: table nat has no COMMIT']],
    [
      `${save}*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DR`,
      undefined,
      ['cut: table filter has no COMMIT', 'cut: the last line has no end'],
    ],
    ['-I INPUT -p tcp --dport 80 -j DROP\n', undefined, ['open: no heading tells the table of the rules']],
    ['-P INPUT ACCEPT\n-A INPUT -j DROP\n', 'iptables-rules', ['open: nothing marks the end of this form']],
    ['default via 10.0.0.1 dev eth0', undefined, ['cut: the last line has no end']],
    ['default via 10.0.0.1 dev eth0\n[truncated]\n', undefined, ['cut: line 2 says that something was left out']],
    ['default via 10.0.0.1 dev eth0\n<snip>\n', undefined, ['cut: line 2 says that something was left out']],
    ['default via 10.0.0.1 dev eth0\nwhat is this\n', undefined, []],
    [
      'PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.\n64 bytes from 10.0.0.9: icmp_seq=1 ttl=64 time=0.05 ms\n',
      undefined,
      ['open: a run has no closing statistics'],
    ],
    ['LISTEN 0 4096 0.0.0.0:80 0.0.0.0:*\n', undefined, ['open: its heading is missing']],
    ['', undefined, ['cut: there is nothing in it']],
  ])('%j', (text, kind, expected) => expect(doubts(text, kind)).toEqual(expected));

  it('is told of every output that is not complete, and of no other', () => {
    for (const text of [save, save.slice(0, 30), 'Chain INPUT (policy ACCEPT)\ntarget prot opt source destination\n', '\n']) {
      const read = understand(text);
      expect((read?.doubts.length ?? 0) > 0 || (read?.parsed.unparsed.length ?? 0) > 0, JSON.stringify(text)).toBe(!read?.parsed.complete);
    }
  });
});

describe('a list of -I rules alone', () => {
  it('is guessed', () =>
    expect(guessKind('-I INPUT -p tcp --dport 80 -j DROP\n-I KUBE-SERVICES 1 -d 10.96.0.1/32 -j REJECT\n')?.kind).toBe('iptables-save'));
});
