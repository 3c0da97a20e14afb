import type { WatchRequest } from '../model/watch.ts';

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
  /** Also watch a marked probe by captures on its whole way. */
  capture?: boolean;
  /** Captures go on until a try fails. */
  watch?: WatchRequest;
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as kubectl takes it: bare seconds, or a Go duration (`5s`, `1m30s`); in milliseconds. Null for what kubectl refuses too. */
export function parseDuration(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return null;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (units[unit ?? 's'] ?? 1000), 0);
}

/** Most nodes that are asked in one run; more would be a load on the cluster, and the report says which were left out. */
export const mostNodes = 8;
/** Most endpoints that are probed; of more, a sample spread over the list is taken. */
export const mostEndpoints = 16;
