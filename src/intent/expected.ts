import type { Front, NodePlan } from './node-plan.ts';
import { isInRange } from './node-plan.ts';
import { endpointKey, type ServiceEndpoint } from './service-ports.ts';

/** The first packet of a new connection. Addresses in their usual text. */
export interface IntentFlow {
  source: string;
  destination: string;
  protocol: string;
  destinationPort: number;
  /** Whether the node itself sends it, or it comes in by a device. */
  origin: 'network' | 'node';
  /** Device that it comes in by, where that is known. */
  inInterface?: string;
}

/** What should become of a packet. */
export type Expected =
  | {
      kind: 'translated';
      front: Front;
      /** Every endpoint that may be chosen, `address:port`, and whether the source is hidden behind the node then; null: can't be told. */
      endpoints: Map<string, { masquerade: boolean | null }>;
    }
  | { kind: 'rejected' | 'dropped'; front: Front | null }
  /** A port that the node itself answers. */
  | { kind: 'accepted'; front: Front }
  /** kube-proxy leaves it alone. */
  | { kind: 'untouched'; front: Front | null }
  | { kind: 'unknown'; front: Front; why: string };

/**
 * What kube-proxy of this node should do with a packet, by the API's meaning and the mode's known ways (pkg/proxy/{iptables,nftables}/proxier.go,
 * Kubernetes 1.36; held against kernels by the corpora in test/intent).
 */
export function expectedOutcome(plan: NodePlan, flow: IntentFlow): Expected {
  const front = plan.frontOf(flow.destination, flow.protocol, flow.destinationPort);
  if (front === undefined) return withoutFront(plan, flow);
  if (front.kind === 'HealthCheckNodePort') {
    // Rules of nftables mode never close that port, so that they need not open it.
    return plan.settings.mode === 'nftables' ? { kind: 'untouched', front } : { kind: 'accepted', front };
  }
  return front.kind === 'ClusterIP' ? toClusterIP(plan, front, flow) : toExternal(plan, front, flow);
}

/** nftables mode answers for ClusterIPs on ports that no Service has, and for addresses that none has (chain cluster-ips-check). */
function withoutFront(plan: NodePlan, flow: IntentFlow): Expected {
  if (plan.settings.mode !== 'nftables') return { kind: 'untouched', front: null };
  if (plan.clusterIPs.has(flow.destination)) return { kind: 'rejected', front: null };
  const inRange = (plan.settings.serviceCIDRs ?? []).some((range) => isInRange(flow.destination, range));
  return { kind: inRange ? 'dropped' : 'untouched', front: null };
}

function toClusterIP(plan: NodePlan, front: Front, flow: IntentFlow): Expected {
  const { port, reach } = front.planned;
  if (!reach.hasAny) return { kind: 'rejected', front };
  const endpoints = port.internalLocal ? reach.local : reach.cluster;
  if (endpoints === null || endpoints.length === 0) return { kind: 'dropped', front };
  const inside = plan.settings.masqueradeAll ? false : isFromPod(plan, flow);
  const masquerade = inside === 'unknown' ? null : plan.settings.masqueradeAll || (inside === false && canDetect(plan));
  return translated(plan, front, endpoints, flow, masquerade);
}

function toExternal(plan: NodePlan, front: Front, flow: IntentFlow): Expected {
  const { port, reach } = front.planned;
  const barred = isBarred(plan, front, flow);
  if (!reach.hasAny) {
    if (barred && plan.settings.mode === 'nftables') return { kind: 'dropped', front };
    return withoutEndpoints(plan, front, flow, 'rejected');
  }
  if (barred) return { kind: 'dropped', front };
  if (front.kind === 'NodePort' && !plan.takesNodePorts(flow.destination)) {
    const closed = port.externalLocal && (reach.local ?? []).length === 0;
    return closed ? withoutEndpoints(plan, front, flow, 'dropped') : { kind: 'untouched', front };
  }
  const cluster = reach.cluster ?? [];
  if (!port.externalLocal) return translated(plan, front, cluster, flow, true);
  const inside = isFromPod(plan, flow);
  if (inside === true && canDetect(plan)) return translated(plan, front, cluster, flow, false);
  if (inside === 'unknown' && !plan.isLocal(flow.source)) return { kind: 'unknown', front, why: unknownDetector(plan) };
  if (plan.isLocal(flow.source)) return translated(plan, front, cluster, flow, inside === 'unknown' ? null : true);
  const local = reach.local ?? [];
  return local.length === 0 ? { kind: 'dropped', front } : translated(plan, front, local, flow, false);
}

/** Where a front from outside has no endpoint, what each mode's filter does with packets that were not translated. */
function withoutEndpoints(plan: NodePlan, front: Front, flow: IntentFlow, kind: 'rejected' | 'dropped'): Expected {
  const { mode } = plan.settings;
  if (front.kind === 'NodePort') {
    // iptables closes the port on all addresses of the node, nftables on those alone that take NodePorts.
    return mode === 'nftables' && !plan.takesNodePorts(flow.destination) ? { kind: 'untouched', front } : { kind, front };
  }
  // KUBE-EXTERNAL-SERVICES is called from INPUT and FORWARD only: what the node itself sends away is not seen by it.
  const unseen = mode !== 'nftables' && flow.origin === 'node' && !plan.isLocal(flow.destination);
  return unseen ? { kind: 'untouched', front } : { kind, front };
}

/** `loadBalancerSourceRanges`: for the load balancer's address alone; where the node is allowed, that address itself is too. */
function isBarred(plan: NodePlan, front: Front, flow: IntentFlow): boolean {
  const { port } = front.planned;
  if (front.kind !== 'LoadBalancer' || port.sourceRanges.length === 0) return false;
  const allowed = (address: string): boolean => port.sourceRanges.some((range) => isInRange(address, range));
  const own = plan.node.primary[plan.family];
  return !allowed(flow.source) && !(port.loadBalancerIPs.includes(flow.source) && own !== undefined && allowed(own));
}

function translated(
  plan: NodePlan,
  front: Front,
  endpoints: readonly ServiceEndpoint[],
  flow: IntentFlow,
  masquerade: boolean | null,
): Expected {
  const target = new Map(
    endpoints.map((endpoint): [string, { masquerade: boolean | null }] => [
      endpointKey(endpoint.address, endpoint.port),
      { masquerade: masquerade !== true && isHairpin(plan, endpoint, flow) ? true : masquerade },
    ]),
  );
  return { kind: 'translated', front, endpoints: target };
}

/** An endpoint that reaches itself would answer itself: its source is hidden. nftables mode does that for endpoints of this node alone. */
const isHairpin = (plan: NodePlan, endpoint: ServiceEndpoint, flow: IntentFlow): boolean =>
  endpoint.address === flow.source && (plan.settings.mode !== 'nftables' || endpoint.isLocal);

const canDetect = (plan: NodePlan): boolean => {
  const { localDetector } = plan.settings;
  return localDetector.kind === 'cidr' ? localDetector.cidrs[plan.family] !== undefined : localDetector.kind !== 'none';
};

function isFromPod(plan: NodePlan, flow: IntentFlow): boolean | 'unknown' {
  const { localDetector } = plan.settings;
  switch (localDetector.kind) {
    case 'cidr': {
      const cidr = localDetector.cidrs[plan.family];
      return cidr !== undefined && isInRange(flow.source, cidr);
    }
    case 'none':
      return false;
    case 'bridge':
      if (flow.origin === 'node') return false;
      return flow.inInterface === undefined ? 'unknown' : flow.inInterface === localDetector.device;
    case 'prefix':
      if (flow.origin === 'node') return false;
      return flow.inInterface === undefined ? 'unknown' : flow.inInterface.startsWith(localDetector.prefix);
    case 'unknown':
      return 'unknown';
  }
}

const unknownDetector = ({ settings }: NodePlan): string =>
  settings.localDetector.kind === 'unknown' ? settings.localDetector.why : 'the device that the packet comes in by is not known';
