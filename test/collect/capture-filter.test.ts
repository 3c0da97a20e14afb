import { readFileSync } from 'node:fs';
import { encode } from 'dns-packet';
import { execa, execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { captureFiles } from '../../src/app/capture.ts';
import { captureFilter } from '../../src/collect/capture/filter.ts';
import { tryMark } from '../../src/model/capture-path.ts';
import { capturePlanSchema } from '../../src/schema/capture.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';

const hasTcpdump = execaSync('tcpdump', ['--version'], { reject: false }).exitCode === 0;

const recording = unpackSnapshot(readFileSync(new URL('../../fixtures/captures/cni-fw-between-iptables.tgz', import.meta.url)));
const plan = capturePlanSchema.parse(JSON.parse(recording.entries.get('capture/plan')?.stdout ?? ''));
const pcap = captureFiles(recording).find(({ name }) => name === 'node_n1.pcap')?.bytes ?? new Uint8Array();
const ports = { first: plan.tries[0]?.sourcePort ?? 0, last: plan.tries.at(-1)?.sourcePort ?? 0 };

/** How many packets of the recorded capture of n1 a filter lets through. */
async function count(filter: string): Promise<number> {
  const { stdout } = await execa('tcpdump', ['-nn', '-r', '-', filter], { input: pcap, stderr: 'ignore' });
  return stdout.split('\n').filter((line) => /^\d\d:/.test(line)).length;
}

function datagram(source: number, destination: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  for (const [index, value] of [source, destination, 8 + payload.length].entries()) header.writeUInt16BE(value, 2 * index);
  return Buffer.concat([header, payload]);
}

function ipv4(payload: Buffer): Buffer {
  const header = Buffer.from('450000000000400040110000c0a8010bc0a8010c', 'hex');
  header.writeUInt16BE(20 + payload.length, 2);
  return Buffer.concat([header, payload]);
}

const ethernet = (packet: Buffer): Buffer => Buffer.concat([Buffer.from('0200000000010200000000020800', 'hex'), packet]);

function pcapOf(frames: readonly Buffer[]): Buffer {
  const header = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');
  return Buffer.concat([
    header,
    ...frames.flatMap((frame) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(frame.length, 8);
      record.writeUInt32LE(frame.length, 12);
      return [record, frame];
    }),
  ]);
}

describe('captureFilter', () => {
  it.each([
    { what: 'a name', backends: [{ address: 'web', port: 80 }] },
    { what: 'a filter in an address', backends: [{ address: '10.0.0.1 or tcp', port: 80 }] },
    { what: 'IPv6, which it has no words for', backends: [{ address: 'fd00::1', port: 80 }] },
    { what: 'no port', backends: [{ address: '10.0.0.1', port: 70_000 }] },
    { what: 'half a port', backends: [{ address: '10.0.0.1', port: 80.5 }] },
  ])('takes no address or port that is none: $what', ({ backends }) => {
    expect(() => captureFilter({ protocol: 'TCP', ports: { first: 61_000, last: 61_010 }, backends })).toThrow(/not a/);
  });

  describe.skipIf(!hasTcpdump)(`by tcpdump's own compiler${hasTcpdump ? '' : ' (skipped: there is no tcpdump)'}`, () => {
    it.each(['LINUX_SLL2', 'EN10MB'])('compiles for %s, with no backend, some, and more than it takes', async (link) => {
      for (const size of [0, 1, 4, 40]) {
        const backends = Array.from({ length: size }, (_, index) => ({ address: `10.244.${index}.200`, port: 8080 }));
        for (const protocol of ['TCP', 'UDP'] as const) {
          const filter = captureFilter({ protocol, ports: { first: 65_500, last: 65_535 }, backends });
          expect((await execa('tcpdump', ['-y', link, '-d', filter])).stdout).toContain('ret');
        }
      }
    });

    it('of DNS lets through only names of ours, from whatever port and inside of VXLAN too', async () => {
      const question = (name: string) => encode({ type: 'query', id: 7, questions: [{ type: 'A', name }] });
      const others = captureFilter({ protocol: 'UDP', ports: { first: 1, last: 2 }, backends: [] });
      const packets = [tryMark(61_000), 'my-service'].flatMap((label) => {
        const plain = ipv4(datagram(40_000, 53, question(`${label}.cluster.local`)));
        return [plain, ipv4(datagram(40_000, 8472, Buffer.concat([Buffer.from('0800000000000100', 'hex'), ethernet(plain)])))];
      });
      const { stdout } = await execa('tcpdump', ['-nn', '-r', '-', others], { input: pcapOf(packets.map(ethernet)), stderr: 'ignore' });
      expect(stdout.split('\n').filter((line) => /^\d\d:/.test(line))).toHaveLength(2);
      expect(stdout).toContain(`${tryMark(61_000)}.cluster.local`);
      expect(stdout).not.toContain('my-service');
    });

    it('of datagrams lets through our ports, and from another port only what carries our mark, inside of VXLAN too', async () => {
      const filter = captureFilter({ protocol: 'UDP', datagrams: true, ports: { first: 61_000, last: 61_001 }, backends: [] });
      const packets = [
        { source: 61_000, payload: 'x' },
        { source: 40_000, payload: tryMark(61_000) },
        { source: 40_000, payload: 'somebody else' },
        { source: 40_000, payload: '' },
      ].flatMap(({ source, payload }) => {
        const plain = ipv4(datagram(source, 7777, Buffer.from(payload)));
        return [plain, ipv4(datagram(50_000, 8472, Buffer.concat([Buffer.from('0800000000000100', 'hex'), ethernet(plain)])))];
      });
      const { stdout } = await execa('tcpdump', ['-nn', '-r', '-', filter], { input: pcapOf(packets.map(ethernet)), stderr: 'ignore' });
      const lines = stdout.split('\n').filter((line) => /^\d\d:/.test(line));
      expect(lines).toHaveLength(4);
      expect(stdout.match(/\.61000 > .*\.7777: UDP, length 1$/gm)).toHaveLength(2);
      expect(stdout.match(/\.40000 > .*\.7777: UDP, length 12$/gm)).toHaveLength(2);
    });

    it('lets through every packet of the tries, inside of VXLAN too, and of other ports only what opens, refuses or asks', async () => {
      const marked = captureFilter({ protocol: 'TCP', ports, backends: plan.backends });
      const tunnelled = await count(`udp dst port 8472 and (${marked})`);
      expect(await count(marked)).toBe(await count(''));
      expect(tunnelled).toBeGreaterThan(10);
      const other = captureFilter({ protocol: 'TCP', ports: { first: 1, last: 2 }, backends: [] });
      expect(await count(other)).toBe(await count('arp or icmp or (udp and udp[39] = 1)'));
      const opening = captureFilter({ protocol: 'TCP', ports: { first: 1, last: 2 }, backends: plan.backends });
      expect(await count(`(${opening}) and udp dst port 8472 and udp[63] & 6 = 0`)).toBe(0);
      expect(await count(`(${opening}) and udp dst port 8472`)).toBeGreaterThan(0);
    });
  });
});
