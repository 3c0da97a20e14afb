import { z } from 'zod';
import { watchEnds } from '../model/watch.ts';

const placeSchema = z.object({
  kind: z.enum(['pod', 'node']),
  namespace: z.string().exactOptional(),
  name: z.string(),
  node: z.string(),
});

/** The entry `capture/plan` of a snapshot: what was watched and where (CapturePlan of src/model/capture-path.ts). */
export const capturePlanSchema = z.object({
  client: z.object({ place: placeSchema, address: z.string() }),
  backends: z.array(z.object({ address: z.string(), port: z.int(), place: placeSchema.nullable() })),
  nodes: z.array(z.object({ name: z.string(), address: z.string() })),
  places: z.array(placeSchema),
  tries: z.array(
    z.object({
      stage: z.enum(['service', 'endpoint']),
      protocol: z.enum(['TCP', 'UDP']),
      sourcePort: z.int(),
      target: z.object({ address: z.string(), port: z.int() }),
      full: z.boolean().default(false),
      datagram: z.literal(true).exactOptional(),
    }),
  ),
});

/** The entry `capture/watch` of a snapshot: how the tries of a watch went (WatchRecord of src/model/watch.ts). */
export const watchRecordSchema = z.object({
  ended: z.enum(watchEnds),
  why: z.string().nullable(),
  tries: z.int(),
  failed: z.int(),
  notMade: z.int(),
  seconds: z.number(),
  perSecond: z.number(),
  bytes: z.int(),
  last: z.array(
    z.object({
      number: z.int(),
      sourcePort: z.int(),
      target: z.object({ address: z.string(), port: z.int() }),
      began: z.number(),
      seconds: z.number(),
      result: z.enum(['answered', 'failed', 'repeated']),
      said: z.string(),
    }),
  ),
});
