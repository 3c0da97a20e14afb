import type { Disposition, Flow } from '../../src/model/trace.ts';

/** Which flow shows a fault, and where the trace of it has to end. */
export interface TraceTruth {
  /** `dns`: UDP to the DNS Service instead of TCP to the target; `full`: full-size packets; a number: the port of a connection that stands in conntrack. */
  flow?: 'dns' | 'full' | number;
  /** Ends that are not `delivered`: `disposition direction place`, each with what its last step has to quote. */
  ends: { disposition: Disposition; at: RegExp; quotes: RegExp; times: number }[];
  /** Ways that are delivered, and answered. */
  delivered: number;
}

const end = (disposition: Disposition, at: RegExp, quotes: RegExp, times = 1): TraceTruth['ends'][number] => ({
  disposition,
  at,
  quotes,
  times,
});
const lost = (ends: TraceTruth['ends'], delivered: number, flow?: TraceTruth['flow']): TraceTruth => ({
  ends,
  delivered,
  ...(flow === undefined ? {} : { flow }),
});
/** Nothing in the tables is in the way: the cluster is well, or what is wrong stands in no table. */
const allDelivered = (delivered: number, flow?: TraceTruth['flow']): TraceTruth => lost([], delivered, flow);

const noEndpoint = (quotes: RegExp, flow?: TraceTruth['flow']): TraceTruth =>
  lost([end('no-endpoint', /^request node n1$/, quotes)], 0, flow);
const dnsInMap = /10\.96\.0\.10 \. udp \. 53 .*goto reject-chain/;
const refusedByPods = (quotes: RegExp): TraceTruth => lost([end('rejected', /^request pod default\/web-/, quotes, 3)], 0);
const untranslated = (): TraceTruth => lost([end('dropped', /^request node n1$/, /:PREROUTING ACCEPT/)], 0);
const stale = (): TraceTruth =>
  lost([end('neighbour-unreachable', /^request node n[123]$/, /DNAT --to-destination 10\.244\.|dnat ip to numgen/, 3)], 0);
const endless = (quotes: RegExp): TraceTruth => lost([end('dropped', /^request node n2$/, quotes)], 2);

/** By the name of a bundle of fixtures/bundles. What is not here is an error of the test: each bundle has to be thought about. */
export const bundleTruths: Readonly<Record<string, TraceTruth>> = {
  'app-loopback': refusedByPods(/LISTEN .*127\.0\.0\.1:8080/),
  'app-wrong-port': refusedByPods(/LISTEN .*\*:9090/),
  'app-never-answers': allDelivered(3),
  'app-one-stopped': allDelivered(3),
  'bridge-nf-off': lost([end('rejected', /^reply pod default\/client$/, /bridge-nf-call-iptables = 0/)], 2),
  'cni-addresses-exhausted': allDelivered(3),
  'cni-backend-policy-drop': endless(/-A FORWARD -d 10\.244\.2\.10\/32 -p tcp -m tcp --dport 8080 -j DROP/),
  'cni-client-no-route': lost([end('no-route', /^request pod default\/client$/, /10\.244\.1\.0\/24 dev eth0/)], 0),
  'cni-config-missing': allDelivered(3),
  'cni-fdb-missing': lost([end('dropped', /^request node n1$/, /10\.244\.2\.0 dev flannel\.1 lladdr 4a:ef:08:38:2a:57/)], 2),
  'cni-fdb-wrong': lost([end('dropped', /^request node n1$/, /4a:ef:08:38:2a:57 dev flannel\.1 dst 192\.168\.1\.99/)], 2),
  'cni-forward-drop': lost([end('dropped', /^request node n1$/, /:FORWARD DROP/, 3)], 0),
  'cni-forward-drop-legacy': lost([end('dropped', /^request node n1$/, /-A FORWARD -s 10\.244\.0\.0\/16 -j DROP/, 3)], 0),
  'cni-forward-drop-nft': lost([end('dropped', /^request node n1$/, /chain forward/, 3)], 0),
  'cni-fw-between': allDelivered(3),
  'cni-fw-between-back': allDelivered(3),
  'cni-loss-between': allDelivered(3),
  'cni-fw-vxlan': endless(/-A INPUT -p udp -m udp --dport 8472 -j DROP/),
  'cni-fw-vxlan-out': lost([end('dropped', /^request node n1$/, /-A OUTPUT -p udp -m udp --dport 8472 -j DROP/, 2)], 1),
  'cni-hostgw-antispoof': allDelivered(3),
  'cni-hostgw-healthy': allDelivered(3),
  'cni-hostgw-route-wrong': lost([end('no-route', /^request node n3$/, /blackhole 10\.244\.2\.0\/24/)], 2),
  'cni-ip-forward-backend': lost([end('no-route', /^request node n2$/, /net\.ipv4\.ip_forward = 0/)], 2),
  'cni-ip-forward-client': lost([end('no-route', /^request node n1$/, /net\.ipv4\.ip_forward = 0/, 3)], 0),
  'cni-mtu': lost([end('dropped', /^request node n1$/, /flannel\.1: .* mtu 1400/, 2)], 1, 'full'),
  'cni-mtu-reply': lost([end('dropped', /^reply node n2$/, /flannel\.1: .* mtu 1400/)], 2, 'full'),
  'cni-mtu-underlay': allDelivered(3, 'full'),
  'cni-neighbour-missing': lost([end('neighbour-unreachable', /^request node n1$/, /10\.244\.2\.0 dev flannel\.1 INCOMPLETE/)], 2),
  'cni-neighbour-wrong': lost([end('dropped', /^request node n1$/, /10\.244\.2\.0 dev flannel\.1 lladdr 02:00:00:00:00:99/)], 2),
  'cni-node-cut': lost([end('insufficient-info', /^request node n1$/, /192\.168\.1\.12 dev eth0/)], 2),
  'cni-node-unreachable': allDelivered(3),
  'cni-odd-forward-policy': allDelivered(3),
  'cni-pod-no-route': lost([end('no-route', /^reply pod default\/web-6bd679dd9b-6stzx$/, /10\.244\.2\.0\/24 dev eth0/)], 2),
  'cni-pod-veth-down': endless(/veth9c2d3d2c@if2: <BROADCAST,MULTICAST>/),
  'cni-pod-veth-off-bridge': endless(/veth8a5d2103@if2/),
  'cni-return-route-missing': lost([end('no-route', /^reply node n2$/, /default via 192\.168\.1\.1/)], 2),
  'cni-route-blackhole': lost([end('no-route', /^request node n1$/, /blackhole 10\.244\.2\.0\/24/)], 2),
  'cni-route-missing': lost([end('no-route', /^request node n1$/, /default via 192\.168\.1\.1/)], 2),
  'cni-rp-filter': endless(/net\.ipv4\.conf\.flannel\/1\.rp_filter = 1/),
  'cni-two-tunnel-and-policy': lost(
    [
      end('dropped', /^request node n2$/, /-A INPUT -p udp -m udp --dport 8472 -j DROP/),
      end('dropped', /^request node n3$/, /-A FORWARD -d 10\.244\.3\.14\/32 -p tcp -m tcp --dport 8080 -j DROP/),
    ],
    1,
  ),
  'cni-vtep-mac-changed': endless(/link\/ether 02:00:00:00:00:77/),
  'cni-vxlan-down': lost([end('no-route', /^request node n1$/, /flannel\.1: <BROADCAST,MULTICAST> mtu/, 2)], 1),
  'cni-vxlan-port': endless(/vxlan id 1 .* dstport 4789/),
  'cni-vxlan-vni': endless(/vxlan id 2 /),
  'conntrack-stale-tcp': lost([end('neighbour-unreachable', /^request node n2$/, /sport=40000 dport=80 src=10\.244\.2\.250/)], 0, 40_000),
  'dns-cluster-domain': allDelivered(2, 'dns'),
  'dns-coredns-unready': noEndpoint(dnsInMap, 'dns'),
  'dns-coredns-zero': noEndpoint(/-d 10\.96\.0\.10\/32 -p udp .*has no endpoints/, 'dns'),
  'dns-corefile-bad': noEndpoint(dnsInMap, 'dns'),
  'dns-healthy': allDelivered(2, 'dns'),
  'dns-healthy-nftables': allDelivered(2, 'dns'),
  'dns-loop': noEndpoint(dnsInMap, 'dns'),
  'dns-pod-bad': lost(
    [end('dropped', /^request pod kube-system\/coredns-58c5779575-89xh8$/, /-A INPUT -p udp -m udp --dport 53 -j DROP/)],
    1,
    'dns',
  ),
  'dns-pod-nameserver': allDelivered(2, 'dns'),
  'dns-policy-default': allDelivered(2, 'dns'),
  'dns-port-filtered': lost([end('dropped', /^request node n1$/, /-A FORWARD -p udp -m udp --dport 53 -j DROP/, 2)], 0, 'dns'),
  'dns-port-rejected-in-pod': lost(
    [end('rejected', /^request pod default\/client$/, /-A OUTPUT -p udp -m udp --dport 53 -j REJECT/)],
    0,
    'dns',
  ),
  'dns-search-list': allDelivered(2, 'dns'),
  'dns-service-selector': noEndpoint(dnsInMap, 'dns'),
  'dns-upstream-wrong': allDelivered(2, 'dns'),
  'proxy-dead-no-rules': untranslated(),
  'proxy-jump-flushed': untranslated(),
  'proxy-rule-missing': untranslated(),
  'proxy-stale': stale(),
  'rule-raw-drop': lost([end('dropped', /^request node n1$/, /-A PREROUTING -d 10\.96\.72\.206\/32 -p tcp -m tcp --dport 80 -j DROP/)], 0),
  'svc-externalname-ip': lost([end('insufficient-info', /^request pod default\/client$/, /192\.0\.2\.10/)], 0),
  'svc-controller-stuck': noEndpoint(/has no endpoints/),
  'svc-dead-endpoint': lost([end('neighbour-unreachable', /^request node n2$/, /10\.244\.2\.250 dev cni0 INCOMPLETE/)], 3),
  'svc-no-endpointslice': noEndpoint(/has no endpoints/),
  'svc-headless-port': refusedByPods(/LISTEN .*\*:8080/),
  'svc-internal-local': noEndpoint(/has no local endpoints/),
  'svc-named-port': noEndpoint(/10\.96\.72\.206 \. tcp \. 80 .*goto reject-chain/),
  'svc-not-ready': noEndpoint(/has no endpoints/),
  'svc-selector': noEndpoint(/has no endpoints/),
  'svc-targetport': refusedByPods(/LISTEN .*\*:8080/),
  'mtu-far-card': lost([end('dropped', /^request node n2$/, /eth0@if\d+: .* mtu 1400/)], 2, 'full'),
  'mtu-far-pod': lost([end('dropped', /^request pod default\/web-6bd679dd9b-lbnc7$/, /eth0@if\d+: .* mtu 1400/)], 2, 'full'),
  'mtu-one-way': allDelivered(3, 'full'),
};

/** By the name of a recording of ../shared/recordings. */
export const recordingTruths: Readonly<Record<string, TraceTruth>> = {
  'iptables-app-loopback': refusedByPods(/LISTEN .*127\.0\.0\.1:8080/),
  'iptables-bridge-nf-off': lost([end('rejected', /^reply pod default\/client$/, /bridge-nf-call-iptables = 0/)], 2),
  'iptables-cni-fdb-wrong': lost([end('dropped', /^request node n1$/, /02:00:00:00:00:02 dev flannel\.1 dst 192\.168\.1\.99/)], 2),
  'iptables-cni-forward-drop': lost([end('dropped', /^request node n1$/, /:FORWARD DROP/, 3)], 0),
  'iptables-cni-fw-vxlan': endless(/-A INPUT -p udp -m udp --dport 8472 -j DROP/),
  'iptables-cni-mtu': lost([end('dropped', /^request node n1$/, /flannel\.1: .* mtu 1400/, 2)], 1, 'full'),
  'iptables-cni-vxlan-down': lost([end('no-route', /^request node n1$/, /flannel\.1: <BROADCAST,MULTICAST> mtu/, 2)], 1),
  'iptables-dns-coredns-zero': noEndpoint(/-d 10\.96\.0\.10\/32 -p udp .*has no endpoints/, 'dns'),
  'iptables-dns-pod-nameserver': allDelivered(2, 'dns'),
  'iptables-healthy': allDelivered(3),
  'iptables-proxy-dead-no-rules': untranslated(),
  'iptables-proxy-jump-flushed': untranslated(),
  'iptables-proxy-stale': stale(),
  'iptables-svc-not-ready': noEndpoint(/has no endpoints/),
  'iptables-svc-selector': noEndpoint(/has no endpoints/),
  'iptables-svc-targetport': refusedByPods(/LISTEN .*\*:8080/),
  'nftables-cni-route-missing': lost([end('no-route', /^request node n1$/, /default via 192\.168\.1\.1/)], 2),
  'nftables-healthy': allDelivered(3),
  'nftables-proxy-stale': stale(),
  'nftables-svc-selector': noEndpoint(/10\.96\.152\.115 \. tcp \. 80 .*goto reject-chain/),
};

/** The flow of a truth, from the client of its snapshot. */
export function flowOf(from: Flow['from'], target: { namespace: string; name: string }, kind: TraceTruth['flow']): Flow {
  const dns = kind === 'dns';
  return {
    from,
    to: { kind: 'service', port: undefined, ...(dns ? { namespace: 'kube-system', name: 'kube-dns' } : target) },
    protocol: dns ? 'udp' : 'tcp',
    packet: 'first',
    ...(kind === 'full' ? { length: 'full' } : {}),
    ...(typeof kind === 'number' ? { sourcePort: kind } : {}),
  };
}
