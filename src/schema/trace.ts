import { z } from 'zod';
import { traceProtocols } from '../model/trace.ts';
import { reportSchema } from './report.ts';
import { waySchema } from './way.ts';

/**
 * The public contract of `k8snet trace -o json`, published as docs/schema/trace-report.v1.json.
 * Fields are only ever added; a meaning never changes under `k8snet.dev/v1`.
 */
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
