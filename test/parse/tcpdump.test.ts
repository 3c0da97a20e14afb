import { describe, expect, it } from 'vitest';
import type { CapturedPacket } from '../../src/model/capture.ts';
import { parseTcpdump } from '../../src/parse/tcpdump.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

const read = (name: string) => parseTcpdump(sample(name));
const ends = ({ source, destination }: CapturedPacket): string =>
  `${source?.address}:${source?.port ?? ''}>${destination?.address}:${destination?.port ?? ''}`;

describe('parseTcpdump', () => {
  holdsForAnyText(parseTcpdump, samplesLike(/tcpdump/));

  it.each([
    ['099-tcpdump-dns-search-list.txt', 16],
    ['102-tcpdump-tcp-handshake-http.txt', 12],
    ['103-tcpdump-tcp-rst.txt', 2],
    ['104-tcpdump-tcp-syn-retransmit.txt', 4],
    ['105-tcpdump-tcp-zero-window.txt', 14],
    ['106-tcpdump-icmp-echo-and-errors-v.txt', 6],
    ['107-tcpdump-icmp-fragneeded-admin-host.txt', 6],
    ['110-tcpdump-any-sll2.txt', 7],
    ['114-tcpdump-udp-lengths-frag.txt', 4],
    ['115-tcpdump-vxlan-8472-and-4789.txt', 2],
    ['117-tcpdump-crafted-tunnels.txt', 18],
    ['119-tcpdump-bad-checksum.txt', 13],
  ])('counts as many packets as tcpdump did: %s', (name, packets) => {
    const { value, unparsed, complete } = read(name);
    expect(unparsed).toEqual([]);
    expect([value.packets.length, value.counters.captured, complete]).toEqual([packets, packets, true]);
  });
  it('reads DNS questions and answers by id', () => {
    const { packets } = read('099-tcpdump-dns-search-list.txt').value;
    expect(packets[0]).toMatchObject({
      line: 3,
      time: '2026-11-21 06:51:45.493574',
      source: { address: '10.100.0.1', port: 33908 },
      body: { kind: 'dns', id: 20271, isResponse: false, question: { type: 'A', name: 'api.example.com.shop.svc.cluster.local.' } },
    });
    expect(packets[1]?.body).toMatchObject({ kind: 'dns', id: 20271, isResponse: true, rcode: 'NXDomain', counts: [0, 1, 0] });
    expect(read('125-tcpdump-r-dns.txt').value.packets[1]?.body).toMatchObject({ answers: ['A 10.96.7.7'] });
  });
  it('reads a reset, a retransmitted SYN and a window of zero', () => {
    expect(read('103-tcpdump-tcp-rst.txt').value.packets[1]?.body).toMatchObject({ kind: 'tcp', flags: 'R.', length: 0 });
    expect(new Set(read('104-tcpdump-tcp-syn-retransmit.txt').value.packets.map(({ body }) => body.kind === 'tcp' && body.seq)).size).toBe(
      1,
    );
    expect(read('105-tcpdump-tcp-zero-window.txt').value.packets[8]?.body).toMatchObject({ window: 0, ack: 112672958 });
  });
  it('takes the packet that an ICMP error carries for a quotation, not for a packet', () => {
    const { packets } = read('106-tcpdump-icmp-echo-and-errors-v.txt').value;
    expect(packets[3]).toMatchObject({
      body: { kind: 'icmp', type: 'time-exceeded' },
      quoted: { ip: { ttl: 1, id: 8810 }, body: { type: 'echo-request' } },
    });
    expect(packets[5]).toMatchObject({ body: { type: 'port-unreachable' }, quoted: { destination: { address: '10.100.0.2', port: 999 } } });
  });
  it('tells ICMP errors apart', () => {
    const bodies = read('107-tcpdump-icmp-fragneeded-admin-host.txt').value.packets.map(({ body }) => body);
    expect(bodies.map((body) => body.kind === 'icmp' && body.type)).toEqual([
      'echo-request',
      'frag-needed',
      'echo-request',
      'admin-prohibited',
      'echo-request',
      'host-unreachable',
    ]);
    expect(bodies[1]).toMatchObject({ mtu: 1300, unreachable: '10.101.0.9' });
  });
  it('reads device and direction of -i any', () => {
    const { packets } = read('110-tcpdump-any-sll2.txt').value;
    expect(packets.slice(0, 3).map(({ device, direction, body }) => [device, direction, body.kind])).toEqual([
      ['lo', 'In', 'icmp'],
      ['eth0', 'Out', 'arp'],
      ['eth0', 'In', 'arp'],
    ]);
    expect(packets[2]?.body).toMatchObject({ operation: 'reply', sender: '10.100.0.2', mac: '02:00:00:00:05:02' });
  });
  it('puts the packet of a VXLAN tunnel inside, also where it is decoded as OTV', () => {
    const { packets } = read('115-tcpdump-vxlan-8472-and-4789.txt').value;
    expect(packets.map(({ body }) => body)).toEqual([
      { kind: 'tunnel', protocol: 'otv', vni: 1 },
      { kind: 'tunnel', protocol: 'vxlan', vni: 4096 },
    ]);
    expect(packets.map(({ inner }) => inner && ends(inner))).toEqual(['10.244.0.5:>10.244.1.6:', '10.244.0.5:40000>10.244.1.6:8080']);
    const cluster = read('rec-tcpdump-vxlan-e.txt').value.packets;
    expect(cluster.every(({ inner, body }) => inner !== undefined && body.kind === 'tunnel')).toBe(true);
    expect(cluster[0]?.inner).toMatchObject({
      ethernet: { source: '02:00:00:00:00:01' },
      body: { kind: 'dns', question: { name: 'my-service.default.svc.cluster.local.' } },
    });
  });
  it('reads Geneve, IPIP and GRE on one line; the answers beside them are no part of it', () => {
    const { packets } = read('117-tcpdump-crafted-tunnels.txt').value;
    expect(
      packets.filter(({ inner }) => inner).map(({ body, inner }) => [body.kind === 'tunnel' && body.protocol, inner && ends(inner)]),
    ).toEqual([
      ['geneve', '10.244.0.5:>10.244.1.6:'],
      ['ipip', '10.244.0.5:>10.244.1.6:'],
      ['gre', '10.244.0.5:>10.244.1.6:'],
    ]);
    expect(packets[3]?.body).toMatchObject({ type: 'protocol-unreachable' });
  });
  it('reads VLAN tags and fragments', () => {
    expect(read('118-tcpdump-vlan-tags-e.txt').value.packets.map(({ vlans }) => vlans)).toEqual([[100], [200, 10], []]);
    expect(
      read('114-tcpdump-udp-lengths-frag.txt').value.packets.map(({ ip, body }) => [ip?.fragmentOffset, ip?.moreFragments, body.kind]),
    ).toEqual([
      [0, true, 'udp'],
      [1480, true, 'fragment'],
      [2960, false, 'fragment'],
      [0, false, 'icmp'],
    ]);
  });
  it('takes checksum offload for what tcpdump calls it, without losing the packet', () => {
    const { packets } = read('119-tcpdump-bad-checksum.txt').value;
    expect(packets[0]?.body).toMatchObject({ kind: 'tcp', flags: 'S', badChecksum: true });
    expect(packets[12]?.body).toEqual({ kind: 'udp', length: 3, badChecksum: true });
  });
  it('does not count payload as packets, and does not vouch for a capture that shows payload', () => {
    const { value, complete } = read('112-tcpdump-ascii-hex.txt');
    expect(value.packets).toHaveLength(value.counters.captured ?? 0);
    expect([complete, value.hasPayload]).toEqual([false, true]);
    expect(read('113-tcpdump-hex-xx-quiet.txt').value.packets).toHaveLength(1);
  });
  it('is not complete with holes, when cut, or in error', () => {
    expect(read('120-tcpdump-closing-with-drops.txt')).toMatchObject({
      complete: false,
      value: { counters: { droppedByKernel: 5984, received: 6000 } },
    });
    expect(read('216-tcpdump-cut-in-the-middle.txt')).toMatchObject({ complete: false, unparsed: [{ line: 4 }] });
    expect(read('121-tcpdump-errors.txt').value.errors.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(parseTcpdump('').complete).toBe(false);
  });
  it('knows an empty file from a silent tool', () =>
    expect(read('136-tcpdump-r-empty.txt')).toMatchObject({ complete: true, value: { packets: [], source: { isFile: true } } }));
});
