import type { Section } from './script.ts';
import { quote, quoteAll } from './shell.ts';

const section =
  (prefix: string, lane: string, limit: number) =>
  (name: string, command: string, shell: string): Section => ({
    key: `${prefix}/${name}`,
    command,
    shell,
    limit,
    lane,
  });

const tool = (ns: string, ...words: string[]): string => `NS=${ns}; t ${quoteAll(words)}`;

const nodeWideSysctls =
  '/proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/bridge/bridge-nf-call-iptables ' +
  '/proc/sys/net/bridge/bridge-nf-call-ip6tables /proc/sys/net/netfilter/nf_conntrack_max /proc/sys/net/netfilter/nf_conntrack_count ' +
  '/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal /proc/sys/net/ipv4/tcp_mtu_probing /proc/sys/net/ipv4/ip_no_pmtu_disc ' +
  '/proc/sys/net/ipv4/neigh/default/gc_thresh3 /proc/sys/net/ipv4/ip_local_port_range';
const deviceSysctls = '/proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/forwarding';

/**
 * `net.ipv4.conf.flannel/1.rp_filter = 0`: in sysctl's notation the dots of an interface's name are slashes (sysctl(8)).
 */
const sysctlShell = (ns: string, paths = `${nodeWideSysctls} ${deviceSysctls}`): string =>
  `NS=${ns}; t grep -s . ${paths} | sed -e 's|^/proc/sys/||' -e 'h;s|:.*||;y|./|/.|;G;s|\\n[^:]*:| = |'`;

/** The rules of the nft backend with their counters; a failure where only the legacy tool is there, whose empty output would say that there are none. */
export const iptablesSave =
  'NS=host; if has iptables-nft-save; then t iptables-nft-save -c; elif t iptables-save -V 2>/dev/null | grep -q legacy; then echo "k8snet: only an iptables-save of the legacy backend" >&2; exit 127; else t iptables-save -c; fi';

/** The rules of the legacy backend; without legacy tables its tool is not run, since it would load them. */
export const iptablesLegacySave =
  'NS=host; names=; if [ -e /proc/net/ip_tables_names ]; then names=$(cat /proc/net/ip_tables_names) || exit 1; fi; if [ -n "$names" ]; then if has iptables-legacy-save; then t iptables-legacy-save -c; elif t iptables-save -V 2>/dev/null | grep -q legacy; then t iptables-save -c; else echo "k8snet: legacy tables are in use, and there is no iptables-legacy-save" >&2; exit 127; fi; else echo "# no legacy tables: /proc/net/ip_tables_names is empty or missing"; fi';

/** What is read of a node's own network namespace. Everything here only reads; nothing loads a kernel module that is not there. */
export function nodeSections(node: string, lane = `node/${node}`): Section[] {
  const of = section(`node/${node}`, lane, 20);
  return [
    of('iptables-save', 'iptables-nft-save -c', iptablesSave),
    of('iptables-legacy-save', 'iptables-legacy-save -c', iptablesLegacySave),
    of('nft', 'nft list ruleset', 'NS=host; t nft list ruleset'),
    of('ip-addr', 'ip addr', tool('host', 'ip', 'addr')),
    of('ip-link', 'ip -d -s link', tool('host', 'ip', '-d', '-s', 'link')),
    of('ip-route', 'ip route show table all', tool('host', 'ip', 'route', 'show', 'table', 'all')),
    of('ip-rule', 'ip rule', tool('host', 'ip', 'rule')),
    of('ip-neigh', 'ip neigh', tool('host', 'ip', 'neigh')),
    of('bridge-fdb', 'bridge fdb', tool('host', 'bridge', 'fdb')),
    of('bridge-link', 'bridge -d link', tool('host', 'bridge', '-d', 'link')),
    of('sysctl', 'sysctl net', sysctlShell('host')),
    of('conntrack-stats', 'conntrack -S', tool('host', 'conntrack', '-S')),
    of('ss', 'ss -lntu', tool('host', 'ss', '-lntu')),
    of('snmp', 'cat /proc/net/snmp', tool('host', 'cat', '/proc/net/snmp')),
    of(
      'cni-config',
      'head -n 200 /etc/cni/net.d/*.conf*',
      'NS=host; if [ -n "$node_root" ]; then cd $node_root/etc/cni/net.d 2>/dev/null || { echo "# no directory /etc/cni/net.d"; exit 0; }; for f in *; do [ -f "$f" ] && { echo "== /etc/cni/net.d/$f"; head -n 200 "$f"; }; done; true; else echo "k8snet: the file system of the node cannot be seen from here" >&2; exit 127; fi',
    ),
    of(
      'kube-proxy-mode',
      'curl -s 127.0.0.1:10249/proxyMode',
      'NS=host; if has curl; then t curl -s -m 2 http://127.0.0.1:10249/proxyMode; else t wget -q -T 2 -O - http://127.0.0.1:10249/proxyMode; fi',
    ),
    of(
      'kube-proxy-health',
      'curl -s 127.0.0.1:10256/healthz',
      'NS=host; if has curl; then t curl -s -m 2 http://127.0.0.1:10256/healthz; else t wget -q -T 2 -O - http://127.0.0.1:10256/healthz; fi',
    ),
    of(
      'ipvs',
      'ipvsadm -Ln',
      'NS=host; if [ -e /proc/net/ip_vs ]; then if has ipvsadm; then t ipvsadm -Ln; else cat /proc/net/ip_vs; fi; else echo "# no IPVS: /proc/net/ip_vs is not there"; fi',
    ),
    of(
      'ipset',
      'ipset save',
      'NS=host; if [ -d /sys/module/ip_set ]; then t ipset save; else echo "# no ipset: the module is not loaded"; fi',
    ),
  ];
}

/** The settings that are not one device's: short enough for a termination message. */
export const sysctlInBrief = (node: string): Section =>
  section(`node/${node}`, `node/${node}`, 10)('sysctl', 'sysctl net', sysctlShell('host', nodeWideSysctls));

/** Rarely needed and sometimes long: only for `record` and when the first round did not settle it. */
export function nodeDetailSections(node: string, lane = `node/${node}`): Section[] {
  const of = section(`node/${node}`, lane, 20);
  return [
    of(
      'ip6tables-save',
      'ip6tables-save -c',
      'NS=host; if has ip6tables-nft-save; then t ip6tables-nft-save -c; else t ip6tables-save -c; fi',
    ),
    of('ip-6-rule', 'ip -6 rule', tool('host', 'ip', '-6', 'rule')),
    of('nft-json', 'nft -j list ruleset', 'NS=host; t nft -j list ruleset'),
    of('bridge-vlan', 'bridge vlan', tool('host', 'bridge', 'vlan')),
    of('nstat', 'nstat -az', tool('host', 'nstat', '-az')),
    of('cni-bin', 'ls /opt/cni/bin /usr/lib/cni', 'NS=host; ls $node_root/opt/cni/bin $node_root/usr/lib/cni 2>/dev/null; true'),
    of(
      'cni-addresses',
      'ls /var/lib/cni/networks/*',
      'NS=host; cd $node_root/var/lib/cni/networks 2>/dev/null && for d in *; do echo "== $d"; ls "$d"; done; true',
    ),
  ];
}

/** Entries of these destinations in the connection tracking table, after the probes. */
export function conntrackSection(node: string, addresses: readonly string[], lane: string): Section {
  const lists = addresses.map((address) => `t conntrack -L -d ${quote(address)} 2>/dev/null | head -n 300`).join('; ');
  return {
    key: `node/${node}/conntrack`,
    command: `conntrack -L | grep -E '${addresses.join('|')}'`,
    shell: `NS=host; has conntrack || { echo "k8snet: no conntrack" >&2; exit 127; }; ${lists}`,
    limit: 15,
    lane,
  };
}

/** `ip route get` for each flow, as the kernel would route it when it comes in from the source (ip-route(8)). */
export function routeGetSection(node: string, flows: readonly { from: string; to: string }[], lane: string): Section {
  const shell = flows
    .map(
      ({ from, to }) =>
        `d=$(t ip route get ${quote(from)} 2>/dev/null | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p'); echo "k8snet-route ${quote(from)} ${quote(to)} iif=$d"; if [ -n "$d" ] && [ "$d" != lo ]; then t ip route get ${quote(to)} from ${quote(from)} iif "$d" 2>&1; else t ip route get ${quote(to)} 2>&1; fi`,
    )
    .join('; ');
  return {
    key: `node/${node}/route-get`,
    command: `ip route get ADDRESS from ADDRESS iif DEVICE`,
    shell: `NS=host; ${shell}; true`,
    limit: 15,
    lane,
  };
}

/** What is read of a pod's network namespace. */
export function podSections(namespace: string, name: string, ns: string, lane: string): Section[] {
  const of = section(`pod/${namespace}/${name}`, lane, 15);
  return [
    of('resolv.conf', 'cat /etc/resolv.conf', `NS=${ns}; podfile /etc/resolv.conf`),
    of('ip-addr', 'ip addr', tool(ns, 'ip', 'addr')),
    of('ip-link', 'ip -d -s link', tool(ns, 'ip', '-d', '-s', 'link')),
    of('ip-route', 'ip route', tool(ns, 'ip', 'route', 'show', 'table', 'all')),
    of('ip-rule', 'ip rule', tool(ns, 'ip', 'rule')),
    of('ip-neigh', 'ip neigh', tool(ns, 'ip', 'neigh')),
    of('ss', 'ss -lntu', tool(ns, 'ss', '-lntu')),
    of('iptables-save', 'iptables-save -c', `NS=${ns}; if has iptables-nft-save; then t iptables-nft-save -c; else t iptables-save -c; fi`),
    of('nft', 'nft list ruleset', `NS=${ns}; t nft list ruleset`),
    of('sysctl', 'sysctl net', sysctlShell(ns)),
  ];
}
