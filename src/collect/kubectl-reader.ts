import type { Kubectl } from './kubectl.ts';
import { type ClusterReader, type ReadResult, readAllPages } from './reader.ts';

/** Reads by `kubectl get --raw PATH`: exactly the user's own access, for the kubeconfigs that client-node can't take. */
export function createKubectlReader(kubectl: Kubectl, limitMilliseconds: number): ClusterReader {
  let requests = 0;
  const getOnce = async (path: string): Promise<ReadResult> => {
    requests += 1;
    const result = await kubectl.run(['get', '--raw', path], { limitMilliseconds });
    if (result.failure) return { ok: false, failure: result.failure };
    return parseBody(Buffer.from(result.stdout).toString('utf8'), path);
  };
  return { name: 'kubectl', requests: () => requests, get: (path) => (isListPath(path) ? readAllPages(getOnce, path) : getOnce(path)) };
}

export function parseBody(text: string, path: string): ReadResult {
  try {
    return { ok: true, body: JSON.parse(text) };
  } catch {
    return { ok: false, failure: { reason: 'truncated', detail: `the answer to ${path} is not whole JSON (${text.length} bytes)` } };
  }
}

/** True for a path whose last part is a plural resource, that is a list. */
export function isListPath(path: string): boolean {
  const parts = (path.split('?')[0] ?? '').split('/').filter(Boolean);
  const rest = parts[0] === 'api' ? parts.slice(2) : parts.slice(3);
  return rest[0] === 'namespaces' ? rest.length === 1 || rest.length === 3 : rest.length === 1;
}
