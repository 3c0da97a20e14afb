import { describe, expect, it } from 'vitest';
import { parseProcBonding } from '../../src/parse/proc-bonding.ts';
import { parseSsSummary } from '../../src/parse/ss-summary.ts';
import { parseUsage } from '../../src/parse/usage.ts';
import { parseXtablesTrace } from '../../src/parse/xtables-trace.ts';
import { holdsForAnyText } from './properties.ts';
import { sample } from './samples.ts';

describe('parseProcBonding', () => {
  const text = sample('083-proc-net-bonding.txt');
  holdsForAnyText(parseProcBonding, [text]);

  it('reads the mode and which slave is down', () => {
    const { value, unparsed } = parseProcBonding(text);
    expect(unparsed).toEqual([]);
    expect(value.settings.find(({ key }) => key === 'Bonding Mode')?.value).toMatch(/802\.3ad/);
    expect(value.slaves.map(({ name, settings }) => [name, settings.find(({ key }) => key === 'MII Status')?.value])).toEqual([
      ['s0', 'down'],
      ['s1', 'down'],
    ]);
  });
});

describe('parseXtablesTrace', () => {
  const text = sample('135-iptables-xtables-monitor-trace.txt');
  holdsForAnyText(parseXtablesTrace, [text]);

  it('names the rule that dropped the packet', () => {
    const { value, complete } = parseXtablesTrace(text);
    expect(value.map(({ fields, steps }) => [fields.SRC, steps.at(-1)])).toEqual([
      ['127.0.0.1', expect.objectContaining({ table: 'raw', chain: 'PREROUTING', kind: 'policy', verdict: 'ACCEPT' })],
      [
        '127.0.0.1',
        expect.objectContaining({
          table: 'filter',
          chain: 'INPUT',
          kind: 'rule',
          verdict: 'DROP',
          rule: '-4 -t filter -A INPUT -s 127.0.0.1/32 -p icmp -j DROP',
        }),
      ],
    ]);
    expect(complete).toBe(true);
    expect(parseXtablesTrace(text.split('\n').slice(0, 2).join('\n')).complete).toBe(false);
  });
});

describe('parseUsage', () => {
  const text = sample('195-busybox-netstat-tnl-without-p.txt').split('\n').slice(0, 18).join('\n');
  holdsForAnyText(parseUsage, [text]);

  it('takes a refusal for a refusal, and what stands below it for another thing', () => {
    expect(parseUsage(text)).toMatchObject({ unparsed: [], value: [{ line: 1, text: "netstat: invalid option -- 'p'" }] });
    expect(parseUsage(sample('195-busybox-netstat-tnl-without-p.txt')).unparsed[0]?.line).toBe(19);
  });
});

describe('parseSsSummary', () => {
  const text = sample('192-ss-summary-and-udp.txt').split('\n').slice(0, 9).join('\n');
  holdsForAnyText(parseSsSummary, [text]);

  it('reads the counts', () => {
    const { value, complete } = parseSsSummary(text);
    expect(value).toMatchObject({ total: { count: 16 }, tcp: { count: 39, states: { estab: 7, closed: 26 } } });
    expect(value.transports[1]).toMatchObject({ name: 'UDP', total: 3, ip: 2, ip6: 1 });
    expect(complete).toBe(true);
  });
});
