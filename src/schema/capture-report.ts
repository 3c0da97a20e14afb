import { z } from 'zod';
import { watchEnds } from '../model/watch.ts';

const timelineSchema = z.array(
  z.object({
    microseconds: z.int().describe('Since the first sighting, by the clock of the node'),
    at: z.string(),
    direction: z.enum(['request', 'reply']),
    packet: z.string(),
    source: z.string(),
    destination: z.string(),
    through: z.string().nullable().describe('The tunnel that it was inside of'),
  }),
);

/** One try of a watch, and its way. */
const watchedTrySchema = z.object({
  number: z.int().describe('Counted from 1'),
  began: z.number().describe('Seconds since the first try'),
  seconds: z.number().describe('Until it was answered, or given up'),
  result: z.enum(['answered', 'failed', 'repeated']).describe('repeated: answered after its first packet had been sent again'),
  sourcePort: z.int(),
  target: z.string(),
  endpoint: z.string().nullable().describe('What it was sent on to; null where no packet shows it'),
  node: z.string().nullable().describe('Of the endpoint'),
  path: z.array(z.string()).describe('The devices that saw its request, in order'),
  timeline: timelineSchema,
});

const watchSchema = z.object({
  tries: z.int().describe('Tries that were made'),
  failed: z.int().describe('Not answered, or only after the first packet had been lost and sent again'),
  late: z.int().describe('Answered late with no packet lost: no failure'),
  notMade: z.int(),
  seconds: z.number(),
  perSecond: z.number().describe('The most tries in a second'),
  ended: z.enum(watchEnds),
  why: z.string().nullable(),
  oneIn: z.int().nullable().describe('The rarest loss, as one request in so many, that these tries would have shown with 95 %'),
  endpoints: z
    .array(z.object({ endpoint: z.string(), node: z.string().nullable(), tries: z.int(), failed: z.int() }))
    .describe('Of the tries of the last seconds'),
  failing: watchedTrySchema.nullable(),
  good: watchedTrySchema.nullable(),
  differs: z.array(z.string()).describe('What the failing and the good try differ in, and have in common'),
});

const counterSchema = z.object({
  place: z.string(),
  kind: z.enum(['rule', 'policy', 'device', 'protocol', 'conntrack', 'softnet', 'qdisc', 'neighbour']),
  name: z.string().describe("nstat's name, a device and its counter, or a rule"),
  by: z.int().describe('How much it moved while the probes were under way'),
  idle: z.number().describe('How much an idle interval before lets expect for that time'),
  line: z.string().describe('The line that it stands on, after the probes'),
  meaning: z.string().nullable(),
  ends: z.boolean().describe('It counts packets that end there; others move because something was lost somewhere'),
});

/** What captures at every device of the way tell by themselves, without any table of a node. */
export const captureReportSchema = z.object({
  tries: z.int().describe('Connections that were made to be watched'),
  answered: z.int(),
  arrived: z
    .int()
    .exactOptional()
    .describe('Of UDP other than DNS: datagrams that came to their endpoint and were not answered, which is no loss: UDP owes no answer'),
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
        counter: counterSchema.nullable().describe('The counter at that place that moved as often as packets were lost there'),
        timeline: timelineSchema,
      }),
    )
    .describe('The tries that were not answered, by what became of them; most first'),
  counters: z
    .array(counterSchema)
    .describe('All counters that moved with the probes, by more than the idle interval explains; strongest first'),
  tried: z.array(z.string()).describe('Protocol, address and port of every target that was tried'),
  watched: z.array(z.string()).describe('The places that were captured in'),
  notTried: z.string().exactOptional().describe('Why no try was made'),
  gaps: z.array(z.string()).describe('What could not be captured, or was lost by the capture itself'),
  watch: watchSchema.exactOptional().describe('Of capture --watch: tries that went on until one failed'),
});

export type CaptureReport = z.infer<typeof captureReportSchema>;
