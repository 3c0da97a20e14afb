import type { Endpoint } from '../model/endpoints.ts';
import { clientPod, namespaceName, nodesOnPath, sample, serviceAddresses, speaksOf } from './flow.ts';
import { mostEndpoints } from './options.ts';
import type { Plan } from './plan.ts';
import { connectByNameProbe, connectProbe, dnsServerProbe, nameProbes, nodeReachProbe, serviceTries } from './probe-sections.ts';
import type { Section } from './script.ts';
import { podSections } from './sections.ts';
import { sizeProbe } from './size-probe.ts';

/** Everything that is asked from inside the client's network namespace. */
export function clientSections(plan: Plan): Section[] {
  const pod = clientPod(plan);
  if (!pod) return [];
  const origin = `pod/${plan.client.namespace}/${plan.client.name}`;
  const ns = pod.spec.hostNetwork ? 'host' : namespaceName(pod);
  return [...podSections(plan.client.namespace ?? '', plan.client.name, ns, `${origin}/state`), ...flowProbes(plan, origin, ns, true)];
}

export function nodeOriginProbes(plan: Plan, node: string): Section[] {
  return [...flowProbes(plan, `node/${node}`, 'host', plan.client.kind === 'Node'), ...reachProbes(plan, node)];
}

/** The other nodes of the flow, each by the address that its pods name as their host's. */
function reachProbes(plan: Plan, node: string): Section[] {
  const pods = [...plan.pods.values()];
  const hosts = nodesOnPath(plan)
    .filter((name) => name !== node)
    .flatMap((name) => pods.find((pod) => pod.spec.nodeName === name && pod.status.hostIP)?.status.hostIP ?? []);
  return hosts.filter((address) => !address.includes(':')).map((address) => nodeReachProbe(node, address));
}

/** The client's own address: its pod's, or, without a network of its own, its node's. */
const ownAddress = (plan: Plan): string | undefined =>
  clientPod(plan)?.status.podIP ?? [...plan.pods.values()].find((pod) => pod.spec.nodeName === plan.client.node)?.status.hostIP;

/** Names, DNS servers, the ClusterIP, endpoints and full-size packets; from the client all of it, from its node only what tells the two apart. */
function flowProbes(plan: Plan, origin: string, ns: string, whole: boolean): Section[] {
  const { service, port } = plan;
  const name = service.metadata.name;
  const absolute = `${name}.${plan.namespace}.svc.${plan.domain}`;
  const short = plan.client.kind === 'Pod' && plan.client.namespace === plan.namespace ? name : `${name}.${plan.namespace}`;
  const dnsIPs = serviceAddresses(plan.dnsService);
  const speaks = port ? speaksOf(service, port, plan) : null;
  const ready = plan.endpoints.filter((endpoint) => endpoint.ready);
  const endpoints = sample(ready.length > 0 ? ready : plan.endpoints.filter((endpoint) => endpoint.serving), mostEndpoints);
  const external = service.spec.type === 'ExternalName' ? (service.spec.externalName ?? '').replace(/\.$/, '') : '';
  const sections: (Section | null)[] = [];
  const isPod = plan.client.kind === 'Pod';
  // A node's own resolver is not the cluster's: only a pod is asked for names.
  if (whole && isPod) sections.push(...nameProbes(origin, ns, short, absolute));
  if (whole && isPod && external !== '') sections.push(...nameProbes(origin, ns, external, external).slice(1));
  if (whole && isPod && external !== '' && port?.protocol === 'TCP') sections.push(connectByNameProbe(origin, ns, external, port.port, 4));
  // A headless or ExternalName Service may have no address of its own: DNS servers are then asked for one that every cluster has.
  const asked = serviceAddresses(service).length > 0 ? absolute : `kubernetes.default.svc.${plan.domain}`;
  if (whole) for (const ip of dnsIPs) sections.push(dnsServerProbe(origin, ns, ip, asked, 6));
  for (const endpoint of sample(plan.dnsEndpoints, 6)) sections.push(dnsServerProbe(origin, ns, endpoint.address, asked, whole ? 2 : 1));
  if (port)
    for (const ip of serviceAddresses(service))
      sections.push(
        connectProbe(
          origin,
          ns,
          'service',
          { address: ip, port: port.port, protocol: port.protocol as 'TCP', speaks },
          whole ? serviceTries : 4,
        ),
      );
  if (port && service.spec.clusterIP === 'None')
    // Without a ClusterIP the client connects to the pod's address with the Service's port.
    for (const endpoint of endpoints.slice(0, 4))
      sections.push(
        connectProbe(origin, ns, 'service', { address: endpoint.address, port: port.port, protocol: port.protocol as 'TCP', speaks }, 2),
      );
  for (const endpoint of endpoints) {
    sections.push(
      connectProbe(
        origin,
        ns,
        'endpoint',
        { address: endpoint.address, port: endpoint.port, protocol: endpoint.protocol as 'TCP', speaks },
        whole ? 2 : 1,
      ),
    );
    // What is sent to one's own address goes by the loopback device and says nothing of the network.
    if (whole && endpoint.address !== ownAddress(plan)) sections.push(sizeProbe(origin, ns, endpoint.address));
  }
  return sections.filter((section) => section !== null);
}

/** From a backend's node: its own way to its pods, and full-size packets from them back to the client. */
export function localProbes(plan: Plan, node: string, local: readonly Endpoint[], clientIP: string | undefined): Section[] {
  const speaks = plan.port ? speaksOf(plan.service, plan.port, plan) : null;
  const absolute = `${plan.service.metadata.name}.${plan.namespace}.svc.${plan.domain}`;
  return local.slice(0, 6).flatMap((endpoint) => {
    const pod = endpoint.pod ? plan.pods.get(`${endpoint.pod.namespace}/${endpoint.pod.name}`) : undefined;
    const isDns = plan.dnsEndpoints.includes(endpoint);
    const reach = isDns
      ? dnsServerProbe(`node/${node}`, 'host', endpoint.address, absolute, 1)
      : connectProbe(
          `node/${node}`,
          'host',
          'endpoint',
          { address: endpoint.address, port: endpoint.port, protocol: endpoint.protocol as 'TCP', speaks },
          1,
        );
    const back =
      pod && !pod.spec.hostNetwork && clientIP && pod !== clientPod(plan)
        ? sizeProbe(`pod/${pod.metadata.namespace}/${pod.metadata.name}`, namespaceName(pod), clientIP)
        : null;
    return [reach, back].filter((section) => section !== null);
  });
}
