import { z } from 'zod';
import { dispositions, stepKinds } from '../model/trace.ts';
import { evidenceSchema } from './evidence.ts';

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

/** One way that the tables allow a packet, hop by hop. */
export const waySchema = z.object({
  share: z.number().min(0).max(1).describe('Share of packets that go this way'),
  disposition: z.enum(dispositions),
  why: z.string().describe('Where and why it ends, in one sentence'),
  hops: z.array(hopSchema),
  assumed: z.array(z.string()).describe('What was taken for granted because it was not read'),
});

export type TraceWay = z.infer<typeof waySchema>;
export type TraceHop = TraceWay['hops'][number];
