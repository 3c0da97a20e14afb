import type { Random } from '../fuzz/random.ts';
import { type Lines, macOf, podsOn, spaceOf, tunnel } from './build.ts';
import { type Plan, type PlannedNode, type PlannedPod, podPort } from './plan.ts';

/** One thing that is broken in a topology, on purpose. */
export interface Defect {
  name: string;
  changes: Lines[];
  /** Devices whose state the kernel settles some time after the change. */
  settles?: boolean;
  /** Pods that stop answering on the port. */
  deaf?: PlannedPod;
}

type Maker = (plan: Plan, random: Random) => Defect | undefined;

/** Makes one of the defects that the topology can have. */
export function defectOf(plan: Plan, random: Random): Defect {
  for (let tries = 0; tries < 40; tries += 1) {
    const made = random.of(makers)(plan, random);
    if (made) return made;
  }
  return { name: 'none', changes: [] };
}

const nodeOf = (plan: Plan, random: Random): PlannedNode => random.of(plan.nodes as [PlannedNode, ...PlannedNode[]]);
const sourceNode = (plan: Plan): PlannedNode | undefined => {
  const { from, to } = plan.flow;
  if ('outside' in from) return plan.nodes.find(({ address }) => address === to);
  return 'node' in from ? from.node : plan.nodes.find(({ name }) => name === from.pod.node);
};
const targetNode = (plan: Plan): PlannedNode => plan.nodes.find(({ name }) => name === plan.flow.target.node) as PlannedNode;

/** Either end of the flow, so that most defects lie on its way. */
const onPath = (plan: Plan, random: Random): PlannedNode =>
  random.once(5) ? nodeOf(plan, random) : random.once(2) ? targetNode(plan) : (sourceNode(plan) ?? targetNode(plan));
const other = (plan: Plan, node: PlannedNode, random: Random): PlannedNode => {
  const target = node === targetNode(plan) ? (sourceNode(plan) ?? node) : targetNode(plan);
  return target === node ? random.of(plan.nodes.filter((item) => item !== node) as [PlannedNode, ...PlannedNode[]]) : target;
};
const at = (name: string, ...lines: string[]): Lines[] => [{ space: spaceOf(name), lines }];
const podOnPath = (plan: Plan, random: Random): PlannedPod => {
  const { from, target } = plan.flow;
  return 'pod' in from && random.once(2) ? from.pod : target;
};

const route: Maker = (plan, random) => {
  if (plan.overlay === 'bridged') return undefined;
  const node = onPath(plan, random);
  const far = other(plan, node, random);
  const kind = random.of(['missing', 'blackhole', 'unreachable', 'prohibit', 'throw', 'rule'] as const);
  const lines =
    kind === 'missing'
      ? [`ip route del ${far.podNetwork}`]
      : kind === 'rule'
        ? [`ip rule add to ${far.podNetwork} ${random.of(['blackhole', 'unreachable', 'prohibit'] as const)}`]
        : [`ip route replace ${kind} ${far.podNetwork}`];
  return { name: `route ${kind} on ${node.name} to ${far.name}`, changes: at(node.name, ...lines) };
};

const wrongNode: Maker = (plan, random) => {
  const node = onPath(plan, random);
  const far = other(plan, node, random);
  const third = plan.nodes.find((item) => item !== node && item !== far);
  if (third === undefined || plan.overlay !== 'host-gw') return undefined;
  const loops = random.once(2) ? at(third.name, `ip route replace ${far.podNetwork} via ${node.address} dev eth0`) : [];
  return {
    name: `route of ${node.name} to ${far.name} by ${third.name}${loops.length > 0 ? ' and back' : ''}`,
    changes: [...at(node.name, `ip route replace ${far.podNetwork} via ${third.address} dev eth0`), ...loops],
  };
};

const vxlan: Maker = (plan, random) => {
  if (plan.overlay !== 'vxlan') return undefined;
  const node = onPath(plan, random);
  const far = other(plan, node, random);
  const third = plan.nodes.find((item) => item !== node && item !== far);
  const fdb = (dst: string) => `bridge fdb replace ${macOf(far)} dev flannel.1 dst ${dst} self permanent`;
  const again = (options: string) => [
    'ip link del flannel.1',
    `ip link add flannel.1 address ${macOf(node)} mtu 1450 type vxlan ${options} dev eth0 local ${node.address} nolearning`,
    `ip addr add 10.244.${node.number}.0/32 dev flannel.1`,
    'ip link set flannel.1 up',
    ...plan.nodes
      .filter((item) => item !== node)
      .flatMap((item) => [
        `ip neigh add 10.244.${item.number}.0 lladdr ${macOf(item)} dev flannel.1 nud permanent`,
        `bridge fdb add ${macOf(item)} dev flannel.1 dst ${item.address} self permanent`,
        `ip route add ${item.podNetwork} via 10.244.${item.number}.0 dev flannel.1 onlink`,
      ]),
  ];
  const choices: [string, string[]][] = [
    ['FDB to no node', [fdb('192.168.77.99')]],
    ['FDB entry missing', [`bridge fdb del ${macOf(far)} dev flannel.1 self`]],
    ['neighbour missing', [`ip neigh del 10.244.${far.number}.0 dev flannel.1`]],
    ['neighbour wrong', [`ip neigh replace 10.244.${far.number}.0 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent`]],
    ['VTEP MAC changed', ['ip link set flannel.1 address 02:00:00:00:00:77']],
    ['VNI differs', again('id 2 dstport 8472')],
    ['port differs', again('id 1 dstport 8473')],
    ...(third ? ([['FDB to the third node', [fdb(third.address)]]] as [string, string[]][]) : []),
  ];
  const [name, lines] = random.of(choices as [[string, string[]], ...[string, string[]][]]);
  return { name: `${name} on ${node.name} for ${far.name}`, changes: at(node.name, ...lines) };
};

const bridged: Maker = (plan, random) => {
  if (plan.overlay !== 'bridged') return undefined;
  const node = onPath(plan, random);
  const far = other(plan, node, random);
  const again = (options: string) => [
    `ip link del ${tunnel}`,
    `ip link add ${tunnel} mtu 1450 type vxlan ${options} dev eth0 local ${node.address}`,
    `ip link set ${tunnel} master cni0 up`,
    ...plan.nodes
      .filter((item) => item !== node)
      .map((item) => `bridge fdb append 00:00:00:00:00:00 dev ${tunnel} dst ${item.address} self permanent`),
  ];
  const [name, lines] = random.of<[string, string[]]>([
    ['tunnel not on the bridge', [`ip link set ${tunnel} nomaster`]],
    ['tunnel down', [`ip link set ${tunnel} down`]],
    ['VNI differs', again('id 2 dstport 8472')],
    ['port differs', again('id 1 dstport 8473')],
    [
      'tunnel isolated, pods too',
      [tunnel, ...podsOn(plan, node).map(({ veth }) => veth)].map((dev) => `bridge link set dev ${dev} isolated on`),
    ],
    [
      'no far ends',
      [
        `bridge fdb flush dev ${tunnel} self 2>/dev/null || true`,
        `bridge fdb del 00:00:00:00:00:00 dev ${tunnel} dst ${far.address} self 2>/dev/null || true`,
      ],
    ],
  ]);
  return { name: `${name} on ${node.name}`, changes: at(node.name, ...lines), settles: true };
};

const reversePath: Maker = (plan, random) => {
  if (plan.overlay !== 'vxlan') return undefined;
  const node = onPath(plan, random);
  const far = other(plan, node, random);
  const value = random.of([1, 1, 2] as const);
  return {
    name: `rp_filter ${value} on ${node.name}, way back to ${far.name} by eth0`,
    changes: at(
      node.name,
      `echo ${value} >/proc/sys/net/ipv4/conf/${tunnel}/rp_filter`,
      `ip route replace ${far.podNetwork} via ${far.address} dev eth0`,
    ),
  };
};

const forwarding: Maker = (plan, random) => {
  const node = onPath(plan, random);
  const device = random.of([
    'all',
    'eth0',
    ...(plan.overlay === 'vxlan' ? [tunnel] : []),
    ...(plan.attachment === 'bridge' ? ['cni0'] : []),
  ] as [string, ...string[]]);
  const file = device === 'all' ? '/proc/sys/net/ipv4/ip_forward' : `/proc/sys/net/ipv4/conf/${device}/forwarding`;
  return { name: `forwarding of ${device} off on ${node.name}`, changes: at(node.name, `echo 0 >${file}`) };
};

const down: Maker = (plan, random) => {
  const node = onPath(plan, random);
  const pod = podOnPath(plan, random);
  const choices: [string, string][] = [
    [node.name, 'eth0'],
    [pod.node, pod.veth],
    [pod.name, 'eth0'],
    ...(plan.overlay === 'host-gw' ? [] : ([[node.name, tunnel]] as [string, string][])),
    ...(plan.attachment === 'bridge' ? ([[node.name, 'cni0']] as [string, string][]) : []),
  ];
  const [space, device] = random.of(choices as [[string, string], ...[string, string][]]);
  return { name: `${device} of ${space} down`, changes: at(space, `ip link set ${device} down`), settles: true };
};

const port: Maker = (plan, random) => {
  if (plan.attachment !== 'bridge') return undefined;
  const pod = podOnPath(plan, random);
  const both = podsOn(plan, plan.nodes.find(({ name }) => name === pod.node) as PlannedNode).map(
    ({ veth }) => `bridge link set dev ${veth} isolated on`,
  );
  const choices: [[string, string[]], ...[string, string[]][]] = [
    ['not on the bridge', [`ip link set ${pod.veth} nomaster`]],
    ['disabled', [`bridge link set dev ${pod.veth} state 0`]],
    ['blocking', [`bridge link set dev ${pod.veth} state 4`]],
    ['hairpin off', [`bridge link set dev ${pod.veth} hairpin off`]],
    ['isolated', both],
  ];
  const [name, lines] = random.of(choices);
  return { name: `port ${pod.veth} ${name}`, changes: at(pod.node, ...lines), settles: name === 'not on the bridge' };
};

const rule: Maker = (plan, random) => {
  const { protocol, target } = plan.flow;
  const node = onPath(plan, random);
  const chain = random.of(['FORWARD', 'FORWARD', 'INPUT', 'OUTPUT', 'PREROUTING', 'POSTROUTING'] as const);
  const table = chain === 'PREROUTING' || chain === 'POSTROUTING' ? 'mangle' : 'filter';
  const match = random.of([
    `-p ${protocol}`,
    `-s ${target.address}`,
    `-d ${target.address}`,
    `-d ${other(plan, node, random).podNetwork}`,
    ...(plan.overlay === 'host-gw' ? [] : ['-p udp --dport 8472']),
    ...(protocol === 'icmp' ? [] : [`-p ${protocol} --dport ${podPort}`]),
    '-m conntrack --ctstate INVALID',
    '-m conntrack --ctstate NEW',
  ] as [string, ...string[]]);
  const verdict = table === 'filter' && random.once(4) ? 'REJECT' : 'DROP';
  const place = random.once(5) ? podOnPath(plan, random).name : node.name;
  return {
    name: `${table} ${chain} ${match} ${verdict} in ${place}`,
    changes: at(place, `iptables-nft -w -t ${table} -A ${chain} ${match} -j ${verdict}`),
  };
};

const nftRule: Maker = (plan, random) => {
  const node = onPath(plan, random);
  const hook = random.of(['forward', 'input', 'prerouting'] as const);
  const match = random.of([
    `ip daddr ${plan.flow.target.address}`,
    `ip saddr ${plan.flow.target.address}`,
    `iifname "eth0"`,
    'ct state new',
  ] as const);
  return {
    name: `nft ${hook} ${match} drop on ${node.name}`,
    changes: at(
      node.name,
      'nft add table inet fw',
      `nft 'add chain inet fw c { type filter hook ${hook} priority 0; policy accept; }'`,
      `nft 'add rule inet fw c ${match} drop'`,
    ),
  };
};

const policy: Maker = (plan, random) => {
  const node = onPath(plan, random);
  return { name: `FORWARD policy DROP on ${node.name}`, changes: at(node.name, 'iptables-nft -w -P FORWARD DROP') };
};

const mtu: Maker = (plan, random) => {
  if (plan.flow.length < 500) return undefined;
  const node = onPath(plan, random);
  const pod = podOnPath(plan, random);
  const size = random.of([480, 700, 1200] as const);
  const choices: [string, string][] = [
    [pod.node, pod.veth],
    [pod.name, 'eth0'],
    [node.name, 'eth0'],
    ...(plan.overlay === 'host-gw' ? [] : ([[node.name, tunnel]] as [string, string][])),
    ...(plan.attachment === 'bridge' ? ([[node.name, 'cni0']] as [string, string][]) : []),
  ];
  const [space, device] = random.of(choices as [[string, string], ...[string, string][]]);
  const isRoute = plan.overlay === 'host-gw' && random.once(3);
  const far = other(plan, node, random);
  return isRoute
    ? {
        name: `route mtu ${size} on ${node.name} to ${far.name}`,
        changes: at(node.name, `ip route replace ${far.podNetwork} via ${far.address} dev eth0 mtu ${size}`),
      }
    : { name: `mtu ${size} of ${device} in ${space}`, changes: at(space, `ip link set ${device} mtu ${size}`) };
};

const bridgeNf: Maker = (plan) => {
  if (plan.attachment !== 'bridge' || !plan.bridgeNf) return undefined;
  const node = targetNode(plan);
  return {
    name: `bridge-nf-call-iptables off on ${node.name}`,
    changes: at(node.name, 'echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables'),
  };
};

const podRoute: Maker = (plan, random) => {
  const pod = podOnPath(plan, random);
  const choices: [string, string[]][] = [
    ['no default route', ['ip route del default']],
    ['a blackhole by default', ['ip route replace blackhole default']],
    ...(plan.attachment === 'bridge'
      ? ([
          ['a gateway that nobody has', [`ip route replace default via 10.244.${pod.node.slice(1)}.200 dev eth0`]],
          [
            'a wrong MAC for its gateway',
            [`ip neigh replace 10.244.${pod.node.slice(1)}.1 lladdr 02:00:00:00:00:55 dev eth0 nud permanent`],
          ],
        ] as [string, string[]][])
      : ([['a wrong MAC for its gateway', ['ip neigh replace 169.254.1.1 lladdr 02:00:00:00:00:55 dev eth0 nud permanent']]] as [
          string,
          string[],
        ][])),
  ];
  const [name, lines] = random.of(choices as [[string, string[]], ...[string, string[]][]]);
  return { name: `pod ${pod.name} has ${name}`, changes: at(pod.name, ...lines) };
};

const nodeNeighbour: Maker = (plan, random) => {
  const node = onPath(plan, random);
  const far = other(plan, node, random);
  const pod = podOnPath(plan, random);
  return random.once(2)
    ? {
        name: `wrong MAC for ${far.name} on ${node.name}`,
        changes: at(node.name, `ip neigh replace ${far.address} lladdr 02:00:00:00:00:66 dev eth0 nud permanent`),
      }
    : {
        name: `wrong MAC for ${pod.name} on ${pod.node}`,
        changes: at(
          pod.node,
          `ip neigh replace ${pod.address} lladdr 02:00:00:00:00:67 dev ${plan.attachment === 'bridge' ? 'cni0' : pod.veth} nud permanent`,
        ),
      };
};

const deaf: Maker = (plan) =>
  plan.flow.protocol === 'icmp' ? undefined : { name: `${plan.flow.target.name} does not listen`, changes: [], deaf: plan.flow.target };

const none: Maker = () => ({ name: 'none', changes: [] });

const makers: [Maker, ...Maker[]] = [
  none,
  route,
  route,
  wrongNode,
  bridged,
  bridged,
  vxlan,
  vxlan,
  vxlan,
  reversePath,
  forwarding,
  down,
  port,
  port,
  rule,
  rule,
  rule,
  nftRule,
  policy,
  mtu,
  mtu,
  bridgeNf,
  podRoute,
  nodeNeighbour,
  deaf,
];
