import { apiKey, apiPaths, systemNamespace } from '../model/object-paths.ts';
import type { Reason } from '../model/observed.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { ClusterReader, ReadResult } from './reader.ts';
import { redactObject } from './redact.ts';

/** Reads the given API paths at once, an entry for each. A 404 is an entry with exit 404: looked for, and not there. */
export async function readObjects(reader: ClusterReader, paths: readonly string[]): Promise<Entry[]> {
  return Promise.all(paths.map(async (path) => toEntry(path, await readAgain(reader, path))));
}

/** Once more after a 5xx or half an answer. A 429 is the reader's own matter: its answer says how long to wait. */
async function readAgain(reader: ClusterReader, path: string): Promise<ReadResult> {
  const first = await reader.get(path);
  if (first.ok || (first.failure.reason !== 'tool-failed' && first.failure.reason !== 'truncated')) return first;
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

/** What of the API could not be read, and why: a sentence for each reason, since one missing role usually shuts out several kinds at once. */
export function lostOfApi(entries: Iterable<Entry>): string[] {
  const byDetail = new Map<string, string[]>();
  for (const { key, on, failure } of entries) {
    if (!failure || on.kind !== 'api' || !key.startsWith('api/')) continue;
    // The server's sentence names the path again; without it, what has the same cause stands together.
    const why =
      failure.reason === 'forbidden'
        ? forbiddenWords(failure.detail)
        : failure.detail.replace(/ \(HTTP \d+ for \S+\)$/, '').replace(/ to \/\S+/, '');
    byDetail.set(why, [...(byDetail.get(why) ?? []), wordsOf(key)]);
  }
  return [...byDetail].map(([why, what]) => `${what.join(', ')}: not read (${why})`);
}

/** `User "x" cannot list resource …`: the user, without the resource that every sentence names anew. */
const forbiddenWords = (detail: string): string => {
  const user = /User "[^"]*"/.exec(detail)?.[0];
  return user ? `forbidden to ${user}` : `forbidden: ${detail.replace(/ \(HTTP \d+ for \S+\)$/, '')}`;
};

/** `api/apis/apps/v1/namespaces/kube-system/deployments` -> `deployments of kube-system`. */
function wordsOf(key: string): string {
  const parts = (key.split('?')[0] ?? '').split('/');
  const at = parts.indexOf('namespaces');
  if (at < 0 || parts.length < at + 3) return parts.at(-1) ?? key;
  const [namespace = '', kind = '', name] = parts.slice(at + 1);
  return name === undefined ? `${kind} of ${namespace}` : `${kind.replace(/s$/, '')} ${namespace}/${name}`;
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
