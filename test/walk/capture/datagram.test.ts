import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderCapture } from '../../../src/report/capture.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import type { Entry } from '../../../src/snapshot/entry.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { judgeCapture } from '../../../src/walk/capture/summary.ts';

const read = (name: string): Snapshot =>
  unpackSnapshot(readFileSync(new URL(`../../../fixtures/captures-udp/${name}.tgz`, import.meta.url)));

function judged(snapshot: Snapshot) {
  const report = judgeCapture(snapshot);
  if (typeof report === 'string') throw new Error(report);
  return report;
}

const text = (snapshot: Snapshot): string => renderCapture(judged(snapshot), 'head', { color: false, width: 120, verbose: 0 });

/** The recording as if a node had masqueraded the datagrams: in the captures of `keys` their source ports are others. */
function withSourcePort(snapshot: Snapshot, keys: (key: string) => boolean, change: (port: number) => number): Snapshot {
  const marked = new Set(
    (JSON.parse(snapshot.entries.get('capture/plan')?.stdout ?? '{}').tries as { sourcePort: number }[]).map((item) => item.sourcePort),
  );
  const entries = [...snapshot.entries].map(([key, entry]): [string, Entry] => {
    if (!key.endsWith('/pcap') || !keys(key)) return [key, entry];
    const bytes = Buffer.from(entry.stdout, 'base64');
    // Of every marked datagram (UDP, 20 bytes of IPv4 header), wherever it is nested.
    for (let at = 24; at + 24 < bytes.length; at += 1) {
      const isUdp = bytes[at] === 0x45 && bytes[at + 9] === 17;
      if (isUdp && marked.has(bytes.readUInt16BE(at + 20))) bytes.writeUInt16BE(change(bytes.readUInt16BE(at + 20)), at + 20);
    }
    return [key, { ...entry, stdout: bytes.toString('base64') }];
  });
  return { ...snapshot, entries: new Map(entries) };
}

describe('a UDP port that is not DNS', () => {
  it('answered: every datagram is followed there and back', () => {
    const echo = read('echo-iptables');
    expect(judged(echo)).toMatchObject({ tries: 10, answered: 10, arrived: 0, losses: [], gaps: [] });
    expect(text(echo)).toMatch(/\nall 10 datagrams came to their endpoint; 10 were answered, which UDP does not owe\ntried: UDP /);
  });

  it('silent: that an application does not answer is no loss', () => {
    const silent = read('silent-nftables');
    expect(judged(silent)).toMatchObject({ tries: 10, answered: 0, arrived: 10, losses: [] });
    expect(text(silent)).toContain('all 10 datagrams came to their endpoint; 0 were answered');
  });

  it('without a capture in its pod, nothing tells that a silent endpoint was reached', () => {
    const silent = read('silent-nftables');
    const entries = [...silent.entries].map(([key, entry]): [string, Entry] => [
      key,
      key === 'capture/pod/default/udp-silent/pcap'
        ? { ...entry, exit: null, stdout: '', failure: { reason: 'unreachable', detail: 'switched off' } }
        : entry,
    ]);
    expect(judged({ ...silent, entries: new Map(entries) })).toMatchObject({
      answered: 0,
      arrived: 0,
      losses: [{ kind: 'unknown', where: null, says: expect.stringContaining('udp-silent was not captured in') }],
    });
  });

  it('closed: refused by the pod, as far as the kernel sends ICMP errors', () => {
    const report = judged(read('closed-iptables'));
    expect(report.losses).toMatchObject([
      {
        kind: 'refused',
        where: { kind: 'pod', names: ['pod default/udp-echo', 'n2'] },
        dropReason: { reason: 'NO_SOCKET' },
        says: expect.stringContaining('nothing listens on port 7778'),
      },
    ]);
    expect(report.tries).toBe((report.losses[0]?.tries ?? 0) + (report.arrived ?? 0));
  });

  it('dropped on the way there: the node, and the rule that counts it', () => {
    const report = judged(read('dropped-nftables'));
    expect(report).toMatchObject({
      answered: 0,
      arrived: 0,
      losses: [
        { kind: 'lost', direction: 'request', tries: 10, where: { names: ['n2'] }, dropReason: { reason: 'NETFILTER_DROP', node: 'n2' } },
      ],
    });
    expect(report.losses[0]?.timeline[0]?.packet).toBe('datagram');
    expect(text(read('dropped-nftables'))).toContain('10 of 10 datagrams were lost or refused');
  });

  it('dropped on the way back: an answer that was sent is followed, though none is owed', () => {
    expect(judged(read('reply-dropped-iptables'))).toMatchObject({
      arrived: 0,
      losses: [{ kind: 'lost', direction: 'reply', tries: 10, where: { names: ['n1'] }, dropReason: { reason: 'NETFILTER_DROP' } }],
    });
  });

  it('a datagram whose source port is translated is known by its IP id', () => {
    const translated = withSourcePort(
      read('silent-nftables'),
      (key) => key.includes('n3') || key.includes('udp-silent'),
      (port) => port - 50_000,
    );
    expect(judged(translated)).toMatchObject({ answered: 0, arrived: 10, losses: [] });
  });
});
