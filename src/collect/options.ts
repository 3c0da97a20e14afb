/** What the collecting layer needs to know of the command line. */
export interface CollectOptions {
  target: { name: string; namespace: string | null; port: string | null };
  from: { kind: 'pod' | 'deploy' | 'node'; namespace: string | null; name: string } | null;
  namespace: string | null;
  nodeAccess: 'auto' | 'pod' | 'none';
  image: string;
  /** Namespace that node pods are created in. */
  nodePodNamespace: string;
  /** For the whole run, in milliseconds. */
  limitMilliseconds: number;
  /** Collect everything, not only what the tree needs. */
  everything: boolean;
}

/** One well-known public image that has all tools, by version. */
export const defaultImage = 'docker.io/nicolaka/netshoot:v0.13';
/** Most nodes that are asked in one run; more would be a load on the cluster, and the report says which were left out. */
export const mostNodes = 8;
/** Most endpoints that are probed; of more, a sample spread over the list is taken. */
export const mostEndpoints = 16;
