import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapturedPacket, PacketBody } from '../../src/model/capture.ts';
import { parsePcap } from '../../src/parse/pcap.ts';
import { parseTcpdump } from '../../src/parse/tcpdump.ts';
import { sample } from './samples.ts';

const file = (name: string): Uint8Array => readFileSync(new URL(`../../fixtures/parse/probe/${name}`, import.meta.url));

/** What both tcpdump's text (-e -S) and the file tell of a packet. tcpdump shows UDP 8472 as OTV, and a broken-off DNS message or a first fragment as UDP. */
function common(packet: CapturedPacket): unknown {
  return {
    ethernet: packet.ethernet?.source,
    vlans: packet.vlans,
    source: packet.source,
    destination: packet.destination,
    body: commonBody(packet.body),
    inner: packet.inner && common(packet.inner),
  };
}

function commonBody(body: PacketBody): unknown {
  if (body.kind === 'tcp')
    return { kind: 'tcp', flags: body.flags, seq: body.seq?.split(':')[0], window: body.window, mss: body.mss, length: body.length };
  if (body.kind === 'tunnel') return { kind: 'tunnel', protocol: body.protocol === 'otv' ? 'vxlan' : body.protocol, vni: body.vni };
  if (body.kind === 'dns') return { kind: 'dns', id: body.id, isResponse: body.isResponse, question: body.question, length: body.length };
  if (body.kind === 'icmp') return { kind: 'icmp', type: body.type, length: body.length };
  return body.kind === 'udp' ? { kind: 'udp', length: body.length } : { kind: body.kind };
}

/** Lines where tcpdump says less: a packet of which only the last segment's seq is shown on a pure ACK, and IGMP and the like. */
const comparable = ({ body }: CapturedPacket): boolean =>
  body.kind !== 'other' && !(body.kind === 'tcp' && body.seq === undefined) && !(body.kind === 'icmp' && body.type === 'other');

describe('parsePcap', () => {
  it.each(['a', 'any', 'nano'])('agrees with tcpdump, packet by packet: capture-%s', (name) => {
    const read = parsePcap(file(`capture-${name}.pcap`));
    const told = parseTcpdump(sample(`capture-${name}-tcpdump.txt`));
    expect(told.unparsed).toEqual([]);
    expect([read?.cut, read?.undecoded]).toEqual([undefined, []]);
    expect(read?.packets).toHaveLength(told.value.packets.length);
    const pairs = told.value.packets.flatMap((packet, index) =>
      comparable(packet) ? [[common(packet), common(read?.packets[index] ?? packet)]] : [],
    );
    expect(pairs.length).toBeGreaterThan(15);
    expect(pairs.map(([, ours]) => ours)).toEqual(pairs.map(([theirs]) => theirs));
  });
  it('reads the time to the last digit that the file has', () => {
    expect(parsePcap(file('capture-a.pcap'))?.packets[0]?.time).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(parsePcap(file('capture-nano.pcap'))?.packets[0]?.time).toMatch(/\.\d{9}Z$/);
  });
  it('sees fragments and the packet that an ICMP error carries', () => {
    const packets = parsePcap(file('capture-a.pcap'))?.packets ?? [];
    expect(packets.filter(({ body }) => body.kind === 'fragment')).toHaveLength(2);
    expect(packets.find(({ body }) => body.kind === 'icmp' && body.type === 'port-unreachable')?.quoted?.destination).toMatchObject({
      address: '10.9.0.2',
    });
  });
  it('reads VLAN tags, one in another', () => {
    const bytes = file('capture-a.pcap');
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24 + 8, true);
    const frame = [...bytes.subarray(40, 40 + length)];
    const tagged = [...frame.slice(0, 12), 0x88, 0xa8, 0x00, 0xc8, 0x81, 0x00, 0x60, 0x0a, ...frame.slice(12)];
    const head = new Uint8Array(new Uint32Array([0, 0, tagged.length, tagged.length]).buffer);
    const [plain] = parsePcap(bytes)?.packets ?? [];
    const [packet] = parsePcap(Uint8Array.from([...bytes.subarray(0, 24), ...head, ...tagged]))?.packets ?? [];
    expect(packet).toMatchObject({ vlans: [200, 10], source: plain?.source, destination: plain?.destination });
  });
  it('reads the same packets out of pcapng', () => {
    const bytes = file('capture-a.pcap');
    const read = parsePcap(asPcapng(bytes));
    expect(read).toMatchObject({ format: 'pcapng', cut: undefined });
    expect(read?.packets).toEqual(parsePcap(bytes)?.packets);
  });
  it('says where a file was cut, keeps what is before, and knows what is no capture', () => {
    const bytes = file('capture-a.pcap');
    const cut = parsePcap(bytes.subarray(0, bytes.length - 10));
    expect(cut?.cut).toBe('ends in a packet');
    expect(cut?.packets).toHaveLength((parsePcap(bytes)?.packets.length ?? 0) - 1);
    expect(parsePcap(new TextEncoder().encode('no capture file at all'))).toBeUndefined();
  });
  it('does not throw on damaged files', () => {
    const samples = [file('capture-a.pcap'), file('capture-any.pcap'), asPcapng(file('capture-a.pcap'))];
    const damage = fc.tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }), fc.nat());
    fc.assert(
      fc.property(damage, ([bytes, changes, end]) => {
        const copy = Uint8Array.from(bytes.subarray(0, bytes.length - (end % 200)));
        for (const [at, value] of changes) copy[at % copy.length] = value;
        const read = parsePcap(copy);
        return read === undefined || read.packets.length >= 0;
      }),
      { numRuns: 300 },
    );
  });
});

/** A pcapng file with the packets of a little-endian pcap file of microseconds. */
function asPcapng(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block = (type: number, body: Uint8Array): Uint8Array => {
    const padded = Math.ceil(body.length / 4) * 4;
    const out = new Uint8Array(padded + 12);
    const words = new DataView(out.buffer);
    words.setUint32(0, type, true);
    words.setUint32(4, padded + 12, true);
    out.set(body, 8);
    words.setUint32(padded + 8, padded + 12, true);
    return out;
  };
  const words = (...values: number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);
  const blocks = [block(0x0a0d0d0a, words(0x1a2b3c4d, 0x00000001, 0xffffffff, 0xffffffff)), block(1, words(1, 262144))];
  for (let at = 24; at < bytes.length; ) {
    const length = view.getUint32(at + 8, true);
    const units = BigInt(view.getUint32(at, true)) * 1_000_000n + BigInt(view.getUint32(at + 4, true));
    const head = words(0, Number(units >> 32n), Number(units & 0xffffffffn), length, length);
    blocks.push(block(6, Uint8Array.from([...head, ...bytes.subarray(at + 16, at + 16 + length)])));
    at += 16 + length;
  }
  return Uint8Array.from(blocks.flatMap((each) => [...each]));
}
