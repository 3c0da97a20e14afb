import { z } from 'zod';
import { reasons } from '../model/observed.ts';

/** Where a command ran. */
export const placeRunSchema = z.object({
  kind: z.enum(['api', 'node', 'pod']),
  namespace: z.string().optional(),
  name: z.string(),
});
export type RanOn = z.infer<typeof placeRunSchema>;

export const entryMetaSchema = z.object({
  /** For example `node/n1/iptables-save`, `pod/default/client/resolv.conf`, `api/v1/nodes`. */
  key: z.string(),
  /** The command as a person would type it there. */
  command: z.string(),
  on: placeRunSchema,
  /** Exit status; null when the command did not end by itself or never ran. */
  exit: z.int().nullable(),
  /** Set when the output can't be relied on: the reason, and a sentence. */
  failure: z.object({ reason: z.enum(reasons), detail: z.string() }).optional(),
});

/** One command and what it printed: the unit of a recording, and of every quotation in a report. */
export type Entry = z.infer<typeof entryMetaSchema> & { stdout: string; stderr: string };

/** "node n1", "pod default/client", "API server": the words a report uses. */
export function describeRanOn(on: RanOn): string {
  if (on.kind === 'api') return 'API server';
  return on.kind === 'node' ? `node ${on.name}` : `pod ${on.namespace}/${on.name}`;
}
