import { clusterKinds } from './kinds/cluster.ts';
import type { Kind } from './kinds/kind.ts';
import { netfilterKinds } from './kinds/netfilter.ts';
import { nodeKinds } from './kinds/node.ts';
import { probesKinds } from './kinds/probes.ts';

export type { Kind } from './kinds/kind.ts';

/** Every text that k8snet reads, the most distinctive first: where two signatures fit, the earlier wins. */
export const kinds: readonly Kind[] = [...netfilterKinds, ...nodeKinds, ...probesKinds, ...clusterKinds];
