import { apiPaths } from '../model/object-paths.ts';
import type { Observed } from '../model/observed.ts';
import { isRunning, matchesSelector, readList, readObject } from '../parse/objects.ts';
import { type Pod, podSchema, workloadSchema } from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { Request } from '../snapshot/snapshot.ts';
import { readObjects } from './api-round.ts';
import { nodeClient, podClient } from './client.ts';
import { ClusterError, UsageError } from './errors.ts';
import { notThere } from './not-there.ts';
import type { CollectOptions } from './options.ts';
import type { ClusterReader } from './reader.ts';

/** The client that `--from` names. Throws UsageError when it is not there or does not run, ClusterError when that could not be read. */
export async function namedClient(
  from: NonNullable<CollectOptions['from']>,
  namespace: string,
  pods: ReadonlyMap<string, Pod>,
  nodes: readonly string[] | null,
  podsRead: Observed<unknown>,
  reader: ClusterReader,
  add: (entries: readonly Entry[]) => void,
): Promise<Request['from']> {
  const inNamespace = [...pods.values()].filter((pod) => pod.metadata.namespace === namespace);
  if (from.kind === 'node') {
    if (nodes && !nodes.includes(from.name))
      throw new UsageError(`there is no node "${from.name}"; the nodes are ${nodes.slice(0, 10).join(', ')}`);
    return nodeClient(from.name, 'named by --from');
  }
  if (from.kind === 'pod') {
    const pod =
      pods.get(`${namespace}/${from.name}`) ??
      (podsRead.state === 'seen' && podsRead.complete ? undefined : await readPod(namespace, from.name, reader, add));
    if (!pod)
      throw notThere(
        'pod',
        namespace,
        from.name,
        inNamespace.map((item) => item.metadata.name),
      );
    if (!isRunning(pod))
      throw new UsageError(
        `pod ${namespace}/${from.name} is not running (${pod.status.phase ?? 'no phase'}): a probe can only start from a running pod`,
      );
    return podClient(pod, 'named by --from');
  }
  const path = apiPaths.deployments(namespace);
  const read = await readObjects(reader, [path]);
  add(read);
  const deployments = readList(read[0], workloadSchema);
  if (deployments.state !== 'seen')
    throw new ClusterError(
      `the deployments of namespace ${namespace} could not be read: ${deployments.state === 'unknown' ? deployments.detail : 'not there'}`,
    );
  const deployment = deployments.value.find((item) => item.metadata.name === from.name);
  if (!deployment)
    throw notThere(
      'deployment',
      namespace,
      from.name,
      deployments.value.map((item) => item.metadata.name),
    );
  if (podsRead.state !== 'seen')
    throw new ClusterError(
      `the pods of namespace ${namespace} could not be read, and so none of deployment ${from.name}: ${podsRead.state === 'unknown' ? podsRead.detail : 'not there'}`,
    );
  const selector = deployment.spec.selector?.matchLabels ?? {};
  const pod = inNamespace
    .filter((item) => isRunning(item) && Object.keys(selector).length > 0 && matchesSelector(item.metadata.labels, selector))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0];
  if (!pod) throw new UsageError(`deployment ${namespace}/${from.name} has no running pod to start from`);
  return podClient(pod, `the first running pod of deployment ${from.name}, which --from names`);
}

/** One pod by name, for a role that may read it and not list its namespace. Undefined when it is not there; throws ClusterError when that could not be read. */
export async function readPod(
  namespace: string,
  name: string,
  reader: ClusterReader,
  add: (entries: readonly Entry[]) => void,
): Promise<Pod | undefined> {
  const read = await readObjects(reader, [`${apiPaths.pods(namespace)}/${name}`]);
  add(read);
  const pod = readObject(read[0], podSchema);
  if (pod.state === 'unknown') throw new ClusterError(`whether there is a pod ${namespace}/${name} could not be read: ${pod.detail}`);
  return pod.state === 'seen' ? pod.value : undefined;
}
