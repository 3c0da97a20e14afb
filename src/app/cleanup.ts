import { connect } from '../collect/connect.ts';
import { createKubectl, type KubectlFlags } from '../collect/kubectl.ts';
import { managedByLabel } from '../collect/node-pod.ts';
import { podSchema } from '../schema/kubernetes.ts';
import type { World } from './cluster.ts';

export interface CleanupResult {
  deleted: string[];
  kept: string[];
  failed: { pod: string; detail: string }[];
}

/**
 * Deletes node pods that a killed run left, in one namespace or in all, found by their label.
 * @throws Error when the pods can't be listed
 */
export async function cleanup(
  options: { kubectl: string; flags: KubectlFlags; namespace: string | null; olderThanSeconds: number },
  world: World,
): Promise<CleanupResult> {
  const kubectl = createKubectl(options.kubectl, options.flags, world.signal, world.onKubectl);
  const { reader } = await connect(kubectl, world.signal, world.environment);
  const where = options.namespace === null ? '/api/v1/pods' : `/api/v1/namespaces/${options.namespace}/pods`;
  const read = await reader.get(`${where}?labelSelector=${encodeURIComponent(managedByLabel)}`);
  if (!read.ok) throw new Error(`the pods could not be listed: ${read.failure.detail}`);
  const items = (read.body as { items: unknown[] }).items.map((item) => podSchema.parse(item));
  const isOld = (created: string | null | undefined): boolean =>
    (Date.now() - Date.parse(created ?? '')) / 1000 >= options.olderThanSeconds;
  const old = items.filter((pod) => isOld(pod.metadata.creationTimestamp));
  const results = await Promise.all(
    old.map(async ({ metadata: { namespace = '', name } }) => {
      const result = await kubectl.run(['delete', 'pod', '-n', namespace, name, '--ignore-not-found', '--wait=false'], {
        limitMilliseconds: 15_000,
      });
      return { pod: `${namespace}/${name}`, detail: result.failure?.detail };
    }),
  );
  return {
    deleted: results.filter((result) => result.detail === undefined).map((result) => result.pod),
    kept: items.filter((pod) => !old.includes(pod)).map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`),
    failed: results.flatMap(({ pod, detail }) => (detail === undefined ? [] : [{ pod, detail }])),
  };
}
