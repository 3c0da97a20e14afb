import { z } from 'zod';

/** What captures at every device of the way tell by themselves, without any table of a node. */
export const captureReportSchema = z.object({
  tries: z.int().describe('Connections that were made to be watched'),
  answered: z.int(),
  losses: z
    .array(
      z.object({
        kind: z.enum(['lost', 'refused', 'unknown']),
        direction: z.enum(['request', 'reply']).nullable(),
        tries: z.int().describe('How many of the tries ended like this'),
        to: z.array(z.string()).describe('What they were addressed to, and the endpoints that they were sent on to'),
        where: z
          .object({
            kind: z.enum(['pod', 'node', 'pod-link', 'between']).describe('between: it left the first node and did not come to the second'),
            names: z.array(z.string()),
          })
          .nullable(),
        says: z.string(),
        lastSeen: z.string().nullable(),
        firstUnseen: z.string().nullable(),
        dropReason: z
          .object({ node: z.string(), reason: z.string(), location: z.string(), count: z.int() })
          .nullable()
          .describe("The kernel's own reason (tracepoint skb:kfree_skb), where one follows most of the losses"),
        timeline: z.array(
          z.object({
            microseconds: z.int().describe('Since the first sighting, by the clock of the node'),
            at: z.string(),
            direction: z.enum(['request', 'reply']),
            packet: z.string(),
            source: z.string(),
            destination: z.string(),
            through: z.string().nullable().describe('The tunnel that it was inside of'),
          }),
        ),
      }),
    )
    .describe('The tries that were not answered, by what became of them; most first'),
  gaps: z.array(z.string()).describe('What could not be captured, or was lost by the capture itself'),
});

export type CaptureReport = z.infer<typeof captureReportSchema>;
