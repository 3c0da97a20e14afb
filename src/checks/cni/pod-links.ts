import type { Facts } from '../../facts/facts.ts';
import type { Link } from '../../model/link.ts';
import { type Observed, seen } from '../../model/observed.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import type { Leg } from '../../walk/leg.ts';

/** A pod's own end of its veth pair, and the node's end of it. */
export interface VethPair {
  pod: Pod;
  node: string;
  inner: Link;
  /** Undefined where the node's end is in no namespace that was read. */
  outer: Link | undefined;
}

/**
 * Finds the two ends of a pod's veth by their interface numbers: `eth0@if5` in the pod is number 5 on the node, whose `@if2` is number 2 in the
 * pod. Null where the pod has no veth (hostNetwork, macvlan, ipvlan, SR-IOV).
 */
export function vethOf(facts: Facts, pod: Pod): Observed<VethPair | null> {
  const node = pod.spec.nodeName;
  const inside = facts.podNet(pod).links();
  if (inside.state !== 'seen') return inside;
  const inner =
    inside.value.find((link) => link.kind === 'veth' && link.name === 'eth0') ?? inside.value.find((link) => link.kind === 'veth');
  if (!inner || node === undefined || pod.spec.hostNetwork) return seen(null, inside.from);
  const outside = facts.nodeNet(node).links();
  if (outside.state !== 'seen') return outside;
  const outer = outside.value.find(
    (link) =>
      link.kind === 'veth' && link.index === inner.peer?.index && (link.peer?.index === undefined || link.peer.index === inner.index),
  );
  return seen({ pod, node, inner, outer }, outside.from, outside.complete);
}

/** The pods of a leg whose own namespace it begins or ends in. */
export const podsOf = (leg: Leg): Pod[] => [leg.from.pod, leg.to.pod].filter((pod) => pod !== undefined);

export const podName = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;
export const podKey = (pod: Pod, name: string): string => `pod/${podName(pod)}/${name}`;
