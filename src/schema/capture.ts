import { z } from 'zod';

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
    }),
  ),
});
