import { collectForVerify, type VerifyCollectOptions } from '../collect/verify-collector.ts';
import { createFacts } from '../facts/facts.ts';
import type { VerifyChoice } from '../intent/verify-cluster.ts';
import type { VerifyReport } from '../schema/verify.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { type ReachOptions, type World, withCluster } from './cluster.ts';
import { buildVerifyReport } from './verify-report.ts';

export type VerifyOptions = VerifyCollectOptions & ReachOptions;

export interface VerifyResult {
  report: VerifyReport;
  snapshot: Snapshot;
}

/** Reads the API and the rules of the nodes, and holds the one against the other. */
export async function verify(options: VerifyOptions, world: World): Promise<VerifyResult> {
  return withCluster(
    options,
    world,
    async (reached) => {
      const namespace = options.namespace ?? reached.namespace;
      return { snapshot: await collectForVerify({ ...options, namespace }, reached), namespace: namespace ?? 'default' };
    },
    ({ snapshot, namespace }) => verifySnapshot(snapshot, choiceOf(options, namespace)),
  );
}

/** The verdict on a snapshot, live or recorded: a function of the snapshot alone. */
export const verifySnapshot = (snapshot: Snapshot, choice: VerifyChoice = {}): VerifyResult => ({
  report: buildVerifyReport(createFacts(snapshot), choice),
  snapshot,
});

/** Which Services and nodes were asked for; names without a namespace are of the given one. */
export function choiceOf({ targets, nodes }: Pick<VerifyOptions, 'targets' | 'nodes'>, namespace: string): VerifyChoice {
  return {
    ...(targets.length === 0 ? {} : { services: new Set(targets.map((target) => `${target.namespace ?? namespace}/${target.name}`)) }),
    ...(nodes.length === 0 ? {} : { nodes: new Set(nodes) }),
  };
}
