import { z } from 'zod';

/**
 * The fields of API objects that k8snet reads; everything else is let through. Field meanings: Kubernetes API reference v1.36.
 * A field that is required by the API is required here; an object without it fails to parse and is `unparsed`, not defaulted.
 */
const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().optional(),
  ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string() })).optional(),
  resourceVersion: z.string().optional(),
  managedFields: z.array(z.looseObject({ time: z.string().nullish() })).nullish(),
  /** Not of the API: the newest time of the managed fields, which are not collected themselves (src/collect/verify-collector.ts). */
  changedAt: z.string().optional(),
});

const intOrString = z.union([z.int(), z.string()]);

export const serviceSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    type: z.string().default('ClusterIP'),
    clusterIP: z.string().optional(),
    clusterIPs: z.array(z.string()).optional(),
    externalName: z.string().optional(),
    selector: z.record(z.string(), z.string()).nullish(),
    ports: z
      .array(
        z.looseObject({
          name: z.string().optional(),
          port: z.int(),
          protocol: z.string().default('TCP'),
          targetPort: intOrString.optional(),
          nodePort: z.int().optional(),
          appProtocol: z.string().optional(),
        }),
      )
      .nullish(),
    internalTrafficPolicy: z.string().optional(),
    externalTrafficPolicy: z.string().optional(),
    externalIPs: z.array(z.string()).nullish(),
    loadBalancerSourceRanges: z.array(z.string()).nullish(),
    healthCheckNodePort: z.int().nullish(),
    sessionAffinity: z.string().optional(),
    sessionAffinityConfig: z.looseObject({ clientIP: z.looseObject({ timeoutSeconds: z.int().nullish() }).nullish() }).nullish(),
    publishNotReadyAddresses: z.boolean().optional(),
    trafficDistribution: z.string().optional(),
  }),
  status: z
    .looseObject({
      loadBalancer: z
        .looseObject({ ingress: z.array(z.looseObject({ ip: z.string().nullish(), ipMode: z.string().nullish() })).nullish() })
        .nullish(),
    })
    .nullish(),
});
export type Service = z.infer<typeof serviceSchema>;

export const endpointSliceSchema = z.looseObject({
  metadata: metadataSchema,
  addressType: z.string(),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z
          .looseObject({ ready: z.boolean().nullish(), serving: z.boolean().nullish(), terminating: z.boolean().nullish() })
          .optional(),
        nodeName: z.string().optional(),
        targetRef: z.looseObject({ kind: z.string().optional(), namespace: z.string().optional(), name: z.string().optional() }).optional(),
        zone: z.string().optional(),
        hints: z
          .looseObject({
            forZones: z.array(z.looseObject({ name: z.string() })).nullish(),
            forNodes: z.array(z.looseObject({ name: z.string() })).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  ports: z.array(z.looseObject({ name: z.string().nullish(), port: z.int().nullish(), protocol: z.string().nullish() })).nullish(),
});
export type EndpointSlice = z.infer<typeof endpointSliceSchema>;

const probeSchema = z.looseObject({
  httpGet: z.looseObject({ port: intOrString, scheme: z.string().optional(), path: z.string().optional() }).optional(),
  tcpSocket: z.looseObject({ port: intOrString }).optional(),
  exec: z.looseObject({ command: z.array(z.string()).optional() }).optional(),
});

const containerStateSchema = z.looseObject({
  waiting: z.looseObject({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  running: z.looseObject({ startedAt: z.string().nullish() }).optional(),
  terminated: z.looseObject({ reason: z.string().optional(), message: z.string().optional(), exitCode: z.int() }).optional(),
});

export const podSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    nodeName: z.string().optional(),
    hostNetwork: z.boolean().optional(),
    dnsPolicy: z.string().optional(),
    containers: z.array(
      z.looseObject({
        name: z.string(),
        image: z.string().optional(),
        ports: z.array(z.looseObject({ name: z.string().optional(), containerPort: z.int(), protocol: z.string().optional() })).optional(),
        readinessProbe: probeSchema.optional(),
        livenessProbe: probeSchema.optional(),
      }),
    ),
  }),
  status: z
    .looseObject({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      podIPs: z.array(z.looseObject({ ip: z.string() })).optional(),
      hostIP: z.string().optional(),
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
            lastTransitionTime: z.string().nullish(),
          }),
        )
        .optional(),
      containerStatuses: z
        .array(
          z.looseObject({
            name: z.string(),
            containerID: z.string().optional(),
            ready: z.boolean().optional(),
            restartCount: z.int().optional(),
            state: containerStateSchema.optional(),
            lastState: containerStateSchema.optional(),
          }),
        )
        .optional(),
    })
    .default({}),
});
export type Pod = z.infer<typeof podSchema>;

export const nodeSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z
    .looseObject({ podCIDR: z.string().optional(), podCIDRs: z.array(z.string()).optional(), unschedulable: z.boolean().optional() })
    .default({}),
  status: z
    .looseObject({
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).optional(),
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), reason: z.string().optional(), message: z.string().optional() }))
        .optional(),
      images: z.array(z.looseObject({ names: z.array(z.string()).nullish() })).optional(),
      nodeInfo: z.looseObject({ kernelVersion: z.string().optional(), kubeletVersion: z.string().optional() }).optional(),
    })
    .default({}),
});
export type Node = z.infer<typeof nodeSchema>;

export const configMapSchema = z.looseObject({ metadata: metadataSchema, data: z.record(z.string(), z.string()).optional() });
export type ConfigMap = z.infer<typeof configMapSchema>;

export const workloadSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    replicas: z.int().optional(),
    selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).optional() }).optional(),
    template: z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()).optional() }).optional() }).optional(),
  }),
  status: z.looseObject({}).optional(),
});
export type Workload = z.infer<typeof workloadSchema>;

export const eventSchema = z.looseObject({
  metadata: metadataSchema,
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  count: z.int().nullish(),
  involvedObject: z.looseObject({ kind: z.string().optional(), name: z.string().optional(), namespace: z.string().optional() }),
});
export type Event = z.infer<typeof eventSchema>;

export const networkPolicySchema = z.looseObject({ metadata: metadataSchema, spec: z.looseObject({}).optional() });
export type NetworkPolicy = z.infer<typeof networkPolicySchema>;
