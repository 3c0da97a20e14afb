import type { Difference } from './compare.ts';
import type { FrontFlow } from './flows.ts';
import type { Front } from './node-plan.ts';
import type { Explained } from './scene.ts';

/** A difference with its reason. */
export interface Verified {
  front: Front;
  flow: FrontFlow | null;
  difference: Pick<Difference, 'kind' | 'endpoints' | 'expects' | 'is' | 'should'>;
  explained: Explained;
}

/** An address and port that a node's rules translate, and that no Service has. */
export interface StaleFront {
  address: string | null;
  port: number;
  protocol: string;
  text: string;
  entry: string;
  line: number;
}

/** What became of one node in one address family. */
export interface NodeVerification {
  node: string;
  fronts: Front[];
  /** Flows that were walked, and how many of them do as the API means. */
  flows: number;
  agree: number;
  differences: Verified[];
  /** What could not be told, by reason: nothing is claimed of these fronts. */
  unknown: Map<string, Set<Front>>;
  stale: StaleFront[];
}

/** Notes that nothing can be told of a front, once for each reason. */
export function doubt(result: NodeVerification, why: string, front: Front): void {
  const known = result.unknown.get(why) ?? new Set();
  result.unknown.set(why, known.add(front));
}
