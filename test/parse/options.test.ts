import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Capture } from '../../src/model/capture.ts';
import type { ConntrackTable } from '../../src/model/conntrack.ts';
import { cidrText } from '../../src/model/ip.ts';
import type { IpSet } from '../../src/model/ipset.ts';
import type { BridgePort, FdbEntry, Link, MdbEntry, Neighbour } from '../../src/model/link.ts';
import type { KernelCounter, Socket } from '../../src/model/socket.ts';
import type { NamedNamespace } from '../../src/parse/ip-netns.ts';
import type { NexthopObject } from '../../src/parse/ip-nexthop.ts';
import type { InterfaceTable } from '../../src/parse/netstat-interfaces.ts';
import type { ProcAddress } from '../../src/parse/proc-net-ipv6.ts';
import type { LegacyRoute } from '../../src/parse/route-n.ts';
import type { ToolMessage } from '../../src/parse/tool-message.ts';
import { understand } from '../../src/parse/understand.ts';

const folder = new URL('../../fixtures/parse/options/', import.meta.url);

/** What is made of a fixture when nobody says which tool wrote it. The caller names the type that goes with the kind it expects. */
function read<T>(name: string, kind: string): { value: T; complete: boolean } {
  const understood = understand(readFileSync(new URL(`${name}.txt`, folder), 'utf8'));
  expect(understood?.kind).toBe(kind);
  return { value: understood?.parsed.value as T, complete: understood?.parsed.complete ?? false };
}

describe('outputs of other options', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('%s has no line left', (name) => {
    const understood = understand(readFileSync(new URL(name, folder), 'utf8'));
    expect(understood?.kind).not.toBe('mixed');
    expect(understood?.parsed.unparsed).toEqual([]);
  });

  it('bridge fdb of one device or port names no device', () => {
    const { value } = read<FdbEntry[]>('bridge-fdb_show_dev_vx0', 'bridge-fdb');
    expect(value.at(-1)).toMatchObject({ mac: '00:00:00:00:00:00', dst: '10.1.0.8', port: 8472, vni: 77, via: 'eth0', state: 'permanent' });
    expect(value[1]).toMatchObject({ mac: '02:11:22:33:44:56', nexthopId: 22 });
    const port = read<FdbEntry[]>('bridge-fdb_show_brport_vethpeer', 'bridge-fdb').value;
    expect(port[1]).toMatchObject({ mac: '02:aa:00:00:00:01', master: 'br0', state: 'static' });
  });

  it('pretty JSON is told by its items: bridge link is no list of rules, ip nexthop no list of routes', () => {
    const [port] = read<BridgePort[]>('bridge-link_show_dev_vethpeer-s_-j_-p', 'bridge-link').value;
    expect(port).toMatchObject({ name: 'vethpeer', master: 'br0', state: 'forwarding', cost: 7 });
    const nexthops = read<NexthopObject[]>('ip-nexthop-j_-p', 'ip-nexthop').value;
    expect(nexthops.find(({ id }) => id === 10)?.group).toEqual([
      { id: 1, weight: 5 },
      { id: 2, weight: 1 },
    ]);
    expect(read<MdbEntry[]>('bridge-mdb-j', 'bridge-mdb').value[0]).toMatchObject({ bridge: 'br0', port: 'vethpeer', group: '239.1.1.3' });
  });

  it('a nexthop object keeps its encapsulation', () => {
    const { value, complete } = read<NexthopObject[]>('ip-nexthop-4', 'ip-nexthop');
    expect(value.at(-1)).toMatchObject({ id: 31, dev: 'vxext', other: { encap: 'ip id 5 src 0.0.0.0 dst 10.1.0.9 ttl 0 tos 0' } });
    expect(complete).toBe(true);
  });

  it('ip -4 addr puts the far namespace on the first line', () => {
    const links = read<Link[]>('ip-addr-4', 'ip-addr').value;
    expect(links.find(({ name }) => name === 'eth1')).toMatchObject({
      netns: 'k8snet-t3',
      addresses: [{ address: '10.3.0.1', metric: 300 }],
    });
    const family = (wanted: 4 | 6): number =>
      read<Link[]>('ip-addr-br_-j', 'ip-addr').value[0]?.addresses.filter((address) => address.family === wanted).length ?? 0;
    expect([family(4), family(6)]).toEqual([2, 1]);
  });

  it('a rounded counter is kept as printed and is no number', () => {
    const [link] = read<Link[]>('ip-link_show_eth0-s_-iec_-h', 'ip-link').value;
    expect(link?.counters?.rx).toEqual({ packets: 17, errors: 0, dropped: 0, missed: 0, mcast: 0 });
    expect(link?.other).toMatchObject({ 'RX bytes': '1.44ki', 'TX bytes': '11.1ki' });
  });

  it('neighbours of one device, and the brief form, which tells no states', () => {
    const whole = read<Neighbour[]>('ip-neigh_show_dev_eth0-4', 'ip-neigh');
    expect(whole.value[0]).toMatchObject({ address: '10.1.0.56', mac: '02:00:00:00:00:56', states: ['PERMANENT'], protocol: 'zebra' });
    expect(whole.value[1]).toMatchObject({ address: '10.1.0.54', flags: ['managed'], states: ['INCOMPLETE'] });
    const brief = read<Neighbour[]>('ip-neigh-4_-br', 'ip-neigh');
    expect(brief.value[0]).toMatchObject({ address: '10.1.0.56', dev: 'eth0', mac: '02:00:00:00:00:56', states: [] });
    expect(brief.value[1]).toMatchObject({ address: '10.1.0.54', dev: 'eth0' });
    expect(brief.value[1]?.mac).toBeUndefined();
    expect(brief.complete).toBe(false);
  });

  it('ids of namespaces', () => {
    const { value } = read<NamedNamespace[]>('ip-netns_list-id-0', 'ip-netns');
    expect(value.map(({ id, name }) => [id, name])).toEqual([
      [0, 'k8snet-t2'],
      [1, 'k8snet-t3'],
    ]);
  });
});

describe('net-tools and ss', () => {
  it('netstat -a: sockets of the UNIX domain, and of raw sockets with a number for their state', () => {
    const { value, complete } = read<Socket[]>('netstat-a', 'netstat');
    expect(value.find(({ netid }) => netid === 'raw')).toMatchObject({ state: 'UNCONN', local: { service: 'icmp' } });
    const unix = value.filter(({ netid }) => netid === 'unix');
    expect(unix[0]).toMatchObject({
      state: 'LISTEN',
      families: 'not-ip',
      inode: 23657682,
      local: { host: '@abstract' },
      details: 'STREAM ACC',
    });
    expect(complete).toBe(true);
  });

  it('netstat -o: the timer behind user and inode', () => {
    expect(read<Socket[]>('netstat-tanoe', 'netstat').value[0]).toMatchObject({ uid: 0, inode: 23657679, details: 'off (0.00/0/0)' });
  });

  it('netstat -i: a label has no counters', () => {
    const label = read<InterfaceTable>('netstat-i', 'netstat-i').value.interfaces.find(({ name }) => name === 'eth0:1');
    expect(label).toMatchObject({ mtu: 1500, counters: { rx: {}, tx: {} } });
  });

  it('route -ee: metric and MSS', () => {
    const { value } = read<LegacyRoute[]>('route-nee', 'route-n');
    expect(value.find(({ destination }) => destination.address.text === '10.10.0.0')).toMatchObject({ metric: 0, mtu: 1400, dev: 'eth0' });
  });

  it('ss: a family that the kernel refuses to list makes the list incomplete', () => {
    const { value, complete } = read<Socket[]>('ss-a', 'ss');
    expect(value.filter(({ netid }) => netid === 'tcp')).toHaveLength(4);
    expect(complete).toBe(false);
    expect(read<Socket[]>('ss-tanstatesyn-sent', 'ss').value[0]).toMatchObject({ sendQueue: 1, peer: { host: '10.1.0.123', port: 80 } });
    expect(read<Socket[]>('ss-anp-fnetlink', 'ss').value[0]).toMatchObject({ families: 'not-ip', local: { host: '0', port: 0 } });
  });

  it('nstat -j', () => {
    const counters = read<KernelCounter[]>('nstat-j-a', 'nstat').value;
    expect(counters.find(({ name }) => name === 'IpOutRequests')?.value).toBe(131);
  });
});

describe('netfilter tools and captures', () => {
  it('ipset: XML has the members, -t only their number', () => {
    const { value, complete } = read<IpSet[]>('ipset-list_-o_xml', 'ipset');
    expect(value[0]).toMatchObject({ name: 's1', type: 'hash:ip', entries: 2, references: 1, header: { timeout: '300', counters: '' } });
    expect(value[0]?.members[0]).toMatchObject({ parts: ['10.0.0.1'], comment: 'two words', timeout: 0 });
    expect(complete).toBe(true);
    const terse = read<IpSet[]>('ipset-list_-t', 'ipset');
    expect(terse.value[0]).toMatchObject({ name: 's1', entries: 2, members: [] });
    expect(terse.complete).toBe(false);
  });

  it('ipset: an XML list that was cut is not complete', () => {
    const text = readFileSync(new URL('ipset-list_-o_xml.txt', folder), 'utf8');
    for (const end of [text.indexOf('</members>'), text.lastIndexOf('<ipset '), text.length - 3])
      expect(understand(text.slice(0, end))?.parsed.complete, text.slice(end - 20, end)).toBe(false);
  });

  it('nft repeats a command that it refuses', () => {
    const { value } = read<ToolMessage[]>('nft-listtableinetz', 'tool-message');
    expect(value).toMatchObject([{ line: 1, problem: 'refused' }]);
  });

  it('conntrack: the closing count of XML and of what was deleted', () => {
    const xml = read<ConntrackTable>('ct-L-oxml', 'conntrack');
    expect([xml.value.flows.length, xml.value.announced, xml.complete]).toEqual([14, 14, true]);
    const deleted = read<ConntrackTable>('ct-D-s10.0.0.19', 'conntrack');
    expect(deleted.value.announced).toBe(1);
  });

  it('tcpdump: -# and -t, also of device any, and -q -e', () => {
    const numbered = read<Capture>('td-nn-number-e-t', 'tcpdump').value.packets;
    expect(numbered[0]).toMatchObject({ time: undefined, body: { kind: 'arp' }, ethernet: { etherType: 'ARP' } });
    expect(numbered).toHaveLength(11);
    const any = read<Capture>('tdany-nn-t', 'tcpdump').value.packets;
    expect(any[2]).toMatchObject({ direction: 'In', source: { address: '10.4.0.4' }, body: { kind: 'icmp' } });
    const quiet = read<Capture>('td-nn-q-e', 'tcpdump').value.packets;
    expect(quiet[2]).toMatchObject({ ethernet: { etherType: 'IPv4', length: 98 }, destination: { address: '10.4.0.5' } });
  });

  it('tcpdump -v: the packet in a GRE tunnel stands on the next lines', () => {
    const { packets } = read<Capture>('td-nn-v-gre', 'tcpdump').value;
    expect(packets).toHaveLength(2);
    for (const { body, destination, inner } of packets) {
      expect(body).toMatchObject({ kind: 'tunnel', protocol: 'gre' });
      expect([destination?.address, inner?.destination?.port]).toEqual(['10.4.0.5', 53]);
    }
  });

  it('tcpdump: DNS over TCP, a packet that is shorter than it says, and frames of the link layer without a time', () => {
    const [dns, short] = read<Capture>('td-nn-dns-over-tcp-and-truncated', 'tcpdump').value.packets;
    expect(dns).toMatchObject({ body: { kind: 'tcp', length: 32, application: '1 0/0/0 (30)' }, source: { port: 53 } });
    expect(short).toMatchObject({ body: { kind: 'other' }, ip: { version: 4 } });
    const frames = read<Capture>('td-nn-t-link-layer', 'tcpdump').value.packets;
    expect(frames.map(({ body }) => body.kind)).toEqual(Array(6).fill('other'));
  });

  it('tcpdump -A: payload of ARP is no packet', () => {
    expect(read<Capture>('td-nn-A', 'tcpdump').value.packets).toHaveLength(11);
  });

  it('reads the routes and addresses that /proc writes in hexadecimal', () => {
    const routes = read<LegacyRoute[]>('proc-net-ipv6-route', 'proc-net-ipv6-route');
    expect(routes.complete).toBe(false);
    expect(
      routes.value.slice(0, 7).map(({ destination, gateway, metric, dev, kind }) => [cidrText(destination), gateway, metric, dev, kind]),
    ).toEqual([
      ['fd01::5/128', undefined, 256, 'd0', 'way'],
      ['fd01::/64', undefined, 256, 'd0', 'way'],
      ['fd05::/48', 'fd01::9', 77, 'd0', 'way'],
      ['fd06::/64', undefined, 1024, 'lo', 'reject'],
      ['fd07::/64', undefined, 1024, 'lo', 'reject'],
      ['fe80::/64', undefined, 256, 'd0', 'way'],
      ['::/0', 'fe80::1', 1024, 'd0', 'way'],
    ]);
    const addresses = read<ProcAddress[]>('proc-net-if-inet6', 'proc-net-if-inet6');
    expect(addresses.value.map(({ address, scope, deprecated }) => [cidrText(address), scope, deprecated])).toEqual([
      ['fe80::cc66:2bff:fe91:7452/64', 'link', false],
      ['fd01::7/64', 'global', false],
      ['fd01::5/128', 'global', true],
      ['fd01::1/64', 'global', false],
    ]);
  });
});
