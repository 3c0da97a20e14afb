import { z } from 'zod';
import { type Entry, entryMetaSchema } from './entry.ts';

/** What was asked for, as resolved from the arguments and the cluster: with it a recording can be judged again without the cluster. */
export const requestSchema = z.object({
  target: z.object({ kind: z.literal('Service'), namespace: z.string(), name: z.string() }),
  /** Name or number of the Service port, when given. */
  port: z.string().nullable(),
  from: z.object({
    kind: z.enum(['Pod', 'Node', 'none']),
    namespace: z.string().optional(),
    name: z.string(),
    node: z.string().nullable(),
    why: z.string(),
  }),
});
export type Request = z.infer<typeof requestSchema>;

export const nodeAccessSchema = z.object({
  name: z.string(),
  access: z.enum(['node-pod', 'host-network-pod', 'none', 'recording']),
  image: z.string().nullable(),
  /** Why the access is what it is, when it is less than a node pod; one sentence. */
  detail: z.string().nullable(),
});
export type NodeAccess = z.infer<typeof nodeAccessSchema>;

export const manifestSchema = z.object({
  apiVersion: z.literal('k8snet.dev/v1'),
  kind: z.literal('Snapshot'),
  k8snet: z.string(),
  startedAt: z.string(),
  seconds: z.number(),
  phases: z.array(z.object({ name: z.string(), seconds: z.number() })),
  request: requestSchema,
  access: z.object({
    best: z.enum(['node-pod', 'host-network-pod', 'client-pod', 'api', 'recording']),
    nodes: z.array(nodeAccessSchema),
    lost: z.array(z.string()),
  }),
  entries: z.array(entryMetaSchema.extend({ stdout: z.string(), stderr: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** A recording in memory. Everything that judges is a function of this alone. */
export interface Snapshot {
  manifest: Omit<Manifest, 'entries'>;
  entries: ReadonlyMap<string, Entry>;
}
