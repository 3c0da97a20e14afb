import { z } from 'zod';
import { evidenceSchema, reportSchema } from './report.ts';

/**
 * The public contract of `k8snet verify -o json`, published as docs/schema/verify-report.v1.json.
 * Fields are only ever added; a meaning never changes under `k8snet.dev/v1`.
 */
export const verifyFindingSchema = z.object({
  kind: z
    .enum([
      'missing',
      'unhooked',
      'shadowed',
      'stale-endpoint',
      'missing-endpoint',
      'wrong-verdict',
      'wrong-masquerade',
      'wrong-affinity',
      'doubled',
      'stale-front',
      'stopped-after',
    ])
    .describe(
      'missing: no rule; unhooked: no packet comes to the rules; shadowed: a rule of somebody else comes first; stale-endpoint: translated to what is no endpoint; ' +
        'missing-endpoint: an endpoint is never chosen; wrong-verdict: refused with endpoints, or dropped instead of rejected; doubled: left-over rules of another mode or backend; ' +
        'stale-front: rules for what no Service has; stopped-after: translated as meant, then stopped by a rule that is not of kube-proxy',
    ),
  severity: z.enum(['fault', 'settling', 'note']).describe('settling: the API changed so lately that kube-proxy may still be at it'),
  node: z.string(),
  family: z.enum(['IPv4', 'IPv6']),
  title: z.string().describe('One sentence: what the node does, to which Services, and why'),
  why: z.string(),
  services: z.array(z.string()).describe('namespace/name:port'),
  fronts: z.array(z.string()).describe('What clients connect to, for example "ClusterIP 10.96.0.10:53/udp of kube-system/kube-dns:dns"'),
  from: z.array(z.enum(['pod', 'endpoint', 'node', 'outside', 'barred'])).describe('From where connections are affected'),
  evidence: z.array(evidenceSchema),
  peers: z.object({
    right: z.array(z.string()).describe('Other nodes that do what the API means with the same Services'),
    alike: z.array(z.string()).describe('Other nodes with the same difference'),
  }),
  next: z.array(z.string()),
  fix: z.array(z.string()).describe('Steps that would mend it; never applied by k8snet'),
});

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
