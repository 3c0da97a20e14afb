import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import type { Reason } from '../model/observed.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { ClusterReader, ReadResult } from './reader.ts';
import { redactObject } from './redact.ts';

/** Reads the given API paths at once, an entry for each. A 404 is an entry with exit 404: looked for, and not there. */
export async function readObjects(reader: ClusterReader, paths: readonly string[]): Promise<Entry[]> {
  return Promise.all(paths.map(async (path) => toEntry(path, await readAgain(reader, path))));
}

/** Once more after 429 or 5xx, as client-go does for idempotent requests. */
async function readAgain(reader: ClusterReader, path: string): Promise<ReadResult> {
  const first = await reader.get(path);
  if (first.ok || first.failure.reason !== 'tool-failed') return first;
  await new Promise((resolve) => setTimeout(resolve, 500));
  return reader.get(path);
}

function toEntry(path: string, result: ReadResult): Entry {
  const base = { key: apiKey(path), command: `kubectl get --raw '${path}'`, on: { kind: 'api', name: 'API server' } as const, stderr: '' };
  if (result.ok) return { ...base, exit: 0, stdout: `${JSON.stringify(redactObject(result.body))}\n` };
  if (result.failure.reason === 'not-found') return { ...base, exit: 404, stdout: '' };
  return { ...base, exit: null, stdout: '', failure: { reason: asReason(result.failure.reason), detail: result.failure.detail } };
}

export function asReason(reason: Reason | 'not-found' | 'unauthorized' | 'not-installed' | 'interrupted' | 'conflict'): Reason {
  switch (reason) {
    case 'unauthorized':
      return 'forbidden';
    case 'not-installed':
      return 'tool-missing';
    case 'interrupted':
    case 'not-found':
      return 'not-collected';
    case 'conflict':
      return 'tool-failed';
    default:
      return reason;
  }
}

/** What one diagnosis reads of the API. */
export function pathsFor(namespace: string, service: string): string[] {
  return [
    apiPaths.service(namespace, service),
    apiPaths.endpointSlices(namespace),
    apiPaths.pods(namespace),
    apiPaths.nodes,
    ...(namespace === systemNamespace ? [] : [apiPaths.endpointSlices(systemNamespace), apiPaths.pods(systemNamespace)]),
    apiPaths.services(systemNamespace),
    apiPaths.configMap(systemNamespace, 'coredns'),
    apiPaths.configMap(systemNamespace, 'kube-proxy'),
    apiPaths.deployments(systemNamespace),
    apiPaths.daemonSets(systemNamespace),
    apiPaths.warnings(namespace),
    apiPaths.networkPolicies(namespace),
  ];
}
