import { createHash } from 'node:crypto';
import type { EndpointSlice, Service } from '../src/schema/kubernetes.ts';

/** A Service of the generated cluster, with the names that kube-proxy gives its chains. */
export interface GeneratedService {
  namespace: string;
  name: string;
  clusterIP: string;
  port: number;
  /** `address:port`, one per endpoint. */
  endpoints: string[];
}

export const podNetwork = '10.128.0.0/9';

/**
 * Services of one TCP port each, with distinct ClusterIPs out of 10.64.0.0/10 and endpoints out of the pod network. The same numbers give the same
 * cluster each time. At most 4,000,000 Services and 8,000,000 endpoints have an address.
 */
export const generateServices = (services: number, endpointsEach: number): GeneratedService[] =>
  Array.from({ length: services }, (_, index) => ({
    namespace: `team-${index % 50}`,
    name: `service-${index}`,
    clusterIP: addressAt(64, index + 1),
    port: 80,
    endpoints: Array.from({ length: endpointsEach }, (_, endpoint) => `${addressAt(128, index * endpointsEach + endpoint + 1)}:8080`),
  }));

/** The Service objects of the API, as far as kube-proxy's rules depend on them. */
export const servicesOf = (services: readonly GeneratedService[]): Service[] =>
  services.map(({ namespace, name, clusterIP, port }) => ({
    metadata: { namespace, name },
    spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports: [{ name: 'http', port, protocol: 'TCP', targetPort: 8080 }] },
  }));

/** The EndpointSlices of the API: one for each Service, every endpoint ready and on another node. */
export const endpointSlicesOf = (services: readonly GeneratedService[]): EndpointSlice[] =>
  services.map(({ namespace, name, endpoints }) => ({
    metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map((endpoint) => ({
      addresses: [endpoint.split(':')[0] ?? ''],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'n2',
    })),
  }));

/** What iptables-nft-save (1.8.9) prints on a node whose kube-proxy is in iptables mode (rules as in pkg/proxy/iptables/proxier.go of Kubernetes 1.36). */
export function iptablesSaveOf(services: readonly GeneratedService[]): string {
  const chains: string[] = [];
  const perService: string[] = [];
  const portals: string[] = [];
  for (const service of services) {
    const portName = `${service.namespace}/${service.name}:http`;
    const svc = `KUBE-SVC-${hashName(`${portName}tcp`)}`;
    chains.push(`:${svc} - [0:0]`);
    portals.push(
      `-A KUBE-SERVICES -d ${service.clusterIP}/32 -p tcp -m comment --comment "${portName} cluster IP" -m tcp --dport ${service.port} -j ${svc}`,
    );
    perService.push(
      `-A ${svc} ! -s ${podNetwork} -d ${service.clusterIP}/32 -p tcp -m comment --comment "${portName} cluster IP" -m tcp --dport ${service.port} -j KUBE-MARK-MASQ`,
    );
    service.endpoints.forEach((endpoint, index) => {
      const sep = `KUBE-SEP-${hashName(`${portName}tcp${endpoint}`)}`;
      const left = service.endpoints.length - index;
      const chance = left === 1 ? '' : ` -m statistic --mode random --probability ${asStored(1 / left)}`;
      chains.push(`:${sep} - [0:0]`);
      perService.push(
        `-A ${svc} -m comment --comment "${portName} -> ${endpoint}"${chance} -j ${sep}`,
        `-A ${sep} -s ${endpoint.split(':')[0]}/32 -m comment --comment "${portName}" -j KUBE-MARK-MASQ`,
        `-A ${sep} -p tcp -m comment --comment "${portName}" -m tcp -j DNAT --to-destination ${endpoint}`,
      );
    });
  }
  return [...filterTable, ...natHead, ...chains, ...natRules, ...portals, nodePorts, ...perService, 'COMMIT', completed, ''].join('\n');
}

/** What `nft list ruleset` (1.0.6) prints of the IPv4 table of a kube-proxy in nftables mode (pkg/proxy/nftables/proxier.go of Kubernetes 1.36). */
export function nftTextOf(services: readonly GeneratedService[]): string {
  const list = (elements: string[]): string => elements.join(',\n\t\t\t     ');
  const endpoints = services.flatMap((service) => service.endpoints.map((endpoint) => endpoint.split(':')));
  const hairpins = endpoints.map(([address, port]) => `${address} . ${address} . tcp . ${port}`);
  const fronts = services.map((service) => `${service.clusterIP} . tcp . ${service.port} : goto ${nftChain(service)}`);
  return [
    'table ip kube-proxy {',
    '\tcomment "rules for kube-proxy"',
    `\tset cluster-ips {\n\t\ttype ipv4_addr\n\t\telements = { ${list(services.map((service) => service.clusterIP))} }\n\t}\n`,
    `\tset hairpin-connections {\n\t\ttype ipv4_addr . ipv4_addr . inet_proto . inet_service\n\t\telements = { ${list(hairpins)} }\n\t}\n`,
    '\tmap no-endpoint-services {\n\t\ttype ipv4_addr . inet_proto . inet_service : verdict\n\t}\n',
    `\tmap service-ips {\n\t\ttype ipv4_addr . inet_proto . inet_service : verdict\n\t\telements = { ${list(fronts)} }\n\t}\n`,
    '\tmap service-nodeports {\n\t\ttype inet_proto . inet_service : verdict\n\t}\n',
    ...nftBaseChains,
    ...services.flatMap((service) => {
      const numbered = service.endpoints.map((endpoint, index) => `${index} : ${endpoint.replace(':', ' . ')}`).join(', ');
      const target = `numgen random mod ${service.endpoints.length} map { ${numbered} }`;
      return [`\tchain ${nftChain(service)} {`, `\t\tmeta l4proto tcp dnat ip to ${target}`, '\t}', ''];
    }),
    '}',
    '',
  ].join('\n');
}

/**
 * What `conntrack -L` (1.4.7) prints of so many connections of pods to Services, in pieces of a thousand lines: TCP in several states, and DNS over UDP; a quarter with accounting,
 * as nodes with nf_conntrack_acct have it.
 */
export function* conntrackListOf(flows: number): Generator<string> {
  for (let first = 0; first < flows; first += 1000)
    yield Array.from({ length: Math.min(1000, flows - first) }, (_, index) => `${conntrackLine(first + index)}\n`).join('');
}

function conntrackLine(index: number): string {
  const source = addressAt(128, index % 5000);
  const service = addressAt(64, index % 997);
  const endpoint = addressAt(128, 10_000 + (index % 9973));
  const port = 1024 + (index % 64_000);
  const count = (packets: number): string => (index % 4 === 0 ? ` packets=${packets} bytes=${packets * 140}` : '');
  const [head, front, back, flag] =
    index % 5 === 0
      ? ['udp      17 29', 53, 53, index % 10 === 0 ? '' : ' [ASSURED]']
      : [`tcp      6 ${index % 432_000} ${['ESTABLISHED', 'TIME_WAIT', 'CLOSE_WAIT'][index % 3]}`, 80, 8080, ' [ASSURED]'];
  return (
    `${head} src=${source} dst=${service} sport=${port} dport=${front}${count(index % 90)}` +
    ` src=${endpoint} dst=${source} sport=${back} dport=${port}${count(index % 80)}${flag} mark=0 use=1`
  );
}

/** xt_statistic keeps a probability as a number of 31 bits. */
const asStored = (probability: number): string => (Math.round(probability * 2 ** 31) / 2 ** 31).toFixed(11);

const addressAt = (firstByte: number, index: number): string => `10.${firstByte + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}`;

/** kube-proxy names a chain by the first 16 letters of the base32 of the SHA-256 of what it stands for. */
const hashName = (text: string): string => base32(createHash('sha256').update(text).digest()).slice(0, 16);

function base32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes.subarray(0, 10)) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return text;
}

const nftChain = ({ namespace, name }: GeneratedService): string =>
  `service-${hashName(`${namespace}/${name}:httptcp`).slice(0, 8)}-${namespace}/${name}/tcp/http`;

const generated = '# Generated by iptables-save v1.8.9 (nf_tables) on Sat Nov 21 12:00:00 2026';
const completed = '# Completed on Sat Nov 21 12:00:00 2026';

const filterTable = [
  generated,
  '*filter',
  ':INPUT ACCEPT [0:0]',
  ':FORWARD ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':KUBE-FORWARD - [0:0]',
  ':KUBE-SERVICES - [0:0]',
  '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
  '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
  '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
  '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  'COMMIT',
  completed,
];

const natHead = [
  generated,
  '*nat',
  ':PREROUTING ACCEPT [0:0]',
  ':INPUT ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':POSTROUTING ACCEPT [0:0]',
  ':KUBE-MARK-MASQ - [0:0]',
  ':KUBE-NODEPORTS - [0:0]',
  ':KUBE-POSTROUTING - [0:0]',
  ':KUBE-SERVICES - [0:0]',
];

const natRules = [
  '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
  '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
  '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
  '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
  '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
];

const nodePorts =
  '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS';

const nftBase = (name: string, type: string, hook: string, priority: string, ...rules: string[]): string =>
  [
    `\tchain ${name} {`,
    `\t\ttype ${type} hook ${hook} priority ${priority}; policy accept;`,
    ...rules.map((rule) => `\t\t${rule}`),
    '\t}',
    '',
  ].join('\n');

const nftBaseChains = [
  `\tchain cluster-ips-check {\n\t\tip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"\n\t}\n`,
  nftBase(
    'filter-forward',
    'filter',
    'forward',
    'filter',
    'ct state new jump service-endpoints-check',
    'ct state new jump cluster-ips-check',
  ),
  nftBase(
    'filter-output',
    'filter',
    'output',
    'filter',
    'ct state new jump service-endpoints-check',
    'ct state new jump cluster-ips-check',
  ),
  '\tchain masquerading {',
  '\t\tmeta mark & 0x00004000 != 0x00000000 meta mark set meta mark ^ 0x00004000 masquerade fully-random',
  '\t\tct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random',
  '\t}\n',
  nftBase('nat-output', 'nat', 'output', '-100', 'jump services'),
  nftBase('nat-postrouting', 'nat', 'postrouting', 'srcnat', 'jump masquerading'),
  nftBase('nat-prerouting', 'nat', 'prerouting', 'dstnat', 'jump services'),
  '\tchain service-endpoints-check {\n\t\tip daddr . meta l4proto . th dport vmap @no-endpoint-services\n\t}\n',
  '\tchain services {',
  `\t\tip daddr @cluster-ips ip saddr != ${podNetwork} meta mark set meta mark | 0x00004000 comment "masquerade clusterIP traffic from outside cluster"`,
  '\t\tip daddr . meta l4proto . th dport vmap @service-ips',
  '\t\tfib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports',
  '\t}\n',
];
