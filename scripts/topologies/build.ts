import { spawnSync } from 'node:child_process';
import { nodePort, type Plan, type PlannedNode, type PlannedPod, podPort, routerAddress } from './plan.ts';

/** Prefix of all namespaces of this process, and what stands for the network between the nodes. */
const prefix = `k8snet-topo-${process.pid}`;
const wireSpace = `${prefix}-wire`;
export const wireFile = `/run/netns/${wireSpace}`;
export const spaceOf = (name: string): string => `${prefix}-${name}`;
export const fileOf = (name: string): string => `/run/netns/${spaceOf(name)}`;

/** Shell lines for one namespace. */
export interface Lines {
  space: string;
  lines: string[];
}

export const macOf = (node: PlannedNode): string => `02:00:00:00:00:0${node.number}`;
/** Pods of all nodes are in one network where their bridges are one. */
const podPrefix = ({ overlay }: Plan): number => (overlay === 'bridged' ? 16 : 24);

export const tunnel = 'flannel.1';

export const podsOn = (plan: Plan, node: PlannedNode): PlannedPod[] => plan.pods.filter((pod) => pod.node === node.name);

/** Makes the healthy topology; every line has to succeed. */
export function build(plan: Plan): void {
  const spaces = [wireSpace, ...[...plan.nodes, ...plan.pods].map(({ name }) => spaceOf(name))];
  const links = [
    ...plan.nodes.map(({ name, number }) => `ip link add w${number} netns ${wireSpace} type veth peer name eth0 netns ${spaceOf(name)}`),
    ...plan.pods.map(
      ({ name, node, veth }) =>
        `ip link add ${veth} netns ${spaceOf(node)} mtu 1450 type veth peer name eth0 netns ${spaceOf(name)} mtu 1450`,
    ),
  ];
  run([{ space: '', lines: [...spaces.map((space) => `ip netns add ${space}`), ...links] }]);
  run([wire(plan), ...plan.nodes.map((node) => nodeLines(plan, node)), ...plan.pods.map((pod) => podLines(plan, pod))]);
}

/** Takes all namespaces of this process away. */
export function destroy(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  const own = stdout.split('\n').flatMap((line) => (line.startsWith(`${prefix}-`) ? [line.split(' ')[0] ?? ''] : []));
  if (own.length > 0) spawnSync('ip', ['-batch', '-'], { input: own.map((space) => `netns delete ${space}\n`).join('') });
}

/**
 * Runs lines by `sh -e` in their namespaces, one after the other.
 * @throws Error with what the tool said, when a line fails
 */
export function run(blocks: readonly Lines[]): void {
  const script = blocks
    .filter(({ lines }) => lines.length > 0)
    .map(({ space, lines }) => {
      const body = lines.join('\n');
      return space === '' ? body : `ip netns exec ${space} sh -e <<'K8SNET_LINES'\n${body}\nK8SNET_LINES`;
    })
    .join('\n');
  const { status, stderr } = spawnSync('sh', ['-e'], { input: script, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the topology could not be made: ${stderr.trim()}`);
}

const quiet = [
  'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6',
  'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6',
  'ip link set lo up',
];

const wire = (plan: Plan): Lines => ({
  space: wireSpace,
  lines: [
    ...quiet,
    'echo 0 >/proc/sys/net/ipv4/ip_forward',
    'ip link add br0 type bridge',
    `ip addr add ${routerAddress}/24 dev br0`,
    'ip link set br0 up',
    ...plan.nodes.map(({ number }) => `ip link set w${number} master br0 up`),
  ],
});

function nodeLines(plan: Plan, node: PlannedNode): Lines {
  return {
    space: spaceOf(node.name),
    lines: [
      ...quiet,
      'echo 1 >/proc/sys/net/ipv4/ip_forward',
      `echo ${plan.rpFilter} >/proc/sys/net/ipv4/conf/all/rp_filter`,
      ...['iptables', 'arptables'].map((name) => `echo ${plan.bridgeNf ? 1 : 0} >/proc/sys/net/bridge/bridge-nf-call-${name}`),
      `ip addr add ${node.address}/24 dev eth0`,
      'ip link set eth0 up',
      ...(plan.hasRouter ? [`ip route add default via ${routerAddress} dev eth0`] : []),
      ...(plan.attachment === 'bridge' ? bridgeLines(plan, node) : routedLines(plan, node)),
      ...overlayLines(plan, node),
      ...serviceLines(plan),
    ],
  };
}

const bridgeLines = (plan: Plan, node: PlannedNode): string[] => [
  'ip link add cni0 mtu 1450 type bridge',
  `ip addr add ${node.gateway}/${podPrefix(plan)} dev cni0`,
  'ip link set cni0 up',
  ...podsOn(plan, node).flatMap(({ veth }) => [`ip link set ${veth} master cni0 up`, `bridge link set dev ${veth} hairpin on`]),
];

/** As Calico does it: a route for each pod, which has a gateway that nobody holds. */
const routedLines = (plan: Plan, node: PlannedNode): string[] =>
  podsOn(plan, node).flatMap(({ veth, address }) => [
    `ip link set ${veth} address ee:ee:ee:ee:ee:ee`,
    `ip link set ${veth} up`,
    `ip route add ${address} dev ${veth} scope link`,
  ]);

function overlayLines(plan: Plan, node: PlannedNode): string[] {
  const others = plan.nodes.filter((other) => other !== node);
  if (plan.overlay === 'bridged')
    return [
      `ip link add ${tunnel} mtu 1450 type vxlan id 1 dev eth0 local ${node.address} dstport 8472`,
      `ip link set ${tunnel} master cni0 up`,
      ...others.map((other) => `bridge fdb append 00:00:00:00:00:00 dev ${tunnel} dst ${other.address} self permanent`),
    ];
  if (plan.overlay === 'host-gw') return others.map((other) => `ip route add ${other.podNetwork} via ${other.address} dev eth0`);
  return [
    `ip link add flannel.1 address ${macOf(node)} mtu 1450 type vxlan id 1 dev eth0 local ${node.address} dstport 8472 nolearning`,
    `ip addr add 10.244.${node.number}.0/32 dev ${tunnel}`,
    'ip link set flannel.1 up',
    ...others.flatMap((other) => [
      `ip neigh add 10.244.${other.number}.0 lladdr ${macOf(other)} dev flannel.1 nud permanent`,
      `bridge fdb add ${macOf(other)} dev flannel.1 dst ${other.address} self permanent`,
      `ip route add ${other.podNetwork} via 10.244.${other.number}.0 dev flannel.1 onlink`,
    ]),
  ];
}

/** What kube-proxy does, in a few rules: the virtual address and each node's port, to one of the pods at random. */
function serviceLines({ service, flow, nodes }: Plan): string[] {
  if (service === undefined) return [];
  const { backends, masquerade } = service;
  const fronts = [
    `-d ${service.address}/32 -p ${flow.protocol} --dport ${service.port}`,
    ...nodes.map(({ address }) => `-d ${address}/32 -p ${flow.protocol} --dport ${nodePort}`),
  ];
  const rules = fronts.flatMap((match) =>
    ['PREROUTING', 'OUTPUT'].flatMap((chain) => [
      ...(masquerade ? [`-A ${chain} ${match} -j MARK --set-xmark 0x4000/0x4000`] : []),
      ...backends.map(({ address }, index) => {
        const rest = backends.length - index;
        const chance = rest > 1 ? ` -m statistic --mode random --probability ${1 / rest}` : '';
        return `-A ${chain} ${match}${chance} -j DNAT --to-destination ${address}:${podPort}`;
      }),
    ]),
  );
  const text = ['*nat', ...rules, '-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE', 'COMMIT'].join('\n');
  return [`iptables-nft-restore -w --noflush <<'K8SNET_RULES'\n${text}\nK8SNET_RULES`];
}

function podLines(plan: Plan, { name, address, node: nodeName }: PlannedPod): Lines {
  const node = plan.nodes.find((item) => item.name === nodeName);
  const routed = [
    `ip addr add ${address}/32 dev eth0`,
    'ip link set eth0 up',
    'ip route add 169.254.1.1 dev eth0 scope link',
    'ip route add default via 169.254.1.1 dev eth0',
    'ip neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
  ];
  const bridged = [
    `ip addr add ${address}/${podPrefix(plan)} dev eth0`,
    'ip link set eth0 up',
    `ip route add default via ${node?.gateway} dev eth0`,
  ];
  return { space: spaceOf(name), lines: [...quiet, ...(plan.attachment === 'routed' ? routed : bridged)] };
}
