import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseKfreeSkb } from '../../src/parse/kfree-skb.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';

const folder = new URL('../../fixtures/captures/', import.meta.url);
const traces = readdirSync(folder)
  .filter((name) => name.endsWith('.tgz'))
  .flatMap((name) =>
    [...unpackSnapshot(readFileSync(new URL(name, folder))).entries.values()]
      .filter(({ key, failure }) => key.endsWith('/drops') && !failure)
      .map(({ key, stdout }) => ({ name: `${name} ${key}`, text: stdout })),
  );

describe('parseKfreeSkb', () => {
  it.each(traces)('$name: every event, as many as the kernel says are in the buffer', ({ text }) => {
    const { value, unparsed, complete } = parseKfreeSkb(text);
    const [, inBuffer, written] = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(text) ?? [];
    expect(unparsed).toEqual([]);
    expect(value).toHaveLength(Number(inBuffer));
    expect(complete).toBe(inBuffer === written);
    expect(value.every(({ reason, protocol }) => reason !== undefined && [2048, 2054].includes(protocol))).toBe(true);
  });

  it('kernels before 5.17 name no reason, and those before 6.11 no socket (lines as in the documentation of those kernels)', () => {
    const text = [
      '          <idle>-0       [001] ..s1   123.000045: kfree_skb: skbaddr=000000008a2dd8f5 protocol=2048 location=00000000a2dd8f50',
      '     my [x] task-7       [000] ..s2.  123.000046: kfree_skb: skbaddr=000000008a2dd8f5 protocol=2054 location=arp_rcv+0x11/0x20 reason: NOT_SPECIFIED',
      '',
    ].join('\n');
    expect(parseKfreeSkb(text)).toEqual({
      value: [
        { line: 1, at: 123_000_045, protocol: 2048, location: '00000000a2dd8f50', reason: undefined },
        { line: 2, at: 123_000_046, protocol: 2054, location: 'arp_rcv', reason: 'NOT_SPECIFIED' },
      ],
      unparsed: [],
      complete: true,
    });
  });

  it('what was overwritten, cut or is of another tracepoint makes it incomplete', () => {
    const event = 'a-1 [000] ..s2. 1.000001: kfree_skb: skbaddr=0 protocol=2048 location=ip_rcv+0x1/0x2 reason: IP_CSUM\n';
    expect(parseKfreeSkb(`${event}CPU:0 [LOST 12 EVENTS]\n${event}`)).toMatchObject({ complete: false, unparsed: [], value: [{}, {}] });
    expect(parseKfreeSkb(event.slice(0, -10))).toMatchObject({ complete: false });
    expect(parseKfreeSkb('a-1 [000] ..s2. 1.000001: consume_skb: skbaddr=0\n')).toMatchObject({ complete: false, unparsed: [{ line: 1 }] });
  });
});
