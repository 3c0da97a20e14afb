import type { CaptureTruth } from '../../test/cluster/capture-truth.ts';

/** An intermittent fault, and what a watch has to say of it. */
export interface WatchCase {
  /** Of test/cluster/faults, or `healthy`. */
  fault: string;
  /** It hits one request in so many. */
  oneIn?: number;
  /** Where and how the packets are lost; undefined = nothing is broken. */
  truth?: CaptureTruth;
  /** Node of the endpoint that failing tries go to, where it is one alone. */
  endpoint?: string;
  /** Tries after which a watch gives up. */
  mostTries: number;
}

const dropped = (node: string): CaptureTruth => ({
  kind: 'lost',
  direction: 'request',
  where: [{ kind: 'node', names: [node] }],
  reasons: ['NETFILTER_DROP'],
});

export const watchCases: readonly WatchCase[] = [
  { fault: 'flaky-one-in-20', oneIn: 20, truth: dropped('n1'), mostTries: 200 },
  { fault: 'flaky-random', oneIn: 20, truth: dropped('n1'), mostTries: 200 },
  // A tenth of the time, and one of three endpoints.
  { fault: 'flaky-half-second', oneIn: 30, truth: dropped('n2'), endpoint: 'n2', mostTries: 300 },
  { fault: 'cni-backend-policy-drop', oneIn: 3, truth: dropped('n2'), endpoint: 'n2', mostTries: 60 },
  { fault: 'healthy', mostTries: 60 },
];
