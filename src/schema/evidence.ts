import { z } from 'zod';

/** Lines of an output, as every report quotes them. */
export const evidenceSchema = z.object({
  command: z.string().describe('The command whose output is quoted, as a person would type it'),
  on: z.string().describe('Where it ran: "node n1", "pod default/client", "API server"'),
  lines: z.array(z.object({ number: z.int().min(1).describe('1-based line of the output'), text: z.string() })),
});

export type Evidence = z.infer<typeof evidenceSchema>;
