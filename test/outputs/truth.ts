import { type Comparator, entriesOf, isLoose, type Loose, missing, objectsIn } from './objects.ts';
import { changes, linkLayer, nothing, refusal, sets, trace } from './truth-changes.ts';
import { chainRules, flows, jails, liveFlows, nativeTables, oneChain, otherBackend, tables, toldPrograms } from './truth-netfilter.ts';
import { addresses, bridge, links, neighbourStates, routes, rules, sockets } from './truth-node.ts';
import { captures, connects, curl, dig, getent, paths, ping, probes, resolvConf, tls } from './truth-probes.ts';

/** Which comparator holds an item's truth against its parsed value: by kind, and by what the truth tells of. Undefined = none, which is counted. */
export function comparatorFor(kind: string, truth: Loose): Comparator | undefined {
  if (Array.isArray(truth.changes)) return changes;
  if (kind === 'iptables-rules' && Array.isArray(truth.legacyTables)) return otherBackend;
  if (kind === 'iptables-save' || kind === 'iptables-list' || kind.startsWith('nft')) return netfilter(truth);
  if (kind === 'conntrack') return Array.isArray(truth.entries) ? flows : liveFlows;
  const byKind = kinds[kind];
  if (byKind) return byKind;
  if (Array.isArray(truth.routes)) return routes;
  if (Array.isArray(truth.rules)) return rules;
  if (isLoose(truth.states)) return neighbourStates;
  return undefined;
}

function netfilter(truth: Loose): Comparator | undefined {
  if (typeof truth.chain === 'string' && typeof truth.rules === 'number') return oneChain;
  if (isLoose(truth.jails)) return jails;
  if (Array.isArray(truth.rules)) return chainRules;
  if (Array.isArray(truth.tables) || isLoose(truth.chains) || Array.isArray(truth.nft)) return nativeTables;
  if (isLoose(truth.tables) || isLoose(truth.nft)) return tables;
  if (isLoose(truth.default) || Array.isArray(truth.publish) || Array.isArray(truth.hostPorts)) return toldPrograms;
  return undefined;
}

/** `ip route get`: error, device, gateway, MTU. */
const routeGet: Comparator = (truth, value, { text }) => {
  const objects = objectsIn(value);
  const has = (key: string, wanted: unknown): boolean =>
    wanted === undefined || objects.some((object) => String(object[key]) === String(wanted));
  return missing([
    ['error', truth.error === undefined || objects.some(({ kind }) => kind === 'error')],
    ['device', has('dev', truth.dev)],
    ['gateway', has('via', truth.via)],
    ['MTU', truth.mtu_lock === undefined || has('mtu', truth.mtu_lock)],
    ['path MTU', truth.path_mtu === undefined || objects.some(({ pathMtu, mtu }) => pathMtu === truth.path_mtu || mtu === truth.path_mtu)],
    ['type', (truth.local !== true || has('type', 'local')) && (truth.broadcast !== true || has('type', 'broadcast'))],
    [
      'each address asked for',
      !Array.isArray(truth.asked) || truth.asked.every((address) => !text.includes(String(address)) || has('dst', address)),
    ],
  ]);
};

const byText =
  (...keys: string[]): Comparator =>
  (truth, value) => {
    const objects = objectsIn(value);
    const words = objects
      .flatMap((object) => Object.values(object))
      .filter((inner) => typeof inner === 'string' || typeof inner === 'number')
      .map(String);
    return missing(keys.map((key) => [key, truth[key] === undefined || words.some((word) => word.includes(String(truth[key])))] as const));
  };

const sysctl: Comparator = (truth, value) =>
  entriesOf(truth).flatMap(([device, settings]) =>
    entriesOf(settings).flatMap(([name, wanted]) =>
      missing([
        [
          `${device}.${name}`,
          objectsIn(value).some(
            (entry) =>
              String(entry.path).includes(`/${device}/`) && String(entry.path).endsWith(name) && String(entry.value) === String(wanted),
          ),
        ],
      ]),
    ),
  );

const conntrackStats: Comparator = (truth, value) =>
  missing([['lines', truth.cpuLines === undefined || objectsIn(value).filter(({ cpu }) => cpu !== undefined).length === truth.cpuLines]]);

const bonding: Comparator = (truth, value) =>
  missing(entriesOf(truth.slaves).map(([slave]) => [`no slave ${slave}`, objectsIn(value).some(({ name }) => name === slave)] as const));

const listenOverflows: Comparator = (_truth, value) =>
  missing([
    [
      'ListenOverflows above 0',
      objectsIn(value).some(({ name, value: count }) => String(name).includes('ListenOverflows') && Number(count) > 0),
    ],
  ]);

/** Parts of a text with several outputs: routes and addresses as far as their parts were read, and probes. */
const mixed: Comparator = (truth, value, item) => [
  ...(Array.isArray(truth.routes)
    ? routes(
        {
          routes: (truth.routes as Loose[]).filter((route) => item.text.includes(String(route.dst).replace('/24', '').replace('/16', ''))),
        },
        value,
        { ...item, slug: `${item.slug} ${/german/.test(item.slug) ? 'route-n' : ''}` },
      )
    : probes(truth, value, item)),
  ...missing([
    [
      'pod address',
      typeof truth.pod_ip !== 'string' || objectsIn(value).some(({ address }) => address === String(truth.pod_ip).split('/')[0]),
    ],
  ]),
];

const calicoRoutes: Comparator = (truth, value, item) => {
  if (Array.isArray(truth.routes)) return routes(truth, value, item);
  const objects = objectsIn(value);
  const pods = { ...(isLoose(truth.local_pods) ? truth.local_pods : {}) };
  const remote = { ...(isLoose(truth.remote_blocks) ? truth.remote_blocks : {}), ...(isLoose(truth.borrowed_ip) ? truth.borrowed_ip : {}) };
  return missing([
    ...entriesOf(pods).map(
      ([dst, words]) =>
        [`no route to the pod ${dst}`, objects.some((route) => route.dst === dst && route.dev === String(words).split(' ')[0])] as const,
    ),
    ...entriesOf(remote).map(
      ([dst, way]) =>
        [`no route to ${dst}`, objects.some((route) => route.dst === dst && (route.via === way || route.dev === way))] as const,
    ),
    ['own block', truth.own_block === undefined || objects.some((route) => route.type === 'blackhole')],
    ['via', truth.via === undefined || objects.some((route) => route.via === truth.via)],
    [
      'local addresses',
      !Array.isArray(truth.local_addresses_v4) ||
        truth.local_addresses_v4.every((address) => objects.some((route) => route.dst === address && route.type === 'local')),
    ],
    [
      'nexthop ids',
      !isLoose(truth.routes) ||
        entriesOf(truth.routes).every(([dst, id]) => objects.some((route) => route.dst === dst && route.nexthopId === id)),
    ],
    ['path MTU', truth.path_mtu === undefined || objects.some(({ mtu, pathMtu }) => mtu === truth.path_mtu || pathMtu === truth.path_mtu)],
  ]);
};

const kinds: Readonly<Record<string, Comparator>> = {
  'ip-route': calicoRoutes,
  'ip-route-get': routeGet,
  'ip-addr': (truth, value, item) =>
    isLoose(truth.eth0) && Array.isArray(truth.eth0.v4) ? addresses(truth, value, item) : links(truth, value, item),
  'ip-link': (truth, value, item) => (truth.dev === undefined ? links(truth, value, item) : byText('dev')(truth, value, item)),
  'bridge-fdb': bridge,
  'bridge-vlan': bridge,
  'bridge-link': bridge,
  'brctl-show': bridge,
  ss: sockets,
  netstat: sockets,
  sysctl,
  ethtool: byText('driver'),
  nstat: listenOverflows,
  'proc-bonding': bonding,
  'conntrack-stats': conntrackStats,
  'conntrack-expect': byText(),
  dig,
  getent,
  'resolv-conf': resolvConf,
  curl,
  nc: connects,
  'dev-tcp': connects,
  ping,
  traceroute: paths,
  openssl: tls,
  tcpdump: captures,
  ipset: sets,
  arptables: linkLayer,
  'xtables-trace': trace,
  empty: nothing,
  'tool-message': refusal,
  mixed,
};
