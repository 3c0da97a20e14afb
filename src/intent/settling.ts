import type { EndpointSlice, Node, Service } from '../schema/kubernetes.ts';
import type { ClusterObjects } from './cluster-objects.ts';
import type { ServicePort } from './service-ports.ts';
import { slicesByService } from './service-ports.ts';

/** How long ago, in seconds before the tables were read, something that kube-proxy has to follow last changed; null: not known. */
export interface Ages {
  of(port: ServicePort): number | null;
}

const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time';

/**
 * The age of the newest change of a Service, its EndpointSlices and the node: creation, the times of their managed fields, and the annotation
 * with which the EndpointSlice controller says when the pods changed. Times are the API server's; one that lies ahead of the reading is age 0.
 */
export function agesOf(objects: ClusterObjects, node: Node | undefined, readAt: Date): Ages {
  const slices = slicesByService(objects.slices);
  const services = new Map(objects.services.map((service) => [`${service.metadata.namespace ?? ''}/${service.metadata.name}`, service]));
  const nodeTime = node?.metadata.creationTimestamp ? [Date.parse(node.metadata.creationTimestamp)] : [];
  return {
    of: ({ namespace, name }) => {
      const key = `${namespace}/${name}`;
      if (objects.changedMeanwhile.has(key)) return 0;
      const service = services.get(key);
      const times = [...(service ? timesOf(service) : []), ...(slices.get(key) ?? []).flatMap(timesOf), ...nodeTime].filter(
        (time) => !Number.isNaN(time),
      );
      return times.length === 0 ? null : Math.max(0, (readAt.getTime() - Math.max(...times)) / 1000);
    },
  };
}

function timesOf({ metadata }: Service | EndpointSlice): number[] {
  const texts = [
    metadata.creationTimestamp,
    metadata.deletionTimestamp,
    metadata.annotations?.[triggerTime],
    metadata.changedAt,
    ...(metadata.managedFields ?? []).map((field) => field.time),
  ];
  return texts.flatMap((text) => (text ? [Date.parse(text)] : []));
}
