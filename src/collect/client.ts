import { isReady, isRunning } from '../parse/objects.ts';
import type { Node, Pod } from '../schema/kubernetes.ts';
import type { Request } from '../snapshot/snapshot.ts';

type Client = Request['from'];

/**
 * The client when none was named: a running pod of the Service's namespace that is not itself an endpoint, else a node. The same cluster always
 * gives the same choice: ready before not ready, then by name. No probe can start on a node whose kubelet no longer reports.
 * Null for pods or nodes means that they could not be read.
 */
export function chooseClient(pods: readonly Pod[] | null, endpointAddresses: ReadonlySet<string>, nodes: readonly Node[] | null): Client {
  const silent = silentNodes(nodes ?? []);
  const candidates = (pods ?? [])
    .filter((pod) => !silent.has(pod.spec.nodeName ?? ''))
    .filter(
      (pod) => isRunning(pod) && !pod.spec.hostNetwork && pod.spec.nodeName && pod.status.podIP && !endpointAddresses.has(pod.status.podIP),
    )
    .sort((a, b) => Number(isReady(b)) - Number(isReady(a)) || compare(a.metadata.name, b.metadata.name));
  const pod = candidates[0];
  if (pod) return podClient(pod, `the first running pod of namespace ${pod.metadata.namespace ?? ''} that is not itself an endpoint`);
  const node = [...(nodes ?? [])].filter(isNodeReady).sort((a, b) => compare(a.metadata.name, b.metadata.name))[0];
  const noPod = pods === null ? 'the pods of the namespace could not be read' : 'no running pod of the namespace could be the client';
  if (node) return nodeClient(node.metadata.name, `${noPod}, so the first ready node is`);
  const noNode = nodes === null ? 'neither could the nodes be read' : 'there is no ready node';
  return { kind: 'none', name: 'none', node: null, why: `${noPod}, and ${noNode}: name a client with --from` };
}

export const podClient = (pod: Pod, why: string): Client => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace ?? '',
  name: pod.metadata.name,
  node: pod.spec.nodeName ?? null,
  why,
});

export const nodeClient = (name: string, why: string): Client => ({ kind: 'Node', name, node: name, why });

export const isNodeReady = (node: Node): boolean =>
  node.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** Nodes whose Ready is Unknown: the kubelet stopped posting its status (node lifecycle controller). False may be no more than a missing CNI. */
export const silentNodes = (nodes: readonly Node[]): Map<string, string> =>
  new Map(
    nodes.flatMap((node) => {
      const ready = node.status.conditions?.find((condition) => condition.type === 'Ready');
      return ready?.status === 'Unknown' ? [[node.metadata.name, ready.message ?? 'its kubelet no longer reports'] as const] : [];
    }),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
