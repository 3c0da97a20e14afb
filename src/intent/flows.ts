import { addressMask, addressText } from '../model/netfilter-address.ts';
import { newConnection, type Packet } from '../model/packet.ts';
import type { IntentFlow } from './expected.ts';
import type { Front, NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';

/**
 * Who connects: a pod of the node, an endpoint of the Service itself (which may be given to itself), the node, or somebody outside of the cluster
 * (allowed or barred by `loadBalancerSourceRanges`).
 */
export type Origin = 'pod' | 'endpoint' | 'node' | 'outside' | 'barred';

export interface FrontFlow extends IntentFlow {
  from: Origin;
}

/** Addresses to connect from. */
export interface Sources {
  /** Of pods on this node, most real first: one that is no endpoint of the Service is taken. Empty: not known. */
  pods: readonly string[];
}

/** Of the ranges for documentation, RFC 5737 and RFC 3849: nobody of the cluster has one. */
const outsider = { ip: '203.0.113.77', ip6: '2001:db8:ffff:ffff::77' } as const;

/**
 * The first packets by which a front is tried: from a pod and from the node itself, a ClusterIP also from an endpoint on the node; fronts that are
 * meant for outside also from there, and where source ranges are set, once from within them and once from beyond.
 */
export function flowsOf(plan: NodePlan, tables: NodeTables, front: Front, sources: Sources): FrontFlow[] {
  const destination = destinationOf(plan, front);
  if (destination === undefined) return [];
  const to = { destination, protocol: front.protocol, destinationPort: front.port };
  const own = plan.node.primary[plan.family];
  const pod = sources.pods.find((address) => !front.planned.endpoints.some((endpoint) => endpoint.address === address));
  const flows: FrontFlow[] = [];
  const fromNetwork = (from: Origin, source: string): void => {
    const back = tables.route(source);
    flows.push({ ...to, from, source, origin: 'network', ...(back.to === 'device' ? { inInterface: back.outInterface } : {}) });
  };
  if (front.kind === 'HealthCheckNodePort') {
    fromNetwork('outside', outsider[plan.family]);
    return flows;
  }
  if (pod !== undefined) fromNetwork('pod', pod);
  if (own !== undefined) flows.push({ ...to, from: 'node', source: front.address === null ? destination : own, origin: 'node' });
  if (front.kind === 'ClusterIP') {
    const itself = front.planned.reach.all.find(({ isLocal, address }) => isLocal && !plan.isLocal(address));
    if (itself !== undefined) fromNetwork('endpoint', itself.address);
    return flows;
  }
  const ranges = front.kind === 'LoadBalancer' ? front.planned.port.sourceRanges : [];
  if (ranges.length === 0) fromNetwork('outside', outsider[plan.family]);
  else {
    fromNetwork('outside', insideOf(ranges[0] as string));
    fromNetwork('barred', outsider[plan.family]);
  }
  return flows;
}

/** The packet of a flow as the node first sees it. It is routed, and comes over no bridge as far as rules on bridge ports are concerned. */
export const packetOf = (plan: NodePlan, flow: FrontFlow): Packet =>
  newConnection({
    family: plan.family,
    source: flow.source,
    destination: flow.destination,
    protocol: flow.protocol,
    sourcePort: 45_678,
    destinationPort: flow.destinationPort,
    length: 60,
    ttl: 64,
    fragment: false,
    ...(flow.inInterface === undefined ? {} : { inInterface: flow.inInterface }),
  });

/** Ports of the node are tried at the address by which the Node object names it, else at the first that takes them. */
function destinationOf(plan: NodePlan, front: Front): string | undefined {
  if (front.address !== null) return front.address;
  const own = plan.node.primary[plan.family];
  if (own !== undefined && plan.takesNodePorts(own)) return own;
  return plan.node.addresses.find((address) => address.includes(':') === (plan.family === 'ip6') && plan.takesNodePorts(address));
}

/** The second address of a prefix, or the first where there is no other. */
function insideOf(range: string): string {
  const mask = addressMask(range);
  if (mask === undefined) return range;
  const isHost = mask.mask === (mask.family === 'ip' ? 0xffffffffn : (1n << 128n) - 1n);
  return addressText({ family: mask.family, value: isHost ? mask.value : mask.value + 1n });
}
