import { apiPaths } from '../model/object-paths.ts';
import type { TraceProtocol } from '../model/trace.ts';
import { choosePort } from '../parse/objects.ts';
import type { Service } from '../schema/kubernetes.ts';
import { UsageError } from './errors.ts';
import type { ClusterReader } from './reader.ts';
import { nearNames } from './target.ts';

/** The error for a name that a namespace's list does not hold, with the names near to it. */
export function notThere(kind: string, namespace: string, name: string, names: readonly string[]): UsageError {
  const near = nearNames(name, names);
  return new UsageError(
    `there is no ${kind} "${name}" in namespace "${namespace}"${near.length > 0 ? `; near names: ${near.join(', ')}` : ''}`,
  );
}

/** The error for a Service that the API server does not have: asks it for all Services, and says which namespaces have one of the name and which names are near. */
export async function serviceNotFound(reader: ClusterReader, namespace: string, name: string): Promise<UsageError> {
  const all = await reader.get(apiPaths.allServices);
  const items = all.ok ? ((all.body as { items?: { metadata?: { name?: string; namespace?: string } }[] }).items ?? []) : null;
  const sentence = `there is no Service "${name}" in namespace "${namespace}" (SVC001)`;
  if (!items) return new UsageError(`${sentence}; whether another namespace has it could not be read`);
  const elsewhere = items.filter((item) => item.metadata?.name === name).map((item) => item.metadata?.namespace ?? '');
  const near = nearNames(
    name,
    items.filter((item) => item.metadata?.namespace === namespace).map((item) => item.metadata?.name ?? ''),
  );
  const hints = [
    ...(elsewhere.length > 0 ? [`namespace ${elsewhere.slice(0, 5).join(', ')} has it (-n ${elsewhere[0]})`] : []),
    ...(near.length > 0 ? [`near names here: ${near.join(', ')}`] : []),
  ];
  return new UsageError(
    `${sentence}; ${hints.length > 0 ? hints.join('; ') : 'no other namespace has it, and no name here is near to it'}`,
  );
}

/** The error for a port that a Service does not have, or not for the protocol that is asked for, with those that it has; `wanted` null: any port of the protocol. */
export function portNotFound({ metadata, spec }: Service, wanted: string | null, protocol?: TraceProtocol): UsageError {
  const ports = (spec.ports ?? []).map((port) => `${port.port}/${port.protocol}${port.name ? ` (${port.name})` : ''}`);
  const what = `${protocol === undefined ? '' : `${protocol.toUpperCase()} `}port${wanted === null ? '' : ` "${wanted}"`}`;
  return new UsageError(`Service ${metadata.namespace}/${metadata.name} has no ${what}; it has ${ports.join(', ') || 'no ports at all'}`);
}

/**
 * Throws where a trace's Service has no port to send to. A Service that is only another name has no ports of its own.
 * @throws UsageError
 */
export function refusePort(service: Service, { port, protocol }: { port: string | undefined; protocol: TraceProtocol }): void {
  if (protocol === 'icmp' && port === undefined) return;
  if (service.spec.type === 'ExternalName' || choosePort(service, port ?? null, protocol)) return;
  const isNowhere = port !== undefined && choosePort(service, port) === undefined;
  throw portNotFound(service, port ?? null, isNowhere ? undefined : protocol);
}
