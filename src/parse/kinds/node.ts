import { parseArp } from '../arp.ts';
import { parseBrctlShow, parseBrctlShowmacs } from '../brctl.ts';
import { parseBridgeFdb } from '../bridge-fdb.ts';
import { parseBridgeLink } from '../bridge-link.ts';
import { parseBridgeMdb } from '../bridge-mdb.ts';
import { parseBridgeVlan } from '../bridge-vlan.ts';
import { parseEthtool } from '../ethtool.ts';
import { parseIfconfig } from '../ifconfig.ts';
import { parseIpAddr } from '../ip-addr.ts';
import { parseIpLink } from '../ip-link.ts';
import { parseIpMonitor } from '../ip-monitor.ts';
import { parseIpNeigh } from '../ip-neigh.ts';
import { parseIpNetns } from '../ip-netns.ts';
import { parseIpNexthop } from '../ip-nexthop.ts';
import { parseIpRoute } from '../ip-route.ts';
import { parseIpRouteGet } from '../ip-route-get.ts';
import { parseIpRule } from '../ip-rule.ts';
import { parseIpXfrm } from '../ip-xfrm.ts';
import { parseKernelLog } from '../kernel-log.ts';
import { parseNetstat, parseNetstatStatistics } from '../netstat.ts';
import { parseNetstatInterfaces } from '../netstat-interfaces.ts';
import { parseNstat } from '../nstat.ts';
import { parseProcBonding } from '../proc-bonding.ts';
import { parseProcNetDev, parseProcNetSnmp, parseProcNetSockets } from '../proc-net.ts';
import { parseProcNetIfInet6, parseProcNetIpv6Route } from '../proc-net-ipv6.ts';
import { parseProcSockstat } from '../proc-sockstat.ts';
import { parseRouteN } from '../route-n.ts';
import { parseSoftnet } from '../softnet.ts';
import { parseSs } from '../ss.ts';
import { parseTcFilter, parseTcQdisc } from '../tc.ts';
import { cut, endless, type Kind, kind, noHeading, nothingIn, open } from './kind.ts';

/** Kinds of links, routes, sockets and counters of a node. */
export const nodeKinds: readonly Kind[] = [
  kind(
    'ip-monitor',
    'ip monitor',
    parseIpMonitor,
    /^(?:\[[\d:.T-]+\] ?)?\[(?:LINK|ADDR|ROUTE|NEIGH|RULE|NEXTHOP|NETCONF|PREFIX|NSID)\]|^Deleted (?:\d+:|dev |inet6? |(?:local|broadcast|multicast|unreachable|blackhole) |[\da-f.:]+(?:\/\d+)? (?:dev|via) )|^Timestamp: .* usec$/,
    { otherwise: endless },
  ),
  kind('bridge-vlan', 'bridge vlan', parseBridgeVlan, /^port\s+vlan/, { otherwise: noHeading }),
  kind(
    'bridge-fdb',
    'bridge fdb',
    parseBridgeFdb,
    /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2} (?:dev|dst|vlan|used|nhid|src_vni|vni|master|self|offload|extern_learn) ?\S*|^\s*"mac": ?"|^\[?\{"mac":/,
  ),
  kind(
    'bridge-link',
    'bridge link',
    parseBridgeLink,
    /^\d+: \S+ .*(?:master \S+ )?state (?:disabled|listening|learning|forwarding|blocking)\b|^\[?\{"ifindex":\d+,.*"state":"(?:disabled|listening|learning|forwarding|blocking)","priority":/,
  ),
  kind('bridge-mdb', 'bridge mdb', parseBridgeMdb, /^dev \S+ port \S+ grp |^router ports on \S+: |^\[?\{"mdb":/),
  kind('brctl-show', 'brctl show', parseBrctlShow, /^bridge name\s+bridge id\s+STP/, { otherwise: noHeading }),
  kind('brctl-showmacs', 'brctl showmacs', parseBrctlShowmacs, /^port no\s+mac addr/, { otherwise: noHeading }),
  kind(
    'ip-addr',
    'ip addr',
    parseIpAddr,
    /^(?:\d+: \S+)?\s+inet6? \S+ .*scope |^\s*"addr_info"|"addr_info":|^\S+\s+(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN)\s+(?:(?:[\d.]+|[0-9a-f:]+)(?:\/| peer )|$)/,
    { otherwise: nothingIn },
  ),
  kind(
    'ip-link',
    'ip link',
    parseIpLink,
    /^\d+: [^\s:]+: <|"ifindex":.*"flags":|^\s*"link_type":|^\[?\{(?:"link(?:_index)?":[^,]+,)?"ifname":"[^"]+","operstate":|^\S+\s+(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN)\s+(?:[0-9a-f:]{17}|[\d.]+) </,
    { otherwise: nothingIn },
  ),
  kind('ip-rule', 'ip rule', parseIpRule, /^\d+:\s+(?:not )?from |"priority":\s?\d+,/),
  kind(
    'ip-neigh',
    'ip neigh',
    parseIpNeigh,
    /^\S+ dev \S+ (?:lladdr \S+ )?.*(?:REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE)|^[0-9a-f.:]+ (?:(?:lladdr|router|proxy|managed|extern_learn|ref|used) .*)?(?:REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE)\b|^[0-9a-f.:]+ dev \S+ +proxy\s*$|^(?=[0-9a-f.:]{2,39} {2,})[0-9a-f.:]+ +\S+ +(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\s*$|"state":\s?\[/,
    { otherwise: open('`-br` tells no states') },
  ),
  kind('ip-route-get', 'ip route get', parseIpRouteGet, /^\s+cache\b|\buid \d+\s*$|^RTNETLINK answers: |"uid":\s?\d+/, {
    otherwise: nothingIn,
  }),
  kind(
    'ip-route',
    'ip route',
    parseIpRoute,
    /^(?:default|(?:(?:unreachable|blackhole|prohibit|throw|local|broadcast|multicast|anycast|unicast) )?(?:default|[\d.]+(?:\/\d+)?|[0-9a-f:]+(?:\/\d+)?)) (?:via|dev|proto|metric|nhid|table|scope|encap|nexthop|tos)\b|^(?:blackhole|unreachable|prohibit|throw) |"dst":\s?"|^Dump terminated|^RTNETLINK answers: No such/,
    { otherwise: open('BusyBox wrote it, which hides next hops') },
  ),
  kind(
    'ip-nexthop',
    'ip nexthop',
    parseIpNexthop,
    /^id \d+ +(?:via|group|dev|blackhole|scope|encap)\b|^\[?\{"id": ?\d+,"(?:gateway|group|blackhole|dev|encap)"/,
  ),
  kind('ip-xfrm', 'ip xfrm state, policy', parseIpXfrm, /^src \S+ dst \S+\s*$/),
  kind(
    'route-n',
    'route -n, netstat -rn, /proc/net/route',
    parseRouteN,
    /^(?:Kernel IP(?:v6)? routing table|Kernel-IP-Routentabelle|Destination\s+(?:Gateway|Next Hop)\s|Ziel\s+Router|Iface\s+Destination\s+Gateway)/,
    { otherwise: noHeading },
  ),
  kind('ifconfig', 'ifconfig', parseIfconfig, /^\S+: flags=\d+<|^\S+\s+Link encap:/, { otherwise: nothingIn }),
  kind(
    'arp',
    'arp -n, arp -an, /proc/net/arp',
    parseArp,
    /^\? \(|^\S+ \([\d.]+\) at |^Address\s+HWtype|^IP address\s+HW type|^Adresse\s+Hardware-Typ/,
  ),
  kind(
    'ss',
    'ss',
    parseSs,
    /^(?:Netid\s+)?(?:State\s+)?Recv-Q\s+Send-Q\s+Local Address:Port|^(?:(?:tcp|udp|u_\w+|raw|p_\w+|nl|v_\w+)\s+)?(?:ESTAB|LISTEN|UNCONN|TIME-WAIT|SYN-SENT|CLOSE-WAIT|FIN-WAIT-[12])\s+\d+\s+\d+\s/,
    { otherwise: noHeading },
  ),
  kind('netstat', 'netstat -tnl', parseNetstat, /^Active (?:Internet|UNIX) |^Aktive Internetverbindungen|^Proto Recv-Q Send-Q/, {
    otherwise: noHeading,
  }),
  kind('netstat-i', 'netstat -i', parseNetstatInterfaces, /^Kernel Interface table|^Iface\s+MTU\s.*RX-OK/, { otherwise: noHeading }),
  kind('netstat-s', 'netstat -s', parseNetstatStatistics, /^(?:Ip|Tcp|Udp|Icmp|TcpExt|IpExt):\s*$/, { otherwise: noHeading }),
  kind(
    'proc-net-snmp',
    '/proc/net/snmp, /proc/net/netstat',
    parseProcNetSnmp,
    /^(?:Ip|Tcp|Udp|Icmp|TcpExt|IpExt): [A-Z]\w+ |^(?:Ip|Icmp|Udp|UdpLite)6[A-Z]\w+\s+\d+$/,
    { otherwise: noHeading },
  ),
  kind('proc-net-dev', '/proc/net/dev', parseProcNetDev, /^Inter-\|\s+Receive/, { otherwise: noHeading }),
  kind('proc-net-sockets', '/proc/net/tcp, udp', (text) => parseProcNetSockets(text), /^\s*sl\s+local_address\s/, { otherwise: noHeading }),
  kind(
    'proc-net-ipv6-route',
    '/proc/net/ipv6_route',
    parseProcNetIpv6Route,
    /^[0-9a-f]{32} [0-9a-f]{2} [0-9a-f]{32} [0-9a-f]{2} [0-9a-f]{32} (?:[0-9a-f]{8} ){4}/,
  ),
  kind(
    'proc-net-if-inet6',
    '/proc/net/if_inet6',
    parseProcNetIfInet6,
    /^[0-9a-f]{32} [0-9a-f]{2,8} [0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2,3} +\S+$/,
  ),
  kind('proc-sockstat', '/proc/net/sockstat, sockstat6', parseProcSockstat, /^sockets: used \d+$|^TCP6?: inuse \d+/, {
    otherwise: cut('its last lines are missing'),
  }),
  kind('proc-bonding', '/proc/net/bonding/DEV', parseProcBonding, /^Ethernet Channel Bonding Driver: |^Bonding Mode: /),
  kind('softnet', '/proc/net/softnet_stat', parseSoftnet, /^(?:[0-9a-f]{8} ){9,}[0-9a-f]{8}\s*$/, { otherwise: nothingIn }),
  kind(
    'nstat',
    'nstat -az',
    parseNstat,
    /^#kernel|^\{"(?:kernel|[^"{}]+)":\{(?:\}|"(?:Ip|Ip6|Tcp|Udp|Udp6|Icmp|Icmp6|TcpExt|IpExt|Udplite)[A-Z0-9])|^(?:Ip|Ip6|Tcp|Udp|Udp6|Icmp|Icmp6|TcpExt|IpExt|Udplite)\w*\s+\d+\s+\d+\.\d+\s*$/,
    {
      otherwise: noHeading,
    },
  ),
  kind(
    'ethtool',
    'ethtool -k, -S, -i',
    parseEthtool,
    /^(?:Features for \S+:|Offload parameters for \S+:|Actual changes:$|NIC statistics:|Settings for \S+:|driver: \S)/,
    { otherwise: nothingIn },
  ),
  kind('tc-qdisc', 'tc qdisc', parseTcQdisc, /^qdisc \S+ /),
  kind('tc-filter', 'tc filter', parseTcFilter, /^filter (?:protocol|parent|block|dev) /),
  kind(
    'kernel-log',
    'dmesg, journalctl -k',
    parseKernelLog,
    /^(?:<\d+>)?(?:\w+ *:\w+ *: )?\[\s*\d+\.\d+(?: <\s*\d+\.\d+>)?\] ?(?!\d+ bytes from)|^\[\s+\+\d+\.\d+\] |^\[[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8} \d{4}\] |^[A-Z][a-z]{2} +\d+ [\d:]{8} \S+ kernel: /,
    { otherwise: nothingIn },
  ),
  kind(
    'ip-netns',
    'ip netns',
    parseIpNetns,
    /^\S+ \(id: \d+\)$|^nsid \d+ \(iproute2 netns name: |^\[?\{(?:"nsid":\d+,)?"name":"[^"]+"(?:,"id":\d+)?\}/,
  ),
];
