import type { Where } from '../../model/check.ts';
import type { Pod } from '../../schema/kubernetes.ts';

/** The object whose template made a pod: the Deployment behind a ReplicaSet, else the pod's own owner, else the pod. */
export function workloadOf(pod: Pod): Where {
  const { name, namespace, labels, ownerReferences } = pod.metadata;
  const place = namespace === undefined ? {} : { namespace };
  const owner = ownerReferences?.[0];
  if (!owner) return { kind: 'Pod', ...place, name };
  // A ReplicaSet of a Deployment is named after it with the hash that its pods carry as a label.
  const hash = labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`))
    return { kind: 'Deployment', ...place, name: owner.name.slice(0, -hash.length - 1) };
  return { kind: owner.kind, ...place, name: owner.name };
}

/** The one pod, or what made them all when they are of one workload and there are several. */
export function whereOfPods(pods: readonly Pod[], all: boolean): Where | null {
  const first = pods[0];
  if (!first) return null;
  const owner = workloadOf(first);
  const same = pods.every((pod) => JSON.stringify(workloadOf(pod)) === JSON.stringify(owner));
  if (all && same) return owner;
  return {
    kind: 'Pod',
    ...(first.metadata.namespace === undefined ? {} : { namespace: first.metadata.namespace }),
    name: first.metadata.name,
    ...(first.spec.nodeName === undefined ? {} : { node: first.spec.nodeName }),
  };
}

/** `deployment/web -n default` for kubectl. */
export const kubectlName = (where: Where): string =>
  `${where.kind.toLowerCase()}/${where.name}${where.namespace === undefined ? '' : ` -n ${where.namespace}`}`;

export const podName = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;
