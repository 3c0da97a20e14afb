import type { Parsed } from '../model/parsed.ts';
import { parseAntctl } from './antctl.ts';
import { parseArp } from './arp.ts';
import { parseBirdc } from './birdc.ts';
import { parseBrctlShow, parseBrctlShowmacs } from './brctl.ts';
import { parseBridgeFdb } from './bridge-fdb.ts';
import { parseBridgeLink } from './bridge-link.ts';
import { parseBridgeMdb } from './bridge-mdb.ts';
import { parseBridgeVlan } from './bridge-vlan.ts';
import { parseCalicoctl } from './calicoctl.ts';
import { parseCilium } from './cilium.ts';
import { parseCniConfig } from './cni-config.ts';
import { parseConntrack, parseConntrackExpectations } from './conntrack.ts';
import { parseConntrackStats, parseProcConntrackStats } from './conntrack-stats.ts';
import { parseCorednsLog } from './coredns-log.ts';
import { parseCorefile } from './corefile.ts';
import { parseCurl } from './curl.ts';
import { parseDevTcp } from './dev-tcp.ts';
import { parseDig } from './dig.ts';
import { parseEthtool } from './ethtool.ts';
import { parseGetent } from './getent.ts';
import { parseHubble } from './hubble.ts';
import { parseIfconfig } from './ifconfig.ts';
import { parseIpAddr } from './ip-addr.ts';
import { parseIpLink } from './ip-link.ts';
import { parseIpNeigh } from './ip-neigh.ts';
import { parseIpNetns } from './ip-netns.ts';
import { parseIpRoute } from './ip-route.ts';
import { parseIpRouteGet } from './ip-route-get.ts';
import { parseIpRule } from './ip-rule.ts';
import { parseIpXfrm } from './ip-xfrm.ts';
import { parseIpset } from './ipset.ts';
import { parseIptablesList, parseIptablesRules } from './iptables-list.ts';
import { parseIptablesSave } from './iptables-save.ts';
import { parseIpvsadm } from './ipvsadm.ts';
import { parseKernelLog } from './kernel-log.ts';
import { parseKubeProxyConfig } from './kube-proxy-config.ts';
import { parseKubeProxyLog } from './kube-proxy-log.ts';
import { parseKubeletConfig } from './kubelet-config.ts';
import { parseNc } from './nc.ts';
import { parseNetstat, parseNetstatStatistics } from './netstat.ts';
import { parseNftJson } from './nft-json.ts';
import { parseNftText } from './nft-text.ts';
import { parseNslookup } from './nslookup.ts';
import { parseNstat } from './nstat.ts';
import { parseOpensslSClient } from './openssl-s-client.ts';
import { parseOvsOfctl } from './ovs-ofctl.ts';
import { parsePing } from './ping.ts';
import { parseProcBonding } from './proc-bonding.ts';
import { parseProcNetDev, parseProcNetSnmp, parseProcNetSockets } from './proc-net.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { parseRouteN } from './route-n.ts';
import { parseSandboxEvents } from './sandbox-events.ts';
import { parseSoftnet } from './softnet.ts';
import { parseSs } from './ss.ts';
import { parseSsSummary } from './ss-summary.ts';
import { parseSysctl } from './sysctl.ts';
import { parseTcFilter, parseTcQdisc } from './tc.ts';
import { parseTcpdump } from './tcpdump.ts';
import { parseTracepath } from './tracepath.ts';
import { parseTraceroute } from './traceroute.ts';
import { parseUsage } from './usage.ts';
import { parseWeave } from './weave.ts';
import { parseWget } from './wget.ts';
import { parseXtablesTrace } from './xtables-trace.ts';

export interface Kind {
  /** As in `k8snet parse --as KIND`. */
  kind: string;
  /** Commands and files whose text it reads, for the help. */
  reads: string;
  parse: (text: string) => Parsed<unknown>;
  /** Parses and names the lines that would be taken whatever they say, such as curl's body: no sign of this kind. */
  read: (text: string) => { parsed: Parsed<unknown>; doubtful: number[] };
  /** A line that only this kind, or hardly another, has. */
  signature: RegExp;
}

/** Every text that k8snet reads, the most distinctive first: where two signatures fit, the earlier wins. */
export const kinds: readonly Kind[] = [
  kind(
    'tcpdump',
    'tcpdump',
    parseTcpdump,
    /^(?:tcpdump: |listening on |reading from file )|^ ?(?:[\d-]+ )?\d\d:\d\d:\d\d\.\d+ (?:\S+ +(?:In|Out|B|M|P) +)?(?:IP6? |ARP, |[0-9a-f:]{17} > )|^IP6? \S+ > \S+: /,
  ),
  kind(
    'iptables-save',
    'iptables-save, ip6tables-save',
    parseIptablesSave,
    /^\*(?:filter|nat|mangle|raw|security)\s*$|^# (?:Generated|Completed) (?:by|on) .*(?:tables|20\d\d)|^-[APN] [\w-]+( |$)|^:[\w-]+ (?:ACCEPT|DROP|-)|^# Table `\w+' is incompatible/,
  ),
  kind('iptables-rules', 'iptables -S, ip6tables -S', (text) => parseIptablesRules(text), /^-[PN] [\w-]+( |$)/),
  kind('iptables-list', 'iptables -L, ip6tables -L', (text) => parseIptablesList(text), /^Chain \S+ \((?:policy \S+|\d+ references)/),
  kind('xtables-trace', 'xtables-monitor --trace', parseXtablesTrace, /^ TRACE: \d+ [0-9a-f]+ |^PACKET: \d+ [0-9a-f]+ /),
  kind(
    'ipset',
    'ipset list, ipset save',
    parseIpset,
    /^Name: \S+$|^create \S+ (?:hash|list|bitmap):|^<ipset name=|"type" ?: ?"(?:hash|bitmap|list):|^ipset v[\d.]+: /,
  ),
  kind('ipvsadm', 'ipvsadm -Ln, -S', parseIpvsadm, /^IP Virtual Server version|^-A -[tuf] |^(?:TCP|UDP|SCTP|FWM) {2}\S+ \w+/),
  kind('nft-json', 'nft -j list ruleset, nft -j monitor', parseNftJson, /^\{"(?:nftables|add|delete)":/),
  kind('nft-text', 'nft list ruleset', parseNftText, /^table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{|^add (?:table|chain|rule) /),
  kind(
    'conntrack',
    'conntrack -L, -E, /proc/net/nf_conntrack',
    parseConntrack,
    /^(?:\[\d+\.\d+\]\s*)?\s*(?:\[\w+\]\s*)?(?:ipv[46]\s+\d+\s+)?[a-z]\S*\s+\d+ (?:.*\s)?src=\S+ dst=\S+ |^(?:<\?xml|<conntrack>|<flow)|^conntrack v[\d.]+ \(/,
  ),
  kind('conntrack-expect', 'conntrack -L expect', parseConntrackExpectations, /^\d+ proto=\d+ src=/),
  kind('conntrack-stats', 'conntrack -S', parseConntrackStats, /^cpu=\d+\s+found=|^cpu=\d+ /),
  kind('proc-conntrack-stats', '/proc/net/stat/nf_conntrack', parseProcConntrackStats, /^entries\s+(?:clashres|searched)\s/),
  kind('bridge-vlan', 'bridge vlan', parseBridgeVlan, /^port\s+vlan/),
  kind('bridge-fdb', 'bridge fdb', parseBridgeFdb, /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2} dev \S+|^\s*"mac": ?"|^\[?\{"mac":/),
  kind(
    'bridge-link',
    'bridge link',
    parseBridgeLink,
    /^\d+: \S+ .*(?:master \S+ )?state (?:disabled|listening|learning|forwarding|blocking)\b/,
  ),
  kind('bridge-mdb', 'bridge mdb', parseBridgeMdb, /^dev \S+ port \S+ grp /),
  kind('brctl-show', 'brctl show', parseBrctlShow, /^bridge name\s+bridge id\s+STP/),
  kind('brctl-showmacs', 'brctl showmacs', parseBrctlShowmacs, /^port no\s+mac addr/),
  kind(
    'ip-addr',
    'ip addr',
    parseIpAddr,
    /^\s+inet6? \S+ .*scope |^\s*"addr_info"|"addr_info":|^\S+\s+(?:UP|DOWN|UNKNOWN)\s+(?:[\d.]+\/|[0-9a-f:]+\/)/,
  ),
  kind(
    'ip-link',
    'ip link',
    parseIpLink,
    /^\d+: [^\s:]+: <|"ifindex":.*"flags":|^\s*"link_type":|^\S+\s+(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN)\s+(?:[0-9a-f:]{17}|[\d.]+) </,
  ),
  kind('ip-rule', 'ip rule', parseIpRule, /^\d+:\s+(?:not )?from |"priority":\s?\d+,/),
  kind(
    'ip-neigh',
    'ip neigh',
    parseIpNeigh,
    /^\S+ dev \S+ (?:lladdr \S+ )?.*(?:REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE)|"state":\s?\[/,
  ),
  kind('ip-route-get', 'ip route get', parseIpRouteGet, /^\s+cache\b|\buid \d+\s*$|^RTNETLINK answers: |"uid":\s?\d+/),
  kind(
    'ip-route',
    'ip route',
    parseIpRoute,
    /^(?:default|(?:(?:unreachable|blackhole|prohibit|throw|local|broadcast|multicast|anycast|unicast) )?(?:default|[\d.]+(?:\/\d+)?|[0-9a-f:]+(?:\/\d+)?)) (?:via|dev|proto|metric|nhid|table|scope|encap|nexthop|tos)\b|^(?:blackhole|unreachable|prohibit|throw) |"dst":\s?"|^Dump terminated|^RTNETLINK answers: No such/,
  ),
  kind('ip-xfrm', 'ip xfrm state, policy', parseIpXfrm, /^src \S+ dst \S+\s*$/),
  kind(
    'route-n',
    'route -n, netstat -rn, /proc/net/route',
    parseRouteN,
    /^(?:Kernel IP(?:v6)? routing table|Kernel-IP-Routentabelle|Destination\s+(?:Gateway|Next Hop)\s|Ziel\s+Router|Iface\s+Destination\s+Gateway)/,
  ),
  kind('ifconfig', 'ifconfig', parseIfconfig, /^\S+: flags=\d+<|^\S+\s+Link encap:/),
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
    /^(?:Netid\s+)?State\s+Recv-Q\s+Send-Q|^(?:(?:tcp|udp|u_\w+|raw|p_\w+|nl|v_\w+)\s+)?(?:ESTAB|LISTEN|UNCONN|TIME-WAIT|SYN-SENT|CLOSE-WAIT|FIN-WAIT-[12])\s+\d+\s+\d+\s/,
  ),
  kind('netstat', 'netstat -tnl', parseNetstat, /^Active (?:Internet|UNIX) |^Aktive Internetverbindungen|^Proto Recv-Q Send-Q/),
  kind('netstat-s', 'netstat -s', parseNetstatStatistics, /^(?:Ip|Tcp|Udp|Icmp|TcpExt|IpExt):\s*$/),
  kind('proc-net-snmp', '/proc/net/snmp, /proc/net/netstat', parseProcNetSnmp, /^(?:Ip|Tcp|Udp|Icmp|TcpExt|IpExt): [A-Z]\w+ /),
  kind('proc-net-dev', '/proc/net/dev', parseProcNetDev, /^Inter-\|\s+Receive/),
  kind('proc-net-sockets', '/proc/net/tcp, udp', (text) => parseProcNetSockets(text), /^\s*sl\s+local_address\s/),
  kind('proc-bonding', '/proc/net/bonding/DEV', parseProcBonding, /^Ethernet Channel Bonding Driver: |^Bonding Mode: /),
  kind('softnet', '/proc/net/softnet_stat', parseSoftnet, /^(?:[0-9a-f]{8} ){9,}[0-9a-f]{8}\s*$/),
  kind('nstat', 'nstat -az', parseNstat, /^#kernel|^(?:Ip|Ip6|Tcp|Udp|Udp6|Icmp|Icmp6|TcpExt|IpExt|Udplite)\w*\s+\d+\s+\d+\.\d+\s*$/),
  kind('ethtool', 'ethtool -k, -S, -i', parseEthtool, /^(?:Features for \S+:|NIC statistics:|Settings for \S+:|driver: \S)/),
  kind('tc-qdisc', 'tc qdisc', parseTcQdisc, /^qdisc \S+ /),
  kind('tc-filter', 'tc filter', parseTcFilter, /^filter (?:protocol|parent|block|dev) /),
  kind('kernel-log', 'dmesg, journalctl -k', parseKernelLog, /^(?:<\d+>)?\[\s*\d+\.\d+\] |^[A-Z][a-z]{2} +\d+ [\d:]{8} \S+ kernel: /),
  kind('ip-netns', 'ip netns', parseIpNetns, /^\S+ \(id: \d+\)$/),
  kind(
    'dig',
    'dig, kdig',
    parseDig,
    /^; <<>> DiG |^;; ->>HEADER<<- |^;; (?:Got answer|QUESTION SECTION|ANSWER SECTION|no servers could be reached|connection timed out|communications error)|^- type: MESSAGE/,
  ),
  kind(
    'nslookup',
    'nslookup, host',
    parseNslookup,
    /^Server:\s+\S+|^\*\* server can't find |^nslookup: |^\S+ has (?:IPv6 )?address |^Host \S+ not found: |^\S+ has no \S+ record$|^Name:\s+\S+/,
  ),
  kind(
    'getent',
    'getent hosts, ahosts',
    parseGetent,
    /^[0-9a-f:.]+\s+(?:STREAM|DGRAM|RAW)\b|^\$ getent |^(?:\d+\.){3}\d+ {2,}[a-z][\w.-]+$/,
  ),
  kind(
    'resolv-conf',
    '/etc/resolv.conf',
    parseResolvConf,
    /^nameserver\s+\S|^search\s+\S|^options (?:ndots|timeout|attempts|edns0)|resolv\.conf$/,
  ),
  kind(
    'curl',
    'curl',
    parseCurl,
    /^curl: \(\d+\)|^\* {3}Trying |^(?:\d{3}|(?:http_)?code=\d{3})(?: +\w+=\S*)+|^< HTTP\/|^HTTP\/\d|^== Info:/,
    bodyLines,
  ),
  kind('dev-tcp', 'bash /dev/tcp', parseDevTcp, /^-?bash: .*(?:connect: |\/dev\/(?:tcp|udp)\/)/),
  kind(
    'wget',
    'wget',
    parseWget,
    /^wget: |^--\d{4}-\d\d-\d\d .*--\s+\S+|^Connecting to \S+ \(\S+\)|^(?:Connecting to|Verbindungsaufbau zu) /,
    bodyLines,
  ),
  kind(
    'nc',
    'nc, ncat',
    parseNc,
    /^(?:nc|Ncat): |^Connection to \S+ .*(?:port|succeeded)|^\S+ \[[^\]]+\] \d+ \([^)]*\) |^\S+ \(\S+:\d+\) open$/,
  ),
  kind('ping', 'ping', parsePing, /^PING \S|^\d+ bytes from \S+: (?:icmp_)?seq=|^ping6?: |packets transmitted, /),
  kind('traceroute', 'traceroute, mtr -r', parseTraceroute, /^traceroute6? to |^HOST: .*Loss%|^traceroute: /),
  kind('tracepath', 'tracepath', parseTracepath, /^ *\d+\??: +(?:\[LOCALHOST\]|no reply|\S+.* [\d.]+ms)|^ +Resume: pmtu /),
  kind(
    'openssl',
    'openssl s_client',
    parseOpensslSClient,
    /^CONNECTED\([0-9A-F]+\)|^CONNECTION ESTABLISHED|^verify error:num=|^connect:errno=|^depth=\d+ /,
  ),
  kind('kube-proxy-config', 'KubeProxyConfiguration', parseKubeProxyConfig, /kind"?: ?"?KubeProxyConfiguration/),
  kind('kubelet-config', 'KubeletConfiguration', parseKubeletConfig, /kind"?: ?"?KubeletConfiguration|^\{"kubeletconfig":/),
  kind(
    'cni-config',
    'CNI conf, conflist',
    parseCniConfig,
    /"cniVersion"|"plugins": ?\[|"type": ?"(?:bridge|flannel|calico|cilium-cni|portmap|host-local|ptp|multus|macvlan|ipvlan|weave-net|antrea|aws-cni)"/,
  ),
  kind(
    'kube-proxy-log',
    "kube-proxy's log",
    parseKubeProxyLog,
    /[IWEF]\d{4} [\d:.]+ +\d+ (?:server|server_linux|proxier|config|conntrack|cleanup|runner|healthcheck|shared_informer|bounded_frequency_runner|topology|iptables|service|node|reflector)\S*\.go:\d+\]/,
  ),
  kind('coredns-log', "CoreDNS' log", parseCorednsLog, /\[(?:INFO|WARNING|ERROR|FATAL)\] (?:plugin\/|\S+:\d+ - )|CoreDNS-\d/),
  kind(
    'corefile',
    'Corefile',
    parseCorefile,
    /^\s*(?:kubernetes (?:\S+ )*\S*\.(?:local|arpa)|forward \. \S|proxy \. |loadbalance\b|loop$|prometheus(?: \S*:\d+)?$|lameduck \d)/,
  ),
  kind(
    'sandbox-events',
    'events of kubectl describe, kubectl get events',
    parseSandboxEvents,
    /FailedCreatePodSandBox|NetworkPluginNotReady|NetworkNotReady|cni plugin not initialized|^\s*(?:Normal|Warning)\s+[A-Z]\w+\s+|^LAST SEEN/,
  ),
  kind('calicoctl', 'calicoctl node status', parseCalicoctl, /^IPv[46] BGP status|^Calico process is |^calico-node container is /),
  kind(
    'birdc',
    'birdcl show protocols, show route',
    parseBirdc,
    /^(?:0001 )?BIRD \S+ ready\.|^(?:2002-)?[Nn]ame +[Pp]roto +[Tt]able +[Ss]tate/,
  ),
  kind(
    'cilium',
    'cilium status, service list, bpf lb list, monitor',
    parseCilium,
    /^KVStore:\s|^ID +Frontend +Service Type|^SERVICE ADDRESS +BACKEND ADDRESS|^xx drop \(|^-> (?:endpoint|stack|overlay|network) /,
  ),
  kind(
    'hubble',
    'hubble observe',
    parseHubble,
    /^\{"(?:flow|lost_events)":|^\w{3} +\d+ [\d:.]+(?: \[[^\]]*\])?: \S+ (?:\([^)]*\) )?(?:->|<-|<>) |^TIMESTAMP +SOURCE +DESTINATION/,
  ),
  kind('ovs-ofctl', 'ovs-ofctl dump-flows', parseOvsOfctl, /^(?:NXST|OFPST)_FLOW reply|^ cookie=0x/),
  kind(
    'antctl',
    'antctl get',
    parseAntctl,
    /^FLOW\s*$|^TABLE-ID +TABLE-NAME|^(?:POD|NODE|NAME) +.*(?:STATUS|NAMESPACE|NODE-SUBNET|INTERFACE-NAME|OFPORT)/,
  ),
  kind(
    'weave',
    'weave status',
    parseWeave,
    /^\s*(?:->|<-) \S+:\d+\s+(?:established|pending|failed|retrying|connecting)|^ *PeerDiscovery: /,
  ),
  kind('ss-summary', 'ss -s', parseSsSummary, /^Total: \d+|^Transport Total {5}IP/),
  kind('usage', 'the refusal of an option', parseUsage, /^[\w./-]+: (?:invalid|unrecognized|unknown|illegal) option\b|^Usage: /),
  kind('sysctl', 'sysctl -a', parseSysctl, /^(?:net|kernel|vm|fs|user|dev)[./][\w./-]+ ?= ?/),
];

function kind<T>(
  name: string,
  reads: string,
  parse: (text: string) => Parsed<T>,
  signature: RegExp,
  doubtful?: (value: T) => number[],
): Kind {
  const read = (text: string): { parsed: Parsed<unknown>; doubtful: number[] } => {
    const parsed = parse(text);
    return { parsed, doubtful: doubtful?.(parsed.value) ?? [] };
  };
  return { kind: name, reads, parse, read, signature };
}

function bodyLines({ body }: { body: { line: number }[] }): number[] {
  return body.map(({ line }) => line);
}
