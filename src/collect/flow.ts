import { containerIds, isRunning, matchesSelector } from '../parse/objects.ts';
import type { Pod, Service } from '../schema/kubernetes.ts';
import { mostEndpoints, mostNodes } from './options.ts';
import type { Plan } from './plan.ts';
import type { Namespace } from './prelude.ts';

/** A stable sample, spread over the list, of more endpoints than are probed. */
export function sample<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)] as T);
}

/** The name of the pod's network namespace in a script. */
export const namespaceName = (pod: Pod): string => `p${(pod.metadata.name + pod.metadata.namespace).replace(/[^a-z0-9]/g, '')}`;

export function clientPod(plan: Plan): Pod | undefined {
  return plan.client.kind === 'Pod' ? plan.pods.get(`${plan.client.namespace}/${plan.client.name}`) : undefined;
}

/** The client's network namespace in a script: its pod's own, or the node's. */
export function clientNamespace(plan: Plan): string {
  const pod = clientPod(plan);
  return pod && !pod.spec.hostNetwork ? namespaceName(pod) : 'host';
}

export const serviceAddresses = (service: Service | undefined): string[] =>
  (service?.spec.clusterIPs ?? (service?.spec.clusterIP ? [service.spec.clusterIP] : [])).filter(
    (ip) => ip !== '' && ip !== 'None' && !ip.includes(':'),
  );

/** Whether a request may be sent: only where the Service or a container's own probe says that HTTP is spoken there. */
export function speaksOf(service: Service, port: NonNullable<Service['spec']['ports']>[number], plan: Plan): 'http' | 'https' | null {
  const declared = `${port.appProtocol ?? ''} ${port.name ?? ''}`.toLowerCase();
  if (/(^| )https\b|kubernetes\.io\/wss/.test(declared) || port.port === 443) return 'https';
  if (/(^| )(http|web)\b|kubernetes\.io\/ws\b/.test(declared) || port.port === 80 || port.port === 8080) return 'http';
  const ports = new Set(plan.endpoints.map((endpoint) => endpoint.port));
  const containers = plan.endpoints
    .flatMap(({ pod: of }) => (of ? (plan.pods.get(`${of.namespace}/${of.name}`) ?? []) : []))
    .flatMap((pod) => pod.spec.containers);
  const probe = containers
    .flatMap((container) =>
      [container.readinessProbe?.httpGet, container.livenessProbe?.httpGet].map((get) => ({
        get,
        // A probe names its port by number, or by the name that the container gives it; another port may speak something else.
        port: container.ports?.find(({ name }) => name === get?.port)?.containerPort ?? Number(get?.port),
      })),
    )
    .find(({ get, port: asked }) => get && ports.has(asked))?.get;
  if (!probe || service.spec.type === 'ExternalName') return null;
  return probe.scheme === 'HTTPS' ? 'https' : 'http';
}

/** Pods of the flow that run on a node: the client, backends, DNS servers. */
export function podsOfNode(plan: Plan, node: string): Pod[] {
  const wanted = new Set([
    ...(plan.client.kind === 'Pod' ? [`${plan.client.namespace}/${plan.client.name}`] : []),
    ...[...sample(plan.endpoints, mostEndpoints), ...sample(plan.dnsEndpoints, 6)].flatMap((endpoint) =>
      endpoint.pod ? [`${endpoint.pod.namespace}/${endpoint.pod.name}`] : [],
    ),
    ...backendsWithoutEndpoint(plan),
  ]);
  return [...wanted].flatMap((key) => plan.pods.get(key) ?? []).filter((pod) => pod.spec.nodeName === node);
}

/** Running pods that the selector matches and that are no endpoint of this port: a port name that no container has, or not ready. */
function backendsWithoutEndpoint(plan: Plan): string[] {
  const selector = plan.service.spec.selector;
  if (!selector || Object.keys(selector).length === 0 || plan.endpoints.some((endpoint) => endpoint.ready)) return [];
  return [...plan.pods.values()]
    .filter((pod) => pod.metadata.namespace === plan.namespace && isRunning(pod) && matchesSelector(pod.metadata.labels, selector))
    .slice(0, 4)
    .map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`);
}

/** Whether the selector matches any pod, or there is none. */
export function hasBackends(plan: Plan): boolean {
  const selector = plan.service.spec.selector ?? {};
  if (Object.keys(selector).length === 0) return true;
  return [...plan.pods.values()].some((pod) => pod.metadata.namespace === plan.namespace && matchesSelector(pod.metadata.labels, selector));
}

/** The client's node first, then those of the endpoints and of the DNS servers. */
export function nodesOnPath(plan: Plan): string[] {
  const names = [
    plan.client.node,
    ...sample(plan.endpoints, mostEndpoints).map((endpoint) => endpoint.nodeName),
    ...sample(plan.dnsEndpoints, 6).map((endpoint) => endpoint.nodeName),
    ...backendsWithoutEndpoint(plan).map((key) => plan.pods.get(key)?.spec.nodeName ?? null),
  ];
  return [...new Set(names.filter((name) => name !== null))].slice(0, mostNodes);
}

export const toNamespaces = (pods: readonly Pod[]): Namespace[] =>
  pods.filter((pod) => !pod.spec.hostNetwork).map((pod) => ({ name: namespaceName(pod), containerIds: containerIds(pod) }));
