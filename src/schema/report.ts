import { z } from 'zod';
import { captureReportSchema } from './capture-report.ts';
import { evidenceSchema } from './evidence.ts';
import { walkReportSchema } from './walk-report.ts';

/**
 * The public contract of `k8snet diagnose -o json`, published as docs/schema/diagnosis-report.v1.json.
 * Fields are only ever added; a meaning never changes under `k8snet.dev/v1`.
 */
export const layerSchema = z.enum(['dns', 'service', 'cni', 'app']);

export const placeSchema = z.object({
  kind: z
    .string()
    .describe('What is wrong: Service, Pod, Deployment, Node, rule, route, link, sysctl, fdb-entry, neighbour, conntrack-entry…'),
  namespace: z.string().optional(),
  name: z.string(),
  node: z.string().optional(),
});

export const findingSchema = z.object({
  id: z.string().describe('Stable id of the check, for example SVC002'),
  slug: z.string(),
  layer: layerSchema,
  severity: z.enum(['fault', 'note']),
  title: z.string().describe('One sentence: what is wrong, with the names of this cluster'),
  where: placeSchema,
  evidence: z.array(evidenceSchema),
  consequences: z.array(z.string()).describe('What the probes saw because of this, in words'),
  next: z.array(z.string()).describe('The next commands to type, most useful first'),
  fix: z.array(z.string()).describe('Steps that would mend it; never applied by k8snet'),
});

export const probeSchema = z.object({
  id: z.string(),
  stage: z.enum(['name', 'dns-server', 'service', 'endpoint', 'payload', 'node', 'answer']),
  from: z.string(),
  to: z.string(),
  protocol: z.string(),
  tries: z.int(),
  succeeded: z.int(),
  outcome: z.string().describe('ok, or the kinds of failure with their counts, for example "timeout x3, refused x1"'),
  milliseconds: z.number().nullable().describe('Median time of a successful try'),
  size: z
    .object({
      sent: z.int().describe("The longest packet that the sender's own device takes, which was sent first"),
      largest: z
        .int()
        .nullable()
        .describe('The longest that was answered; null where a full-size one was lost and no other size was tried'),
      told: z.int().nullable().describe('The MTU that an ICMP "fragmentation needed", or the sender\'s own kernel, named'),
    })
    .optional()
    .describe('Of full-size packets with "don\'t fragment": lengths of layer 3 in bytes'),
});

export const reportSchema = z.object({
  apiVersion: z.literal('k8snet.dev/v1'),
  kind: z.literal('DiagnosisReport'),
  k8snet: z.string().describe('Version of the tool'),
  target: z.object({
    kind: z.string(),
    namespace: z.string(),
    name: z.string(),
    type: z.string().nullable().describe('Service type, or null when the Service could not be read'),
    clusterIPs: z.array(z.string()),
    ports: z.array(z.object({ name: z.string().nullable(), port: z.int(), protocol: z.string(), targetPort: z.string() })),
    port: z.int().nullable().describe('The Service port that was diagnosed'),
  }),
  from: z.object({
    kind: z.enum(['Pod', 'Node', 'none']),
    namespace: z.string().optional(),
    name: z.string(),
    node: z.string().nullable(),
    why: z.string().describe('Why this client was taken'),
  }),
  verdict: z.object({
    status: z.enum(['healthy', 'fault', 'unknown']),
    layer: layerSchema.nullable(),
    confidence: z.enum(['high', 'medium', 'low']),
    summary: z.string().describe('The verdict in one sentence'),
  }),
  findings: z.array(findingSchema).describe('Faults first, the root before its consequences; then notes'),
  probes: z.array(probeSchema),
  path: z
    .array(z.object({ stage: z.string(), what: z.string(), state: z.enum(['ok', 'failed', 'partly', 'unknown', 'skipped']) }))
    .describe('The way of the request: name, Service, each endpoint, application'),
  ruledOut: z.array(z.object({ what: z.string(), by: z.string() })),
  notChecked: z.array(z.object({ what: z.string(), why: z.string() })),
  walk: walkReportSchema.optional().describe('What the tables of the nodes and pods say of the packets that the probes sent'),
  capture: captureReportSchema.optional().describe('With --capture: what captures at every device of the way tell by themselves'),
  witnesses: z
    .array(
      z.object({
        agreement: z
          .enum(['same-place', 'elsewhere', 'alone', 'silent'])
          .describe(
            'same-place: where a finding says; elsewhere: at another place; alone: no finding names a place; silent: nothing was lost',
          ),
        says: z.string(),
      }),
    )
    .optional()
    .describe('With --capture: how captures, drop reasons and counters fit the findings, which come from probes and tables'),
  coverage: z.object({
    access: z.enum(['node-pod', 'host-network-pod', 'client-pod', 'api', 'recording']).describe('The best way of looking that was allowed'),
    image: z.string().nullable().describe('Image of the node pod, when there was one'),
    nodes: z.array(z.object({ name: z.string(), access: z.string(), detail: z.string().nullable() })),
    lost: z.array(z.string()).describe('What could not be seen because of the access, in words'),
  }),
  timing: z.object({
    startedAt: z.string(),
    seconds: z.number(),
    phases: z.array(z.object({ name: z.string(), seconds: z.number() })),
  }),
});

export type Layer = z.infer<typeof layerSchema>;
export type Place = z.infer<typeof placeSchema>;
export type Finding = z.infer<typeof findingSchema>;
export type Probe = z.infer<typeof probeSchema>;
export type Report = z.infer<typeof reportSchema>;
