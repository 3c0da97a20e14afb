import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureFiles } from '../../../src/app/capture.ts';
import { createPacketRing, type PacketRing } from '../../../src/collect/capture/ring.ts';
import { parsePcap } from '../../../src/parse/pcap.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';

const recording = unpackSnapshot(readFileSync(new URL('../../../fixtures/captures/cni-fw-between-iptables.tgz', import.meta.url)));
const pcap = Buffer.from(captureFiles(recording).find(({ name }) => name === 'node_n1.pcap')?.bytes ?? []);
const packets = parsePcap(pcap)?.packets ?? [];
const hello = Buffer.from('@@k8snet:0123456789abcdef:hello\n');
const sections = Buffer.from('@@k8snet:0123456789abcdef:begin:0\nlistening on any\n@@k8snet:0123456789abcdef:done:1\n');
const stream = Buffer.concat([hello, pcap, sections]);

function feedInPieces(ring: PacketRing, bytes: Buffer, sizes: readonly number[]): void {
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = Math.max(1, sizes[index % sizes.length] ?? 1);
    ring.feed(bytes.subarray(at, at + size));
    at += size;
  }
}

describe('createPacketRing', () => {
  it('has a whole capture again, and what comes after it, however the stream is cut into pieces', () => {
    expect(packets.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 }), (sizes) => {
        const ring = createPacketRing(1000, () => 0);
        feedInPieces(ring, stream, sizes);
        expect(Buffer.compare(Buffer.from(ring.file()), pcap)).toBe(0);
        expect(Buffer.from(ring.tail()).toString()).toBe(sections.toString());
        expect(ring.received()).toBe(stream.length);
      }),
      { numRuns: 30 },
    );
  });

  it('listens when the header of the capture has come, and not before', () => {
    const ring = createPacketRing(1000, () => 0);
    ring.feed(hello);
    expect(ring.isListening()).toBe(false);
    ring.feed(pcap.subarray(0, 23));
    expect(ring.isListening()).toBe(false);
    ring.feed(pcap.subarray(23, 24));
    expect(ring.isListening()).toBe(true);
  });

  it('is empty where no capture began, and has the words of the script', () => {
    const ring = createPacketRing(1000, () => 0);
    ring.feed(Buffer.concat([hello, sections]));
    expect(ring.isListening()).toBe(false);
    expect(ring.file()).toHaveLength(0);
    expect(Buffer.from(ring.tail()).toString()).toContain('listening on any');
  });

  it('forgets packets older than it keeps, until it is held', () => {
    let now = 0;
    const ring = createPacketRing(1000, () => now);
    const half = 24 + 16 + pcap.readUInt32LE(24 + 8);
    ring.feed(Buffer.concat([hello, pcap.subarray(0, half)]));
    now = 1500;
    ring.feed(pcap.subarray(half));
    expect(parsePcap(ring.file())?.packets).toHaveLength(packets.length - 1);
    ring.hold();
    now = 10_000;
    ring.feed(sections);
    expect(parsePcap(ring.file())?.packets).toHaveLength(packets.length - 1);
  });

  it('keeps no more than its bound of bytes, the latest', () => {
    const ring = createPacketRing(1000, () => 0);
    ring.hold();
    ring.feed(Buffer.concat([hello, pcap]));
    const body = pcap.subarray(24);
    for (let fed = 0; fed < 6 * 1024 * 1024; fed += body.length) ring.feed(body);
    const kept = Buffer.from(ring.file());
    expect(kept.length).toBeLessThanOrEqual(4 * 1024 * 1024 + 24);
    expect(kept.length).toBeGreaterThan(4 * 1024 * 1024 - 1000);
    expect(kept.subarray(-body.length).equals(body)).toBe(true);
  });
});
