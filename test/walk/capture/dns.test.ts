import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePcap } from '../../../src/parse/pcap.ts';
import { renderCapture } from '../../../src/report/capture.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import type { Entry } from '../../../src/snapshot/entry.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { judgeCapture } from '../../../src/walk/capture/summary.ts';

const recording = unpackSnapshot(readFileSync(new URL('../../../fixtures/captures-dns/healthy-iptables.tgz', import.meta.url)));

function judged(snapshot: Snapshot) {
  const report = judgeCapture(snapshot);
  if (typeof report === 'string') throw new Error(report);
  return report;
}

/** The recording as if some packets had not come there: of one place's capture only those that `keep` names. */
function without(snapshot: Snapshot, key: string, keep: (isAnswer: boolean, direction: string | undefined) => boolean): Snapshot {
  const entry = snapshot.entries.get(key) as Entry;
  const bytes = Buffer.from(entry.stdout, 'base64');
  const packets = parsePcap(bytes)?.packets ?? [];
  const kept = [bytes.subarray(0, 24)];
  for (let at = 24, index = 0; at < bytes.length; index += 1) {
    const size = 16 + bytes.readUInt32LE(at + 8);
    let packet = packets[index];
    while (packet?.inner) packet = packet.inner;
    const isAnswer = packet?.source?.port === 53;
    if (keep(isAnswer, packets[index]?.direction)) kept.push(bytes.subarray(at, at + size));
    at += size;
  }
  const stdout = Buffer.concat(kept).toString('base64');
  return { ...snapshot, entries: new Map(snapshot.entries).set(key, { ...entry, stdout }) };
}

const places = [...recording.entries.keys()].filter((key) => key.endsWith('/pcap'));
const clientKey = 'capture/pod/default/client/pcap';

describe('questions to a DNS server over UDP', () => {
  it('are followed to the server and back', () => {
    const report = judged(recording);
    expect(report).toMatchObject({ tries: 12, answered: 12, losses: [], gaps: [] });
    expect(report.watched).toContain('pod default/client');
    expect(renderCapture(report, 'head', { color: false, width: 120, verbose: 0 })).toMatch(
      /\nall 12 tries were answered\ntried: UDP [\d.]+:53(, UDP [\d.]+:53)*; watched in .*pod default\/client.*\n/,
    );
  });

  it("an answer that comes to the client's node and not to the client is lost on that link", () => {
    const { answered, losses } = judged(without(recording, clientKey, (isAnswer) => !isAnswer));
    expect(answered).toBe(0);
    for (const loss of losses)
      expect(loss).toMatchObject({ kind: 'lost', direction: 'reply', where: { kind: 'pod-link', names: ['pod default/client', 'n1'] } });
    expect(losses[0]?.timeline.map(({ packet }) => packet)).toContain('DNS answer');
  });

  it('a question that leaves the client and is seen nowhere else is lost on its link', () => {
    const others = places.filter((key) => key !== clientKey);
    const lost = others.reduce(
      (snapshot, key) => without(snapshot, key, () => false),
      without(recording, clientKey, (isAnswer) => !isAnswer),
    );
    const { losses } = judged(lost);
    for (const loss of losses) expect(loss).toMatchObject({ kind: 'lost', direction: 'request', where: { kind: 'pod-link' } });
    expect(losses.reduce((sum, { tries }) => sum + tries, 0)).toBe(12);
  });
});
