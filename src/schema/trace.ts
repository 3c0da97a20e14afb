import { z } from 'zod';
import { dispositions, stepKinds, traceProtocols } from '../model/trace.ts';
import { evidenceSchema, reportSchema } from './report.ts';

/**
 * The public contract of `k8snet trace -o json`, published as docs/schema/trace-report.v1.json.
 * Fields are only ever added; a meaning never changes under `k8snet.dev/v1`.
 */
const stepSchema = z.object({
  kind: z.enum(stepKinds),
  says: z.string().describe('What happens to the packet, in one sentence'),
  brief: z.string().describe('The same in a few words; empty where it is not worth a word'),
  evidence: z.array(evidenceSchema).describe('The lines that decided it'),
  device: z
    .object({ name: z.string(), direction: z.enum(['in', 'out']) })
    .nullable()
    .describe('The device that the packet passes here, as a capture on it would show it'),
});

const hopSchema = z.object({
  kind: z.enum(['pod', 'node', 'outside']),
  namespace: z.string().optional(),
  name: z.string(),
  node: z.string().optional().describe('The node that a pod runs on'),
  direction: z.enum(['request', 'reply']),
  arrives: z.string().describe('The packet as it comes to the hop: "10.244.1.3 -> 10.96.0.10:53 udp"'),
  leaves: z.string().describe('The packet as it leaves it'),
  steps: z.array(stepSchema),
});

const waySchema = z.object({
  share: z.number().min(0).max(1).describe('Share of packets that go this way'),
  disposition: z.enum(dispositions),
  why: z.string().describe('Where and why it ends, in one sentence'),
  hops: z.array(hopSchema),
  assumed: z.array(z.string()).describe('What was taken for granted because it was not read'),
});

export const traceReportSchema = z.object({
  apiVersion: z.literal('k8snet.dev/v1'),
  kind: z.literal('TraceReport'),
  k8snet: z.string().describe('Version of the tool'),
  flow: z.object({
    from: z.string().describe('"pod default/client", "node n1", or an address outside of the cluster'),
    to: z.string().describe('"Service default/my-service:80", "pod default/web", "10.0.0.1:53"'),
    protocol: z.enum(traceProtocols),
    packet: z.enum(['first', 'reply']),
    sourcePort: z.int().nullable(),
    length: z
      .union([z.int(), z.literal('full')])
      .nullable()
      .describe('Layer-3 bytes of every packet; null: small ones'),
  }),
  verdict: z.object({
    status: z
      .enum(['delivered', 'lost', 'unknown'])
      .describe('delivered: on all ways, and the answer came back; lost: at least one way ends before; unknown: what decides was not read'),
    summary: z.string(),
  }),
  ways: z.array(waySchema).describe('One for each way that the tables allow; the shares add up to 1'),
  coverage: reportSchema.shape.coverage,
  timing: reportSchema.shape.timing,
});

export type TraceReport = z.infer<typeof traceReportSchema>;
export type TraceWay = TraceReport['ways'][number];
export type TraceHop = TraceWay['hops'][number];
