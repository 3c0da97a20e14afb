import { describe, expect, it } from 'vitest';
import { parsePing } from '../../src/parse/ping.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parsePing', () => {
  holdsForAnyText(parsePing, samplesLike(/ping-/));

  it('reads errors by their sender: a router tells the MTU first, then the own host', () => {
    const { value, unparsed, complete } = parsePing(sample('179-ping-fragneeded-ttl-badsize.txt'));
    expect([unparsed, complete]).toEqual([[], true]);
    expect(value.runs.map((run) => run.errors.map(({ cause, from, mtu }) => [cause, from, mtu]))).toEqual([
      [
        ['message-too-long', '10.200.0.254', 1400],
        ['message-too-long', undefined, 1400],
      ],
      [['other', '10.200.0.254', undefined]],
      [['message-too-long', undefined, 1400]],
      [
        ['message-too-long', 'fd00:200::254', 1400],
        ['message-too-long', undefined, 1400],
      ],
      [['other', undefined, undefined]],
      [['net-unreachable', undefined, undefined]],
    ]);
  });
  it('does not count duplicates as replies (iputils)', () => {
    const [run] = parsePing(sample('088-ping-loss-30.txt')).value.runs;
    expect(run?.replies.filter(({ duplicate }) => !duplicate)).toHaveLength(13);
    expect(run?.statistics).toMatchObject({
      transmitted: 20,
      received: 13,
      duplicates: 6,
      lossPercent: 35,
      line: 23,
      rtt: { avg: 23.875 },
    });
  });
  it('reads BusyBox', () => {
    const [run] = parsePing(sample('089-busybox-ping-loss-and-duplicates.txt')).value.runs;
    expect(run).toMatchObject({ payloadBytes: 56, statistics: { received: 8, duplicates: 4, lossPercent: 20, rtt: { max: 35.817 } } });
  });
  it('reads the refusal of the own host alone, as standard error has it', () => {
    expect(parsePing(sample('rec-ping-too-long.txt')).value.runs[0]?.errors).toMatchObject([
      { cause: 'message-too-long', mtu: 1450, from: undefined },
    ]);
  });
  it('tells who reported the error', () => {
    const text =
      'PING 10.244.2.9 (10.244.2.9) 56(84) bytes of data.\nFrom 10.244.1.1 icmp_seq=1 Destination Host Unreachable\nFrom 10.0.0.9 icmp_seq=2 Packet filtered\nFrom 10.0.0.9 icmp_seq=3 Destination Host Prohibited\n';
    const { value, complete } = parsePing(text);
    expect(value.runs[0]?.errors.map(({ from, cause }) => [from, cause])).toEqual([
      ['10.244.1.1', 'host-unreachable'],
      ['10.0.0.9', 'admin-prohibited'],
      ['10.0.0.9', 'admin-prohibited'],
    ]);
    expect(complete).toBe(false);
  });
  it('reads the musl wording and a local filter', () => {
    const text = 'PING x (10.0.0.1): 1400 data bytes\nping: sendto: Message too large\n';
    expect(parsePing(text).value.runs[0]?.errors[0]?.cause).toBe('message-too-long');
    expect(parsePing('ping: sendmsg: Operation not permitted\n').value.runs[0]?.errors[0]?.couldBe).toEqual(['admin-prohibited', 'other']);
  });
});
