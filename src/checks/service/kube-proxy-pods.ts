import type { Facts } from '../../facts/facts.ts';
import { systemNamespace } from '../../model/object-paths.ts';
import { isReady, isRunning } from '../../parse/objects.ts';
import type { Pod } from '../../schema/kubernetes.ts';

export type KubeProxyState =
  | { state: 'runs'; pod: Pod }
  | { state: 'not-ready'; pod: Pod }
  | { state: 'missing' }
  /** The cluster has no kube-proxy DaemonSet: something else serves ClusterIPs, or it runs outside of the API's sight. */
  | { state: 'not-used' }
  | { state: 'unknown'; detail: string };

/** kube-proxy on a node, as far as the API tells. */
export function kubeProxyOn(facts: Facts, node: string): KubeProxyState {
  const sets = facts.daemonSets();
  const pods = facts.pods(systemNamespace);
  if (sets.state !== 'seen') return { state: 'unknown', detail: sets.state === 'unknown' ? sets.detail : 'DaemonSets could not be read' };
  if (!sets.value.some((set) => /^kube-proxy/.test(set.metadata.name))) return { state: 'not-used' };
  if (pods.state !== 'seen' || !pods.complete)
    return { state: 'unknown', detail: pods.state === 'unknown' ? pods.detail : 'the pods of kube-system were not all read' };
  const here = pods.value.filter(
    (pod) => pod.spec.nodeName === node && (pod.metadata.labels?.['k8s-app'] === 'kube-proxy' || /^kube-proxy-/.test(pod.metadata.name)),
  );
  const running = here.find(isRunning);
  // Where the kubelet is silent, what the API says of the node's pods is old, and says nothing about the processes.
  const silent = facts.node(node)?.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'Unknown');
  if (silent) return { state: 'unknown', detail: `the kubelet of node ${node} is silent, so that the state of its pods is not known` };
  if (!running) return here[0] ? { state: 'not-ready', pod: here[0] } : { state: 'missing' };
  return isReady(running) ? { state: 'runs', pod: running } : { state: 'not-ready', pod: running };
}
