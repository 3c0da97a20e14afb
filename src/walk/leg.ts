import type { Facts } from '../facts/facts.ts';
import type { NamespaceFacts } from '../facts/node-facts.ts';
import { isUp, type Link } from '../model/link.ts';
import { type Observed, seen, unknown } from '../model/observed.ts';
import type { Pod } from '../schema/kubernetes.ts';
import { lookupRoute } from './route-lookup.ts';

/** One end of a leg: a pod's own namespace on a node, or (without a pod network) the node itself. */
export interface Place {
  address: string;
  node: string | null;
  /** The pod whose own namespace it is; undefined for a node, a hostNetwork pod, and a pod that was not read. */
  pod: Pod | undefined;
  /** True for an address of the node itself. */
  isNode: boolean;
}

/** Packets from one address to another, as they are between DNAT and the application; `isReply` for the answers to the leg turned round. */
export interface Leg {
  from: Place;
  to: Place;
  protocol: 'tcp' | 'udp' | 'sctp' | 'icmp';
  /** The port of the server; undefined for ICMP. */
  port: number | undefined;
  isReply: boolean;
}

export const turned = (leg: Leg): Leg => ({ ...leg, from: leg.to, to: leg.from, isReply: !leg.isReply });

/** The request and its answer. */
export const bothWays = (leg: Leg): Leg[] => [leg, turned(leg)];

export const isCrossNode = (leg: Leg): boolean => leg.from.node !== null && leg.to.node !== null && leg.from.node !== leg.to.node;

/** What a packet meets in one network namespace on its way. */
export interface Passage {
  net: NamespaceFacts;
  /** Null inside a pod. */
  node: string | null;
  pod: Pod | undefined;
  /** `bridged`: over a bridge of the node, seen by its IP rules because of bridge-nf-call-iptables. */
  kind: 'out' | 'forward' | 'bridged' | 'in';
  /** Devices by name; undefined where not known. */
  in: string | undefined;
  out: string | undefined;
}

/** The namespaces that a leg passes, in order, as far as its nodes are known. */
export function passagesOf(facts: Facts, leg: Leg): Passage[] {
  const { from, to } = leg;
  const passages: Passage[] = [];
  if (from.pod) passages.push(inPod(facts, from.pod, 'out', to.address));
  if (from.node !== null) passages.push(...leavingNode(facts, leg, from.node));
  if (to.node !== null && to.node !== from.node) {
    const net = facts.nodeNet(to.node);
    passages.push({
      net,
      node: to.node,
      pod: undefined,
      kind: to.isNode ? 'in' : 'forward',
      in: arrivalDevice(facts, leg),
      out: to.isNode ? undefined : deviceTo(net, to.address),
    });
  }
  if (to.pod) passages.push(inPod(facts, to.pod, 'in', from.address));
  return passages;
}

function leavingNode(facts: Facts, leg: Leg, node: string): Passage[] {
  const { from, to } = leg;
  const net = facts.nodeNet(node);
  const base = { net, node, pod: undefined };
  if (from.isNode) return to.isNode && to.node === node ? [] : [{ ...base, kind: 'out', in: undefined, out: deviceTo(net, to.address) }];
  const source = deviceTo(net, from.address);
  if (to.node === node && to.isNode) return [{ ...base, kind: 'in', in: source, out: undefined }];
  const out = deviceTo(net, to.address);
  if (to.node === node && source !== undefined && source === out)
    return isSeenOnBridge(net) ? [{ ...base, kind: 'bridged', in: source, out }] : [];
  return [{ ...base, kind: 'forward', in: source, out }];
}

const inPod = (facts: Facts, pod: Pod, kind: 'in' | 'out', far: string): Passage => {
  const net = facts.podNet(pod);
  const dev = deviceTo(net, far);
  return { net, node: null, pod, kind, in: kind === 'in' ? dev : undefined, out: kind === 'out' ? dev : undefined };
};

/** False only where it is known that bridged frames are not shown to the IP rules. */
const isSeenOnBridge = (net: NamespaceFacts): boolean => {
  const sysctls = net.sysctls();
  if (sysctls.state !== 'seen') return true;
  const entry = sysctls.value.find((item) => item.path === 'net/bridge/bridge-nf-call-iptables');
  return entry?.state === 'value' && entry.value === '1';
};

export const deviceTo = (net: NamespaceFacts, address: string): string | undefined => {
  const decision = lookupRoute(net, { to: address });
  return decision.state === 'seen' ? decision.value.dev : undefined;
};

/** The device by which a leg comes in at the far node: the far end of the near node's tunnel, else the device that has the address it was sent to. */
export function arrivalDevice(facts: Facts, leg: Leg): string | undefined {
  if (leg.from.node === null || leg.to.node === null) return undefined;
  const near = hopOf(facts, leg);
  const far = facts.nodeNet(leg.to.node);
  if (near.state !== 'seen' || near.value === null) return undefined;
  const { link, via } = near.value;
  const links = far.links();
  if (link && isTunnel(link)) return links.state === 'seen' ? farEnd(link, links.value)?.name : undefined;
  const addresses = far.addresses();
  if (addresses.state !== 'seen') return undefined;
  const wanted = [via, leg.to.isNode ? leg.to.address : facts.nodeAddress(leg.to.node)];
  return addresses.value.find((item) => item.addresses.some((known) => wanted.includes(known.address)))?.name;
}

const tunnelKinds = new Set(['vxlan', 'ipip', 'geneve', 'gre', 'wireguard', 'sit']);
export const isTunnel = (link: Pick<Link, 'kind'>): boolean => tunnelKinds.has(link.kind ?? '');

/** The device of another node that takes what this tunnel sends: the same VNI, else the same name. */
export const farEnd = (link: Link, others: readonly Link[]): Link | undefined => {
  const same = others.filter((other) => other.kind === link.kind);
  return (
    same.find((other) => link.vxlan?.id !== undefined && other.vxlan?.id === link.vxlan.id && isUp(other) !== false) ??
    same.find((other) => other.name === link.name)
  );
};

/** How a node sends a leg on towards another node. */
export interface Hop {
  node: string;
  far: string;
  dev: string;
  link: Link | undefined;
  via: string | undefined;
  /** 1-based line of the node's `ip route show table all`. */
  line: number;
}

/** The way out of the node where a leg begins towards the node where it ends; null where the node has no usable route. */
export function hopOf(facts: Facts, leg: Leg): Observed<Hop | null> {
  const { from, to } = leg;
  if (from.node === null || to.node === null || from.node === to.node)
    return unknown('unsupported', `${from.address} and ${to.address} are not known to be on two nodes`);
  const net = facts.nodeNet(from.node);
  const iif = from.isNode ? undefined : deviceTo(net, from.address);
  const decision = lookupRoute(net, { to: to.address, from: from.address, iif });
  if (decision.state !== 'seen') return decision;
  const { route, dev, via } = decision.value;
  if (route?.type !== 'unicast') return seen(null, decision.from, decision.complete);
  if (dev === undefined) return unknown('unparsed', `${decision.from} does not say by which device ${route.dst} is reached`);
  const links = net.links();
  const link = links.state === 'seen' ? links.value.find((item) => item.name === dev) : undefined;
  return seen({ node: from.node, far: to.node, dev, link, via, line: route.line }, decision.from, decision.complete);
}
