/** One change of the cluster, as arguments of test/cluster/cluster.sh; pods stand as `pod:client`, `pod:n2` (the endpoint on n2). */
export type Change = readonly string[];

/** A combination of MTUs and filters. What is true of it is not written here: the kernel is asked (kernel.ts). */
export interface MtuCase {
  id: string;
  about: string;
  changes: readonly Change[];
  /** Where the finding has to point to; left out where there is none. */
  where?: RegExp;
}

const nodes = ['n1', 'n2', 'n3'] as const;
const pods = ['pod:client', 'pod:n1', 'pod:n2', 'pod:n3', 'pod:dns0', 'pod:dns1'] as const;

const tunnel = (mtu: number, on: readonly string[] = nodes): Change[] =>
  on.map((node) => ['host', node, 'ip', 'link', 'set', 'flannel.1', 'mtu', `${mtu}`]);
const card = (mtu: number, on: readonly string[] = nodes): Change[] =>
  on.map((node) => ['host', node, 'ip', 'link', 'set', 'eth0', 'mtu', `${mtu}`]);
/** The switch's end of a node's cable: no device of the node's own. */
const port = (mtu: number, node: string): Change => ['host', 'cp', 'ip', 'link', 'set', `to-${node}`, 'mtu', `${mtu}`];
const podMtu = (mtu: number, on: readonly string[] = pods): Change[] =>
  on.map((pod) => [pod, 'ip', 'link', 'set', 'eth0', 'mtu', `${mtu}`]);
const untold = (on: readonly string[] = nodes): Change[] =>
  on.map((node) => ['host', node, 'iptables', '-I', 'OUTPUT', '-p', 'icmp', '--icmp-type', 'fragmentation-needed', '-j', 'DROP']);
const onWire = (match: string): Change => [
  'host',
  'cp',
  'nft',
  `table bridge underlay { chain forward { type filter hook forward priority 0; ${match} drop; }; }`,
];

export const mtuCases: readonly MtuCase[] = [
  { id: 'as-built', about: 'pods and tunnels 1450, network cards 1500', changes: [] },
  { id: 'pods-below-tunnel', about: 'pods 1400, tunnels 1450, cards 1500', changes: podMtu(1400) },
  { id: 'tunnel-told', about: 'tunnels 1400, ICMP passes', changes: tunnel(1400), where: /flannel\.1 mtu 1400/ },
  {
    id: 'tunnel-untold',
    about: 'tunnels 1400, ICMP filtered on every node',
    changes: [...tunnel(1400), ...untold()],
    where: /flannel\.1 mtu 1400/,
  },
  {
    id: 'tunnel-untold-back',
    about: "n2's tunnel 1380, ICMP filtered there: only answers are hurt",
    changes: [...tunnel(1380, ['n2']), ...untold(['n2'])],
    where: /flannel\.1 mtu 1380/,
  },
  {
    id: 'route-mtu-untold',
    about: "n1's route to n2's pods says mtu 1330, ICMP filtered there: no device is narrow",
    changes: [
      ['host', 'n1', 'ip', 'route', 'change', '10.244.2.0/24', 'via', '10.244.2.0', 'dev', 'flannel.1', 'onlink', 'mtu', '1330'],
      ...untold(['n1']),
    ],
    where: /flannel\.1 mtu 1330/,
  },
  {
    id: 'card-below-tunnel',
    about: 'cards 1450 under tunnels of 1450: fragments, which pass',
    changes: card(1450),
    where: /eth0 mtu 1450/,
  },
  {
    id: 'card-below-tunnel-no-fragments',
    about: 'cards 1450 under tunnels of 1450, and the network drops fragments',
    changes: [...card(1450), onWire('ip frag-off & 0x1fff != 0')],
    where: /eth0 mtu 1450/,
  },
  { id: 'far-card', about: "n2's card 1400: what comes in is too long for it", changes: card(1400, ['n2']), where: /eth0 mtu 1400/ },
  { id: 'switch-port', about: "the switch's port to n2 takes 1380", changes: [port(1380, 'n2')], where: /between nodes n1 and n2/ },
  {
    id: 'one-way',
    about: 'the network takes 1340 bytes from n2, and 1500 to it',
    changes: [onWire('ip saddr 192.168.1.12 meta length gt 1340')],
    where: /between nodes n1 and n2/,
  },
  {
    id: 'far-pod',
    about: "the pod on n2 has 1400, the end of its veth on the node 1450: TCP's MSS keeps to it",
    changes: podMtu(1400, ['pod:n2']),
    where: /eth0 mtu 1400/,
  },
  {
    id: 'two-steps',
    about: 'tunnels 1420, ICMP passes; the network takes 1400: the size that is told does not pass either',
    changes: [...tunnel(1420), onWire('ip saddr != 192.168.1.1 meta length gt 1400')],
    where: /between nodes n1 and n[23]/,
  },
];
