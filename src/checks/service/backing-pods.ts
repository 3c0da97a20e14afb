import type { Facts } from '../../facts/facts.ts';
import { matchesSelector } from '../../parse/objects.ts';
import type { Pod } from '../../schema/kubernetes.ts';

/** Pods that the Service's selector matches; empty for a Service without one. */
export function backingPods(facts: Facts): Pod[] {
  const { service, namespace } = facts.target;
  const pods = facts.pods(namespace);
  const selector = service.state === 'seen' ? (service.value.spec.selector ?? {}) : {};
  if (pods.state !== 'seen' || Object.keys(selector).length === 0) return [];
  return pods.value.filter((pod) => matchesSelector(pod.metadata.labels, selector));
}

/** "deployment default/web" from the pod that its ReplicaSet made, else the pod itself. */
export function ownerOf(pod: Pod): { kind: string; namespace: string; name: string } {
  const owner = pod.metadata.ownerReferences?.[0];
  const namespace = pod.metadata.namespace ?? '';
  if (owner?.kind === 'ReplicaSet') return { kind: 'Deployment', namespace, name: owner.name.replace(/-[a-z0-9]{5,10}$/, '') };
  return owner ? { kind: owner.kind, namespace, name: owner.name } : { kind: 'Pod', namespace, name: pod.metadata.name };
}

/** Container ports that the pod declares, by name and number. Declaring is documentation only: a port that is not declared works as well. */
export const declaredPorts = (pod: Pod): { name: string | undefined; port: number }[] =>
  pod.spec.containers.flatMap((container) => (container.ports ?? []).map((port) => ({ name: port.name, port: port.containerPort })));
