import type { Random } from '../fuzz/random.ts';

/** A pod of a topology. */
export interface PlannedPod {
  name: string;
  node: string;
  address: string;
  /** The node's end of its veth. */
  veth: string;
  /** Answers on the port of the flow. */
  listens: boolean;
}

export interface PlannedNode {
  name: string;
  number: number;
  address: string;
  podNetwork: string;
  gateway: string;
}

export interface Plan {
  nodes: PlannedNode[];
  pods: PlannedPod[];
  /**
   * How pod packets get to another node: in VXLAN with static tables as flannel's, by a route to the node, or bridged: all pods are in one network,
   * and a VXLAN device that learns is a port of each node's bridge.
   */
  overlay: 'vxlan' | 'host-gw' | 'bridged';
  /** Pods on a bridge, or each on a routed veth with a route of its own. */
  attachment: 'bridge' | 'routed';
  bridgeNf: boolean;
  rpFilter: 0 | 1 | 2;
  /** Nodes have a default route to a router that knows no pods. */
  hasRouter: boolean;
  /** Everybody has exchanged packets before, so that neighbour tables and FDBs are filled. */
  warm: boolean;
  /** A virtual address (and a port of every node) that every node translates to one of these pods. */
  service: { address: string; port: number; backends: [PlannedPod, ...PlannedPod[]]; masquerade: boolean } | undefined;
  flow: {
    /** `outside`: from beyond the nodes, to a node's port. */
    from: { pod: PlannedPod } | { node: PlannedNode } | { outside: string };
    to: string;
    target: PlannedPod;
    protocol: 'tcp' | 'udp' | 'icmp';
    port: number;
    length: number;
  };
}

export const podPort = 8080;
export const nodePort = 30_080;
export const virtualAddress = '10.96.0.10';
export const routerAddress = '192.168.77.254';

const nodeOf = (number: number): PlannedNode => ({
  name: `n${number}`,
  number,
  address: `192.168.77.1${number}`,
  podNetwork: `10.244.${number}.0/24`,
  gateway: `10.244.${number}.1`,
});

/** A healthy topology of two or three nodes, and one flow through it. */
export function planOf(random: Random): Plan {
  const nodes = Array.from({ length: 2 + random.below(2) }, (_, index) => nodeOf(index + 1));
  const pods = nodes.flatMap((node) =>
    Array.from({ length: 1 + random.below(2) }, (_, index) => ({
      name: `p${node.number}${index + 1}`,
      node: node.name,
      address: `10.244.${node.number}.${index + 2}`,
      veth: `veth${node.number}${index + 1}`,
      listens: true,
    })),
  );
  const first = pods[0] as PlannedPod;
  const target = random.of([first, ...pods.slice(1), ...pods.slice(-1)]);
  const client = random.of([first, ...pods]);
  const fromNode = random.once(6);
  const protocol = random.of(['tcp', 'udp', 'udp', 'icmp'] as const);
  const hasService = protocol !== 'icmp' && random.once(3);
  const fromOutside = hasService && random.once(4);
  const source = client === target && !hasService ? (pods.find((pod) => pod !== target) ?? client) : client;
  const node = nodes.find(({ name }) => name === source.node) as PlannedNode;
  const overlay = random.of(['vxlan', 'vxlan', 'vxlan', 'host-gw', 'host-gw', 'bridged'] as const);
  const second = pods.find((pod) => pod !== target && pod !== source);
  const backends: [PlannedPod, ...PlannedPod[]] = second && random.once(3) ? [target, second] : [target];
  const masquerade = fromOutside ? random.below(4) > 0 : backends.includes(source) || random.once(3);
  return {
    nodes,
    pods,
    overlay,
    attachment: overlay !== 'bridged' && random.once(4) ? 'routed' : 'bridge',
    bridgeNf: random.below(3) > 0,
    rpFilter: random.of([0, 0, 1, 2] as const),
    hasRouter: random.once(2),
    // Who answers for an address beyond a bridge's tunnel is learnt by asking, which a walk of tables does not do.
    warm: overlay === 'bridged' || random.once(2),
    service: hasService ? { address: virtualAddress, port: 80, backends, masquerade } : undefined,
    flow: {
      from: fromOutside ? { outside: routerAddress } : fromNode ? { node } : { pod: source },
      to: fromOutside ? node.address : hasService ? virtualAddress : target.address,
      target,
      protocol,
      port: fromOutside ? nodePort : hasService ? 80 : podPort,
      length: protocol === 'tcp' ? 60 : random.of([60, 500, 1300] as const),
    },
  };
}
