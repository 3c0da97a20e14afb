import { describe, expect, it } from 'vitest';
import { conntrackTotal, translationOf } from '../../src/model/conntrack.ts';
import { parseAddress } from '../../src/model/ip.ts';
import { hasCarrier, isUp } from '../../src/model/link.ts';
import { routeCovers, waysOut } from '../../src/model/route.ts';
import { counterValue } from '../../src/model/socket.ts';
import { parseArp } from '../../src/parse/arp.ts';
import { parseBrctlShow } from '../../src/parse/brctl.ts';
import { parseBridgeFdb } from '../../src/parse/bridge-fdb.ts';
import { parseBridgeLink } from '../../src/parse/bridge-link.ts';
import { parseBridgeMdb } from '../../src/parse/bridge-mdb.ts';
import { parseBridgeVlan } from '../../src/parse/bridge-vlan.ts';
import { parseConntrack, parseConntrackCount, parseConntrackExpectations } from '../../src/parse/conntrack.ts';
import { parseConntrackStats, parseProcConntrackStats } from '../../src/parse/conntrack-stats.ts';
import { parseEthtool } from '../../src/parse/ethtool.ts';
import { parseIfconfig } from '../../src/parse/ifconfig.ts';
import { parseIpAddr } from '../../src/parse/ip-addr.ts';
import { parseIpLink } from '../../src/parse/ip-link.ts';
import { parseIpRoute } from '../../src/parse/ip-route.ts';
import { parseIpRouteGet } from '../../src/parse/ip-route-get.ts';
import { parseIpRule } from '../../src/parse/ip-rule.ts';
import { parseKernelLog } from '../../src/parse/kernel-log.ts';
import { parseNetstat, parseNetstatStatistics } from '../../src/parse/netstat.ts';
import { parseNstat } from '../../src/parse/nstat.ts';
import { parseProcNetDev, parseProcNetSnmp, parseProcNetSockets } from '../../src/parse/proc-net.ts';
import { parseSoftnet } from '../../src/parse/softnet.ts';
import { parseSs } from '../../src/parse/ss.ts';
import { findSysctl, parseSysctl, sysctlNumber, sysctlPath } from '../../src/parse/sysctl.ts';
import { parseTcQdisc } from '../../src/parse/tc.ts';
import { nodeOutput } from './node-outputs.ts';

const text = (name: string): string => nodeOutput(name).text;

describe('routes', () => {
  it('tells the refusals of ip route get apart', () => {
    const answers = parseIpRouteGet(
      ['Invalid argument', 'Permission denied', 'No route to host', 'Network is unreachable', 'Invalid cross-device link']
        .map((message) => `RTNETLINK answers: ${message}\n`)
        .join(''),
    );
    expect(answers.complete).toBe(true);
    expect(answers.value.map((answer) => answer.kind === 'error' && answer.means)).toEqual([
      'blackhole-or-rp-filter',
      'prohibit',
      'unreachable',
      'no-route-or-throw',
      'rp-filter',
    ]);
  });

  it('takes the learned path MTU from the cache line (IPv4) and from the route (IPv6)', () => {
    const answers = parseIpRouteGet(text('ip-039-ip-route-get-pmtu-exception')).value;
    expect(answers.map((answer) => answer.kind === 'route' && answer.pathMtu)).toEqual([1400, 1400]);
  });

  it('keeps a multipath route that BusyBox prints without its nexthops, and says that its ways out are not known', () => {
    const { value, complete } = parseIpRoute(text('ip-013-busybox-ip-route-every-type'));
    const route = value.find(({ dst }) => dst === '10.9.0.0/16');
    expect(route === undefined ? 'missing' : waysOut(route)).toBeUndefined();
    expect(complete).toBe(false);
    expect(value.find(({ dst }) => dst === '10.1.0.0/16')?.metric).toBe(4278198272);
  });

  it('does not decide the family of a default route that shows no address', () => {
    const [route] = parseIpRoute('default dev eth0 scope link \n').value;
    const address = parseAddress('10.0.0.1');
    expect(route?.family).toBeUndefined();
    expect(route !== undefined && address !== undefined && routeCovers(route, address)).toBeUndefined();
    expect(parseIpRoute('default dev eth0 scope link \n', { family: 4 }).value[0]?.destination?.length).toBe(0);
  });

  it('reads 0.0.0.0 without a mask as the host that it names, not as the default route', () => {
    expect(parseIpRoute('0.0.0.0 via 10.0.0.1 dev eth0 \n').value[0]?.destination?.length).toBe(32);
  });

  it('reads old IPv6 reject routes with an error number', () => {
    const [route] = parseIpRoute('unreachable default dev lo metric 4294967295 error -113 pref medium\n').value;
    expect(route).toMatchObject({ type: 'unreachable', error: -113, family: 6, metric: 4294967295 });
  });

  it('refuses a route with a word that it does not know, instead of dropping the word', () => {
    const parsed = parseIpRoute('10.0.0.0/24 dev eth0 sorcery 3\n10.1.0.0/24 dev eth0\n');
    expect(parsed.value.map(({ dst }) => dst)).toEqual(['10.1.0.0/24']);
    expect(parsed.unparsed).toMatchObject([{ line: 1, why: 'unknown word "sorcery"' }]);
    expect(parsed.complete).toBe(false);
  });

  it('refuses rules of BusyBox that hide a goto, and never calls its list complete', () => {
    const listing = '0:\tfrom all lookup local \n70:\tfrom 10.99.0.0/16 lookup unspec local \n';
    expect(parseIpRule(listing).unparsed.map(({ line }) => line)).toEqual([2]);
    expect(parseIpRule('0:\tfrom all lookup local \n', { tool: 'busybox' }).complete).toBe(false);
  });

  it('refuses a rule in JSON with a selector that it does not know', () => {
    expect(parseIpRule('[{"priority":5,"src":"all","table":"9","sorcery":1}]').unparsed).toHaveLength(1);
  });
});

describe('interfaces', () => {
  it('reads VXLAN alike from text and JSON', () => {
    const plain =
      '3: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 \n    vxlan id 1 local 192.168.1.11 dev eth0 srcport 0 0 dstport 8472 nolearning ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 \n';
    const [link] = parseIpLink(plain).value;
    expect(link?.vxlan).toEqual({ id: 1, local: '192.168.1.11', dev: 'eth0', dstport: 8472, learning: false, external: false });
    expect(link?.lastLine).toBe(3);
  });

  it('keeps the flag bits that BusyBox glues to the last flag', () => {
    const links = parseIpLink(text('ip-067-busybox-ip-link-every-kind')).value;
    const bond = links.find(({ name }) => name === 'bond0');
    expect(bond?.flags).toEqual(['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP', '0x400']);
    expect(bond === undefined ? undefined : [isUp(bond), hasCarrier(bond)]).toEqual([true, false]);
  });

  it('does not know whether an interface is up when the output shows no flags', () => {
    const [link] = parseIpAddr('2: br0    inet 10.9.0.1/24 scope global br0\\       valid_lft forever preferred_lft forever\n').value;
    expect(link).toMatchObject({
      index: 2,
      name: 'br0',
      addresses: [{ address: '10.9.0.1', prefixLength: 24, label: 'br0', validLifetime: 'forever' }],
    });
    expect(link === undefined ? 'missing' : isUp(link)).toBeUndefined();
  });

  it('reads a block without its index, as pasted, and one with metric and deprecated before the label', () => {
    const parsed = parseIpAddr(
      'flannel.1: <BROADCAST,MULTICAST> mtu 1450 qdisc noop state DOWN \n    inet 10.0.0.5/24 metric 100 brd 10.0.0.255 scope global deprecated dynamic vlan.5\n',
    );
    expect(parsed.unparsed).toEqual([]);
    expect(parsed.value[0]?.addresses[0]).toMatchObject({ metric: 100, label: 'vlan.5', flags: ['deprecated', 'dynamic'] });
  });

  it('reads the counters under old headings, where RX: is glued to the first name', () => {
    const [link] = parseIpLink(
      '2: eth0: <UP> mtu 1500\n    RX: bytes  packets  errors  dropped overrun mcast   \n    10         2        3       4       5       6      \n    TX: bytes  packets  errors  dropped carrier collsns \n    7          8        9       10      11      12     \n',
    ).value;
    expect(link?.counters?.rx).toMatchObject({ bytes: 10, dropped: 4, mcast: 6 });
    expect(link?.counters?.tx).toMatchObject({ packets: 8, collsns: 12 });
  });

  it('ifconfig: both layouts', () => {
    const [old] = parseIfconfig(
      'flannel.1 Link encap:Ethernet  HWaddr 02:AA:00:00:00:01  \n          inet addr:10.244.1.0  Bcast:0.0.0.0  Mask:255.255.255.255\n          UP BROADCAST RUNNING MULTICAST  MTU:1450  Metric:1\n          RX packets:6 errors:0 dropped:9 overruns:0 frame:0\n          TX packets:6 errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:0 \n          RX bytes:432 (432.0 B)  TX bytes:596 (596.0 B)\n',
    ).value;
    expect(old).toMatchObject({
      name: 'flannel.1',
      mtu: 1450,
      address: '02:aa:00:00:00:01',
      addresses: [{ address: '10.244.1.0', prefixLength: 32 }],
    });
    expect(old?.counters?.rx).toMatchObject({ dropped: 9, bytes: 432 });
    expect(parseIfconfig(text('ip-217-netstat-german')).value[0]).toMatchObject({
      name: 'eth0',
      linkType: 'ether',
      addresses: [{ prefixLength: 24 }, { family: 6, scope: 'link' }],
    });
  });
});

describe('bridge', () => {
  it('keeps every occurrence of a MAC: of the bridge, of the interface, per VLAN', () => {
    const entries = parseBridgeFdb(text('ip-072-bridge-fdb-many-s-d')).value.filter(({ mac }) => mac === '02:aa:00:00:00:04');
    expect(entries.map(({ vlan, master, dst }) => [vlan, master, dst])).toEqual([
      [1, 'br0', undefined],
      [undefined, 'br0', undefined],
      [undefined, undefined, '192.0.2.12'],
    ]);
  });

  it('reads an entry without dev, and one of another port and VNI', () => {
    const { value, complete } = parseBridgeFdb(
      '02:00:00:00:00:02 dst 192.168.1.12 self permanent\n00:00:00:00:00:00 dev vx dst 192.0.2.13 port 8472 vni 200 self permanent\n',
    );
    expect(value).toMatchObject([
      { dst: '192.168.1.12', state: 'permanent', flags: ['self'] },
      { port: 8472, vni: 200 },
    ]);
    expect(value[0]?.dev).toBeUndefined();
    expect(complete).toBe(true);
  });

  it('does not keep the peer name that bridge link makes up, and reads the old form', () => {
    expect(parseBridgeLink(text('ip-077-bridge-link-d')).value[0]).toMatchObject({
      name: 'p1',
      master: 'br0',
      state: 'forwarding',
      options: { hairpin: 'on', isolated: 'off' },
    });
    expect(
      parseBridgeLink('7: veth1 state DOWN @(null): <BROADCAST> mtu 1500 master cni0 state disabled priority 32 cost 2 \n').value,
    ).toMatchObject([{ name: 'veth1', state: 'disabled' }]);
  });

  it('VLANs: ranges, tunnels, several on one line, a port named alone after an empty line', () => {
    expect(parseBridgeVlan(text('ip-075-bridge-vlan-many-compressed-new')).value).toContainEqual(
      expect.objectContaining({ port: 'vxmd', first: 10, last: 13, tunnelId: 5010 }),
    );
    const old = parseBridgeVlan('port\tvlan ids\nveth1\t 1 PVID untagged 201\n\nveth1\n');
    expect(old.unparsed).toEqual([]);
    expect(old.value.map(({ first, pvid, untagged }) => [first, pvid, untagged])).toEqual([
      [1, true, true],
      [201, false, false],
    ]);
    expect(parseBridgeVlan('RTNETLINK answers: Operation not supported\nDump terminated\nport              vlan-id  \n').complete).toBe(
      false,
    );
  });

  it('multicast entries with and without timers', () => {
    const parsed = parseBridgeMdb(
      'dev br0 port v1 grp ff05::99 temp proto static   259.98\ndev br0 port br0 grp ff02::6a temp  259.94\nrouter ports on br0: v1 v2 \n',
    );
    expect(parsed.unparsed).toEqual([]);
    expect(parsed.value).toMatchObject([
      { group: 'ff05::99', state: 'temp', other: { proto: 'static', timer: '259.98' } },
      { port: 'br0' },
      { kind: 'router', port: 'v1' },
      { kind: 'router', port: 'v2' },
    ]);
  });

  it('brctl: ports on lines of tabs, and a bridge that does not exist', () => {
    const { value } = parseBrctlShow(text('ip-080-brctl-show'));
    expect(value[0]).toMatchObject({ kind: 'bridge', name: 'br0', stp: true, ports: ['p1', 'p2', 'p3', 'p4', 'vx100', 'vxmd'] });
    expect(value[2]).toMatchObject({ kind: 'absent', name: 'nosuch' });
  });
});

describe('conntrack', () => {
  it('reads a DESTROY event, which has no timeout, with the time in front and the program behind', () => {
    const parsed = parseConntrack(
      '[1763708594.123456]\t[DESTROY] udp      17 src=10.1.1.1 dst=10.42.2.9 sport=1111 dport=9999 [UNREPLIED] src=10.42.2.9 dst=10.1.1.1 sport=9999 dport=1111 [USERSPACE] portid=19861 progname=conntrack\n',
    );
    expect(parsed.unparsed).toEqual([]);
    expect(parsed.value.flows[0]).toMatchObject({
      event: 'DESTROY',
      protocol: 'udp',
      unreplied: true,
      flags: ['USERSPACE'],
      original: { sport: 1111 },
      other: { portid: '19861', timestamp: '1763708594.123456' },
    });
    expect(parsed.value.flows[0]?.timeout).toBeUndefined();
  });

  it('takes id= for ICMP while in a tuple, and for the entry behind it', () => {
    const [flow] = parseConntrack(
      'icmp     1 28 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 mark=0 use=1 id=3315460964\n',
    ).value.flows;
    expect(flow).toMatchObject({ original: { icmpId: 77 }, reply: { icmpId: 77 }, id: '3315460964' });
  });

  it('shows both translations of a flow to a Service through masquerade', () => {
    const [flow] = parseConntrack(
      'tcp      6 118 SYN_SENT src=10.42.1.9 dst=10.43.7.21 sport=50120 dport=80 [UNREPLIED] src=10.42.2.9 dst=10.42.2.1 sport=8080 dport=50120 mark=16384 use=1\n',
    ).value.flows;
    expect(flow === undefined ? undefined : translationOf(flow)).toEqual({ source: true, destination: true });
  });

  it('puts the halves together that the closing message was written into, and counts', () => {
    const parsed = parseConntrack(text('nf-107-conntrack-L-147-both'));
    expect(parsed.value.announced).toBe(23);
    expect(parsed.value.flows).toHaveLength(23);
    expect(parsed.complete).toBe(true);
  });

  it('is not complete when fewer flows are there than were announced', () => {
    const lines = text('nf-106-conntrack-L-147').split('\n').slice(0, 5).join('\n');
    expect(parseConntrack(`conntrack v1.4.7 (conntrack-tools): 23 flow entries have been shown.\n${lines}\n`).complete).toBe(false);
  });

  it('adds counters of all CPUs, and tells a counter that is 0 from one that is not printed', () => {
    const stats = parseConntrackStats(text('nf-122-conntrack-S-insert_failed-invalid')).value;
    expect([conntrackTotal(stats, 'insert_failed'), conntrackTotal(stats, 'drop'), conntrackTotal(stats, 'early_drop')]).toEqual([3, 3, 0]);
    expect(conntrackTotal(stats, 'ignore')).toBeUndefined();
  });

  it('reads /proc/net/stat/nf_conntrack as hexadecimal and does not add up entries', () => {
    const stats = parseProcConntrackStats(
      'entries  searched found new invalid drop\n00000153  00000000 0000001a 00000000 00000010 0000053a\n00000153  00000000 00000000 00000000 00000000 00000001\n',
    ).value;
    expect(stats.entries).toBe(0x153);
    expect(conntrackTotal(stats, 'drop')).toBe(0x53b);
    expect(conntrackTotal(stats, 'entries')).toBeUndefined();
  });

  it('counts, and expectations', () => {
    expect(parseConntrackCount('19\n')).toEqual({ value: 19, unparsed: [], complete: true });
    expect(parseConntrackCount('').complete).toBe(false);
    expect(parseConntrackExpectations(text('nf-121-conntrack-L-expect-ftp')).value[0]).toMatchObject({
      helper: 'ftp',
      dport: 51210,
      masterSrc: '10.42.1.9',
    });
  });
});

describe('settings, sockets and counters', () => {
  it('finds a setting of an interface with a dot by any of its names', () => {
    const { value } = parseSysctl(text('ip-201-busybox-sysctl-a-with-dotted-interfaces'));
    expect(sysctlNumber(value, 'net/ipv4/conf/eth0.100/rp_filter')).toBe(2);
    expect(sysctlNumber(value, 'net.ipv4.conf.eth0/100.rp_filter')).toBe(2);
    expect(sysctlPath('net.bridge.bridge-nf-call-iptables')).toBe('net/bridge/bridge-nf-call-iptables');
  });

  it('tells a setting that is absent from one that could not be read', () => {
    const { value, unparsed } = parseSysctl(
      'sysctl: cannot stat /proc/sys/net/bridge/bridge-nf-call-iptables: No such file or directory\nsysctl: permission denied on key \'net.ipv4.tcp_fastopen_key\'\nsysctl: reading key "net.ipv6.conf.all.stable_secret": Input/output error\n',
    );
    expect(unparsed).toEqual([]);
    expect(findSysctl(value, 'net.bridge.bridge-nf-call-iptables')?.state).toBe('absent');
    expect(findSysctl(value, 'net.ipv4.tcp_fastopen_key')?.state).toBe('forbidden');
    expect(findSysctl(value, 'net.ipv6.conf.all.stable_secret')?.state).toBe('unreadable');
    expect(findSysctl(value, 'net.ipv4.ip_forward')).toBeUndefined();
  });

  it('tells dual stack from IPv6 only, and says so when it cannot', () => {
    const { value } = parseSs(text('ip-190-ss-tanpi-server'));
    const listener = (port: number): string | undefined =>
      value.find(({ local, state }) => local.port === port && state === 'LISTEN')?.families;
    expect([listener(7080), listener(7443), listener(7444)]).toEqual(['ipv4', 'dual-stack', 'ipv6']);
    expect(value.find(({ local }) => local.port === 7090)).toMatchObject({
      recvQueue: 2,
      sendQueue: 1,
      processes: [{ name: 'python3', pid: 20453, fd: 7 }],
    });
    expect(
      parseSs('State   Recv-Q Send-Q Local Address:Port  Peer Address:Port\nLISTEN  0      128    *:10250   *:*\n').value[0]?.families,
    ).toBe('unknown');
    expect(parseNetstat(text('ip-195-busybox-netstat-tnl-without-p')).value.find(({ local }) => local.port === 7443)?.families).toBe(
      'unknown',
    );
  });

  it('reads a socket that is bound to an interface, and is not complete without a heading', () => {
    const { value } = parseSs(text('ip-192-ss-summary-and-udp'));
    expect(value.find(({ local }) => local.port === 7068)?.local).toEqual({ host: '10.120.0.2', zone: 'eth0', port: 7068 });
    expect(value.find(({ local }) => local.host === '::ffff:10.120.0.2')?.families).toBe('ipv4');
    expect(parseSs('').complete).toBe(false);
  });

  it('names counters alike in nstat, /proc/net/netstat and netstat -s', () => {
    expect(counterValue(parseNstat(text('ip-197-nstat-az-s')).value, 'TcpExtListenOverflows')).toBe(12);
    expect(counterValue(parseProcNetSnmp('TcpExt: ListenOverflows ListenDrops\nTcpExt: 12 13\n').value, 'TcpExtListenOverflows')).toBe(12);
    const prose = parseNetstatStatistics(
      'TcpExt:\n    12 times the listen queue of a socket overflowed\n    TCPBacklogDrop: 3\n    5 packets somehow odd\nIcmp:\n    ICMP input histogram:\n        destination unreachable: 7\n',
    ).value;
    expect(prose.map(({ name, value }) => [name, value])).toEqual([
      ['TcpExtListenOverflows', 12],
      ['TcpExtTCPBacklogDrop', 3],
      ['TcpExt # packets somehow odd', 5],
      ['IcmpInDestUnreachs', 7],
    ]);
  });

  it('does not keep a number that it cannot keep exactly', () => {
    const parsed = parseNstat('#kernel\nIpExtInOctets 18446744073709551615 0.0\n');
    expect(parsed.value).toEqual([]);
    expect(parsed.unparsed).toHaveLength(1);
  });

  it('decodes /proc/net/tcp and tcp6', () => {
    const parsed = parseProcNetSockets(
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 12345 1\n   1: 0000000000000000FFFF00000200780A:1D13 0000000000000000FFFF00000100780A:CB94 01 00000000:00000000 00:00000000 00000000     0        0 12 1\n',
    );
    expect(parsed.unparsed).toEqual([]);
    expect(parsed.value).toMatchObject([
      { state: 'LISTEN', recvQueue: 2, local: { host: '127.0.0.1', port: 8080 }, inode: 12345 },
      { state: 'ESTAB', local: { host: '::ffff:10.120.0.2', port: 7443 }, families: 'ipv4' },
    ]);
  });

  it('reads /proc/net/dev also where the number is glued to the name', () => {
    const heading =
      'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
    expect(parseProcNetDev(`${heading}  eth0:255304 381 0 7 0 0 0 0 71313 364 0 9 0 0 0 0\n`).value[0]).toMatchObject({
      name: 'eth0',
      counters: { rx: { bytes: 255304, dropped: 7 }, tx: { dropped: 9 } },
    });
  });

  it('arp: an incomplete entry has no MAC, even where an old one is printed', () => {
    const table = parseArp(text('ip-053-proc-net-arp')).value;
    expect(table.find(({ address }) => address === '10.70.0.14')?.mac).toBeUndefined();
    expect(table.find(({ address }) => address === '10.70.0.10')).toMatchObject({ mac: '02:00:00:00:00:10', states: ['PERMANENT'] });
    const plain = parseArp(
      'Address                  HWtype  HWaddress           Flags Mask            Iface\n10.0.0.3                         (incomplete)                              eth0\n10.0.0.9                 ether   02:00:00:00:00:09   CM                    eno16777736\n',
    );
    expect(plain.unparsed).toEqual([]);
    expect(plain.value.map(({ mac, dev }) => [mac, dev])).toEqual([
      [undefined, 'eth0'],
      ['02:00:00:00:00:09', 'eno16777736'],
    ]);
  });

  it('ethtool: fixed, requested and empty values', () => {
    const report = parseEthtool(
      'Actual changes:\ntx-checksumming: off\n\ttx-checksum-ip-generic: off [requested on]\nFeatures for eth0:\ntx-udp_tnl-segmentation: off [fixed]\n',
    ).value;
    expect(report.features).toMatchObject([{ on: false }, { requested: true }, { device: 'eth0', fixed: true }]);
    const real = parseEthtool(text('ip-069-ethtool-i-k-and-settings-veth')).value;
    expect(real.driver.find(({ name }) => name === 'bus-info')?.value).toBe('');
    expect(real.statistics.find(({ name }) => name === 'peer_ifindex')?.value).toBe(9);
    expect(real.settings.find(({ name }) => name === 'Link detected')?.value).toBe('yes');
  });

  it('tc: what a queueing discipline dropped', () => {
    const parsed = parseTcQdisc(
      'qdisc netem 8001: dev eth0 root refcnt 2 limit 1000 delay 5ms loss 10%\n Sent 300 bytes 4 pkt (dropped 5, overlimits 6 requeues 7) \n backlog 0b 0p requeues 0\n',
    );
    expect(parsed.value).toMatchObject([
      { kind: 'netem', dev: 'eth0', parent: 'root', options: 'refcnt 2 limit 1000 delay 5ms loss 10%', counters: { dropped: 5 } },
    ]);
  });

  it('kernel log: a full conntrack table in every kind of prefix, and suppressed messages', () => {
    const log = parseKernelLog(
      '[2345678.123456]nf_conntrack: table full, dropping packet\n[Sat Nov 21 07:03:05 2026] nf_conntrack: nf_conntrack: table full, dropping packet\nNov 21 07:03:05 n1 kernel: [ 12.3] net_ratelimit: 1234 callbacks suppressed\nNov 21 07:03:05 n1 kernel: neighbour: arp_cache: neighbor table overflow!\n4,1234,5678,-;ip_conntrack: table full, dropping packet.\nsomething else\n',
    ).value;
    expect(log.map(({ event }) => event)).toEqual([
      'conntrack-table-full',
      'conntrack-table-full',
      'suppressed',
      'neighbour-table-overflow',
      'conntrack-table-full',
      undefined,
    ]);
    expect(log[2]?.count).toBe(1234);
  });

  it('softnet: hexadecimal, with the CPU where the kernel prints it', () => {
    expect(
      parseSoftnet(
        '00014e16 00000002 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000000 00000000\n',
      ).value,
    ).toMatchObject([{ processed: 0x14e16, dropped: 2, timeSqueeze: 10, cpu: 1 }]);
  });
});
