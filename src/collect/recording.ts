import type { Entry } from '../snapshot/entry.ts';
import type { Request, Snapshot } from '../snapshot/snapshot.ts';
import { lostOfApi } from './api-round.ts';
import type { Kubectl } from './kubectl.ts';
import type { createNodeAccess } from './node-access.ts';
import type { NodePods } from './node-pod.ts';
import type { ClusterReader } from './reader.ts';

/** What every collector of a run works with. */
export interface CollectDeps {
  kubectl: Kubectl;
  reader: ClusterReader;
  nodePods: NodePods;
  signal: AbortSignal;
  version: string;
  progress: (text: string) => void;
}

/** Starts the clock of a recording. */
export function startRecording(version: string) {
  const started = new Date();
  const clock = performance.now();
  const seconds = (): number => inSeconds(performance.now() - clock);
  return {
    seconds,
    /** What was recorded so far. `client` and `tier` say from where probes were to be sent, and through what they were. */
    snapshot: (parts: {
      entries: ReadonlyMap<string, Entry>;
      phases: readonly { name: string; seconds: number }[];
      request: Request;
      access: ReturnType<typeof createNodeAccess>;
      client?: Request['from'] | undefined;
      tier: 'exec' | 'node' | 'none';
      lost?: readonly string[];
    }): Snapshot => ({
      manifest: {
        apiVersion: 'k8snet.dev/v1',
        kind: 'Snapshot',
        k8snet: version,
        startedAt: started.toISOString(),
        seconds: seconds(),
        phases: [...parts.phases],
        request: parts.request,
        access: {
          best: parts.access.best(parts.tier === 'exec'),
          nodes: parts.access.report(),
          lost: [...lostOfApi(parts.entries.values()), ...parts.access.lost(parts.client, parts.tier), ...(parts.lost ?? [])],
        },
      },
      entries: new Map(parts.entries),
    }),
  };
}

/** Milliseconds as seconds, to the hundredth. */
export const inSeconds = (milliseconds: number): number => Math.round(milliseconds / 10) / 100;
