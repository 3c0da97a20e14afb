import type { Mark } from './capture-truth.ts';

/** Which packet shows a fault in the tables: to the Service, to cluster DNS, full-size ones, or one whose connection tracking entry is stale. */
export type WalkedPacket = 'service' | 'dns' | 'full' | 'pinned';

/** Where the tables alone have to end the client's packets (`request node n1`), and the line that decides it. */
export interface WalkTruth {
  packet: WalkedPacket;
  ends: { at: RegExp; line: RegExp }[];
}

const at = (place: RegExp, line: RegExp, packet: WalkedPacket = 'service'): WalkTruth => ({ packet, ends: [{ at: place, line }] });
const n1 = /^request node n1$/;
const n2 = /^request node n2$/;
const n3 = /^request node n3$/;
const web = /^request pod default\/web-/;
const client = /^request pod default\/client$/;
const tunnelInput = /-A INPUT -p udp -m udp --dport 8472 -j DROP/;
const untranslated = at(n1, /:PREROUTING ACCEPT/);
const noEndpoint = at(n1, /has no endpoints/);
const noDnsEndpoint = at(n1, /kube-dns:dns has no endpoints/, 'dns');

/**
 * By the fault's id. A fault that is not here has its cause in no table: an application that is silent, names, filters outside of the nodes, damage
 * beside the flow, and readings that were not had.
 */
const iptablesTruths: Readonly<Record<string, WalkTruth>> = {
  'app-loopback': at(web, /LISTEN .*127\.0\.0\.1:8080/),
  'app-wrong-port': at(web, /LISTEN .*\*:9090/),
  'bridge-nf-off': at(/^reply pod default\/client$/, /bridge-nf-call-iptables = 0/),
  'cni-backend-policy-drop': at(n2, /-A FORWARD -d 10\.244\.2\.\d+\/32 -p tcp -m tcp --dport 8080 -j DROP/),
  'cni-backend-policy-drop-n3': at(n3, /-A FORWARD -d 10\.244\.3\.\d+\/32 -p tcp -m tcp --dport 8080 -j DROP/),
  'cni-client-no-route': at(client, /10\.244\.1\.0\/24 dev eth0/),
  'cni-fdb-missing': at(n1, /10\.244\.2\.0 dev flannel\.1 lladdr/),
  'cni-fdb-wrong': at(n1, /dev flannel\.1 dst 192\.168\.1\.99/),
  'cni-forward-drop': at(n1, /:FORWARD DROP/),
  'cni-forward-drop-legacy': at(n1, /-A FORWARD -s 10\.244\.0\.0\/16 -j DROP/),
  'cni-forward-drop-nft': at(n1, /chain forward|hook forward/),
  'cni-fw-vxlan': at(n2, tunnelInput),
  'cni-fw-vxlan-out': at(n1, /-A OUTPUT -p udp -m udp --dport 8472 -j DROP/),
  'cni-hostgw-route-wrong': at(n3, /blackhole 10\.244\.2\.0\/24/),
  'cni-ip-forward-backend': at(n2, /net\.ipv4\.(ip_forward|conf\.\S+\.forwarding) = 0/),
  'cni-ip-forward-client': at(n1, /net\.ipv4\.(ip_forward|conf\.\S+\.forwarding) = 0/),
  'cni-mtu': at(n1, /flannel\.1: .* mtu 1400/, 'full'),
  'cni-mtu-reply': at(/^reply node n2$/, /flannel\.1: .* mtu 1400/, 'full'),
  'cni-neighbour-missing': at(n1, /10\.244\.2\.0 dev flannel\.1 (INCOMPLETE|FAILED)|10\.244\.\d\.0 dev flannel\.1/),
  'cni-neighbour-wrong': at(n1, /10\.244\.2\.0 dev flannel\.1 lladdr 02:00:00:00:00:99/),
  'cni-pod-no-route': at(/^reply pod default\/web-/, /10\.244\.2\.0\/24 dev eth0/),
  'cni-pod-veth-down': at(n2, /veth[0-9a-f]+@if2: <BROADCAST,MULTICAST>/),
  'cni-pod-veth-off-bridge': at(n2, /veth[0-9a-f]+@if2: (?!.* master )/),
  'cni-return-route-missing': at(/^reply node n2$/, /default via 192\.168\.1\.1/),
  'cni-route-blackhole': at(n1, /blackhole 10\.244\.2\.0\/24/),
  'cni-route-missing': at(n1, /default via 192\.168\.1\.1/),
  'cni-rp-filter': at(n2, /rp_filter = 1/),
  'cni-vtep-mac-changed': at(n2, /link\/ether 02:00:00:00:00:77/),
  'cni-vxlan-down': at(n1, /flannel\.1: <BROADCAST,MULTICAST> mtu/),
  'cni-vxlan-down-backend': at(n2, /flannel\.1: <BROADCAST,MULTICAST> mtu/),
  'cni-vxlan-port': at(n2, /vxlan id 1 .* dstport 4789/),
  'cni-vxlan-vni': at(n2, /vxlan id 2 /),
  'conntrack-stale-tcp': at(n2, /dport=80 src=10\.244\.2\.250/, 'pinned'),
  'conntrack-stale-udp': at(n2, /dport=53 src=10\.244\.2\.250/, 'pinned'),
  'dns-coredns-unready': noDnsEndpoint,
  'dns-coredns-zero': noDnsEndpoint,
  'dns-corefile-bad': noDnsEndpoint,
  'dns-loop': noDnsEndpoint,
  'dns-pod-bad': at(/^request pod kube-system\/coredns-/, /-A INPUT -p udp -m udp --dport 53 -j DROP/, 'dns'),
  'dns-port-filtered': at(n1, /-A FORWARD -p udp -m udp --dport 53 -j DROP/, 'dns'),
  'dns-port-rejected-in-pod': at(client, /-A OUTPUT -p udp -m udp --dport 53 -j REJECT/, 'dns'),
  'dns-service-selector': noDnsEndpoint,
  'proxy-chain-flushed': untranslated,
  'proxy-dead-no-rules': untranslated,
  'proxy-jump-flushed': untranslated,
  'proxy-rule-missing': untranslated,
  'proxy-stale': at(/^request node n[123]$/, /DNAT --to-destination 10\.244\./),
  'rule-forward-reject': at(n1, /-A FORWARD -p tcp -m conntrack --ctorigdst \S+ -j REJECT/),
  'rule-mangle-drop': at(n1, /-A PREROUTING -s 10\.244\.0\.0\/16 -d 10\.96\.0\.0\/16 -j DROP/),
  'rule-nft-drop': at(n1, /ip daddr \S+ tcp dport 80 .*drop/),
  'rule-raw-drop': at(n1, /-A PREROUTING -d \S+ -p tcp -m tcp --dport 80 -j DROP/),
  'svc-dead-endpoint': at(n2, /10\.244\.2\.250/),
  'svc-headless-port': at(web, /LISTEN .*\*:8080/),
  'svc-internal-local': at(n1, /has no local endpoints/),
  'svc-named-port': noEndpoint,
  'svc-no-endpointslice': noEndpoint,
  'svc-controller-stuck': noEndpoint,
  'svc-not-ready': noEndpoint,
  'svc-selector': noEndpoint,
  'svc-targetport': at(web, /LISTEN .*\*:8080/),
  'two-dns-and-app': at(web, /LISTEN .*127\.0\.0\.1:8080/),
  'two-selector-and-route': noEndpoint,
  'two-targetport-and-route': {
    packet: 'service',
    ends: [
      { at: web, line: /LISTEN .*\*:8080/ },
      { at: n1, line: /default via 192\.168\.1\.1/ },
    ],
  },
  'two-tunnel-and-policy': {
    packet: 'service',
    ends: [
      { at: n2, line: tunnelInput },
      { at: n3, line: /-A FORWARD -d 10\.244\.3\.\d+\/32 -p tcp -m tcp --dport 8080 -j DROP/ },
    ],
  },
};

/** Services with nobody at all are rejected; those whose endpoints a traffic policy leaves out are dropped (kube-proxy 1.36, nftables). */
const inNoEndpointMap = at(n1, /10\.96\.\d+\.\d+ \. tcp \. 80 .*: (goto reject-chain|drop)/);
const dnsInNoEndpointMap = at(n1, /10\.96\.0\.10 \. udp \. 53 .*goto reject-chain/, 'dns');
const refusedByCheck = at(n1, /Reject traffic to invalid ports of ClusterIPs|Drop traffic to unallocated ClusterIPs/);

/** kube-proxy's tables of nft, and its own refusal of what goes to the Service range and was not translated. */
const nftablesTruths: Readonly<Record<string, WalkTruth>> = {
  'dns-coredns-unready': dnsInNoEndpointMap,
  'dns-coredns-zero': dnsInNoEndpointMap,
  'dns-corefile-bad': dnsInNoEndpointMap,
  'dns-loop': dnsInNoEndpointMap,
  'dns-service-selector': dnsInNoEndpointMap,
  'proxy-chain-flushed': refusedByCheck,
  'proxy-dead-no-rules': refusedByCheck,
  'proxy-jump-flushed': refusedByCheck,
  'proxy-rule-missing': refusedByCheck,
  'proxy-stale': at(/^request node n[123]$/, /dnat ip to numgen/),
  'svc-internal-local': inNoEndpointMap,
  'svc-named-port': inNoEndpointMap,
  'svc-no-endpointslice': inNoEndpointMap,
  'svc-controller-stuck': inNoEndpointMap,
  'svc-not-ready': inNoEndpointMap,
  'svc-selector': inNoEndpointMap,
  'two-selector-and-route': inNoEndpointMap,
};

/** The truth of a fault in a mode of kube-proxy; undefined where its cause stands in no table. */
export const walkTruth = (fault: string, mode: string): WalkTruth | undefined =>
  (mode === 'nftables' ? nftablesTruths[fault] : undefined) ?? iptablesTruths[fault];

/** What the nodes' rules are to be blamed for, as `node kind`; nothing for a fault that is not of kube-proxy's rules. */
const intentTruths: Readonly<Record<string, readonly string[]>> = {
  'proxy-chain-flushed': ['n1 missing'],
  'proxy-dead-no-rules': ['n1 missing'],
  'proxy-jump-flushed': ['n1 unhooked'],
  'proxy-rule-missing': ['n1 missing'],
  'proxy-stale': ['n1 stale-endpoint'],
  'rule-mangle-drop': ['n1 shadowed'],
  'rule-nft-drop': ['n1 shadowed'],
  'rule-raw-drop': ['n1 shadowed'],
};

/** The other mode's kube-proxy takes the rules of this one away as it starts; until the next full sync it stands alone. */
const leftovers: readonly (readonly string[])[] = [['n1 doubled'], ['n1 missing', 'n1 doubled'], ['n1 missing']];

/** Whether `verify` blames what it should, and nothing else. */
export function markIntent(fault: string, said: readonly string[]): Mark {
  const is = (wanted: readonly string[]): boolean => JSON.stringify([...wanted].sort()) === JSON.stringify([...said].sort());
  if (fault === 'odd-other-mode-leftovers') return leftovers.some(is) ? 'right' : 'wrong';
  return is(intentTruths[fault] ?? []) ? 'right' : 'wrong';
}

/** One way that the tables end: its place, and the lines that decided. */
export interface WalkedEnd {
  at: string;
  lines: readonly string[];
}

/** Every end has to be one of the truth's, and each of the truth's has to be met; where the cause stands in no table, no packet may end. */
export function markWalk(truth: WalkTruth | undefined, ends: readonly WalkedEnd[]): Mark {
  if (truth === undefined) return ends.length === 0 ? 'n/a' : 'wrong';
  const isOne = ({ at: place, lines }: WalkedEnd, wanted: WalkTruth['ends'][number]): boolean =>
    wanted.at.test(place) && lines.some((line) => wanted.line.test(line));
  const right =
    ends.every((end) => truth.ends.some((one) => isOne(end, one))) && truth.ends.every((one) => ends.some((end) => isOne(end, one)));
  return right ? 'right' : 'wrong';
}
