import { objectEvidence } from '../../facts/facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { apiKey, apiPaths } from '../../model/object-paths.ts';
import type { Step } from '../../model/trace.ts';
import { choosePort, endpointsOf, readList, type ServicePort } from '../../parse/objects.ts';
import { endpointSliceSchema, type Service } from '../../schema/kubernetes.ts';
import { type World, withPort } from './way.ts';
import { serviceOf } from './world.ts';

/** One address that the client may take for its target, and the step that says where it comes from. */
export interface Destination {
  address: string;
  port: number | undefined;
  share: number;
  step: Step | undefined;
  /** What has to be taken for granted of it. */
  assumed?: string;
}

export type Destinations = { found: Destination[] } | { unknown: string; evidence: EvidenceRef[] };

/** What the client's packets are sent to: the ClusterIP that cluster DNS gives for a Service, each endpoint of a headless one, a pod's address. */
export function destinationsOf(world: World): Destinations {
  const { to } = world.flow;
  if (to.kind === 'address') return { found: [{ address: to.address, port: to.port, share: 1, step: undefined }] };
  if (to.kind === 'pod') {
    const pod = world.facts.pod(to.namespace, to.name);
    const address = pod?.status.podIP;
    if (!pod || address === undefined) return { unknown: `pod ${to.namespace}/${to.name} was not read, or has no address`, evidence: [] };
    const says = `pod ${to.namespace}/${to.name} is ${address}${pod.spec.nodeName === undefined ? '' : ` on node ${pod.spec.nodeName}`}`;
    return {
      found: [{ address, port: to.port, share: 1, step: nameStep(says, address, [objectEvidence('pod', pod, '.status.podIP', address)]) }],
    };
  }
  const service = serviceOf(world.facts, to.namespace, to.name);
  if (service.state !== 'seen')
    return {
      unknown: `Service ${to.namespace}/${to.name} was not read${service.state === 'unknown' ? `: ${service.detail}` : ''}`,
      evidence: [],
    };
  return ofService(world, service.value, to.port);
}

const nameStep = (says: string, brief: string, refs: EvidenceRef[]): Step => ({ kind: 'name', says, brief, evidence: refs });

function ofService(world: World, service: Service, wanted: string | undefined): Destinations {
  const { namespace = '', name } = service.metadata;
  const label = `Service ${namespace}/${name}`;
  if (service.spec.type === 'ExternalName')
    return {
      unknown: `${label} is only another name for ${service.spec.externalName ?? ''}: it has no address`,
      evidence: [objectEvidence('service', service, '.spec.externalName', service.spec.externalName)],
    };
  const port = choosePort(service, wanted ?? null, world.flow.protocol);
  if (port === undefined && world.flow.protocol !== 'icmp')
    return {
      unknown: `${label} has no ${world.flow.protocol} port${wanted === undefined ? '' : ` "${wanted}"`}`,
      evidence: [objectEvidence('service', service, '.spec.ports', service.spec.ports)],
    };
  const addresses = (service.spec.clusterIPs ?? [service.spec.clusterIP ?? '']).filter((address) => address !== '');
  const [address] = addresses;
  if (address !== undefined && address !== 'None') {
    const says = `${label} is ${withPort(address, port?.port)}`;
    return {
      found: [
        {
          address,
          port: port?.port,
          share: 1,
          step: nameStep(says, withPort(address, port?.port), [objectEvidence('service', service, '.spec.clusterIP', address)]),
          ...(service.spec.sessionAffinity === 'ClientIP'
            ? { assumed: `the client has not been given to an endpoint of ${label} lately (session affinity)` }
            : {}),
        },
      ],
    };
  }
  return ofEndpoints(world, service, port);
}

/** Cluster DNS answers for a headless Service with its ready endpoints; the client keeps the port that it was told. */
function ofEndpoints(world: World, service: Service, port: ServicePort | undefined): Destinations {
  const { namespace = '', name } = service.metadata;
  const slices = readList(world.facts.snapshot.entries.get(apiKey(apiPaths.endpointSlices(namespace))), endpointSliceSchema);
  if (slices.state !== 'seen') return { unknown: `the EndpointSlices of ${namespace}/${name} were not read`, evidence: [] };
  const ready = endpointsOf(slices.value, name, port?.name ?? null).filter(
    (endpoint) => endpoint.ready || service.spec.publishNotReadyAddresses === true,
  );
  const refs = [objectEvidence('service', service, '.spec.clusterIP', 'None')];
  if (ready.length === 0)
    return { unknown: `headless Service ${namespace}/${name} has no ready endpoint, so that its name has no address`, evidence: refs };
  return {
    found: ready.map(({ address }) => ({
      address,
      port: port?.port,
      share: 1 / ready.length,
      step: nameStep(`headless Service ${namespace}/${name}: its name is also ${address}`, withPort(address, port?.port), refs),
    })),
  };
}
