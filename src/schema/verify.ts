import { z } from 'zod';
import { reportSchema } from './report.ts';
import { verifyFindingSchema } from './verify-finding.ts';

/**
 * The public contract of `k8snet verify -o json`, published as docs/schema/verify-report.v1.json.
 * Fields are only ever added; a meaning never changes under `k8snet.dev/v1`.
 */
export const verifyReportSchema = z.object({
  apiVersion: z.literal('k8snet.dev/v1'),
  kind: z.literal('VerifyReport'),
  k8snet: z.string().describe('Version of the tool'),
  scope: z.object({
    services: z.int().describe('Services that were judged, headless and ExternalName ones among them'),
    allServices: z.boolean().describe('These are all Services of the cluster, so that rules for what none has are found too'),
    nodes: z.array(z.string()),
  }),
  verdict: z.object({
    status: z.enum(['healthy', 'fault', 'unknown']),
    summary: z.string().describe('The verdict in one sentence'),
  }),
  findings: z.array(verifyFindingSchema).describe('Faults first, then what settles, then notes'),
  nodes: z.array(
    z.object({
      name: z.string(),
      family: z.enum(['IPv4', 'IPv6']),
      mode: z.enum(['iptables', 'nftables', 'ipvs']).nullable().describe('Mode of kube-proxy; null when it could not be told'),
      state: z.enum(['as-intended', 'differs', 'unknown']),
      fronts: z.int().describe('Addresses and ports of Services that clients connect to'),
      flows: z.int().describe('Packets that were walked through the tables (in ipvs mode: virtual servers compared)'),
      agree: z.int().describe('Those of them that end as the API means'),
      detail: z.string().nullable(),
    }),
  ),
  notChecked: z.array(z.object({ what: z.string(), why: z.string() })),
  coverage: reportSchema.shape.coverage,
  timing: reportSchema.shape.timing,
});

export type VerifyReport = z.infer<typeof verifyReportSchema>;
