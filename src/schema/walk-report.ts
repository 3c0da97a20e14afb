import { z } from 'zod';
import { traceProtocols } from '../model/trace.ts';
import { agreements } from '../model/witness.ts';
import { verifyFindingSchema } from './verify-finding.ts';
import { waySchema } from './way.ts';

/**
 * Part of the public contract of `k8snet diagnose -o json`: the packets of the probes, followed through the tables of the snapshot, and what
 * the nodes' rules make of the Service and of cluster DNS against what the API says of them.
 */
const walkedFlowSchema = z.object({
  from: z.string().describe('"pod default/client", "node n1"'),
  to: z.string().describe('"Service default/my-service:80", "10.244.2.12:8080"'),
  protocol: z.enum(traceProtocols),
  length: z.int().nullable().describe('Layer-3 bytes of every packet; null: small ones'),
  probes: z.array(z.string()).describe('Ids of the probes that send such packets'),
  status: z
    .enum(['delivered', 'partly', 'lost', 'unknown'])
    .describe(
      'By the tables alone. delivered: on all ways, and the answer comes back; partly: on some; unknown: what decides was not read',
    ),
  summary: z.string(),
  agreement: z.enum(agreements).describe('How that fits what the probes saw and the finding that explains them'),
  says: z.string().describe('The same in one sentence'),
  ways: z.array(waySchema).describe('Those that end before first; of many that end alike only some'),
  moreWays: z.int().describe('Ways that are left out here'),
});

export const walkReportSchema = z.object({
  flows: z.array(walkedFlowSchema),
  intent: z
    .array(verifyFindingSchema)
    .describe('Differences between the rules of the nodes and what the API says of the Service and of cluster DNS'),
  says: z.array(z.string()).describe('What follows from comparing probes and tables, each in one sentence'),
});

export type WalkReport = z.infer<typeof walkReportSchema>;
export type WalkedFlow = WalkReport['flows'][number];
