import type { Facts } from '../../facts/facts.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import type { Service } from '../../schema/kubernetes.ts';
import { type VirtualAddressWalk, walkVirtualAddress } from '../../walk/service-rules.ts';
import type { Fault } from '../check.ts';
import { fromClient, needsVirtual, originNode } from '../traffic.ts';

/** A Service that the flow goes through by a virtual address: the target, and cluster DNS. */
export interface VirtualService {
  name: string;
  namespace: string;
  service: Service;
  address: string;
  port: number;
  protocol: 'tcp' | 'udp' | 'sctp';
  endpoints: Endpoint[];
  /** The endpoint list was read whole. */
  endpointsComplete: boolean;
}

/** The target and the DNS Service, as far as they were read and have a ClusterIP. */
export function virtualServices(facts: Facts): VirtualService[] {
  const { target, dns } = facts;
  const list: VirtualService[] = [];
  if (target.service.state === 'seen' && target.port && target.endpoints.state === 'seen')
    for (const address of target.addresses)
      list.push({
        name: target.name,
        namespace: target.namespace,
        service: target.service.value,
        address,
        port: target.port.port,
        protocol: target.port.protocol.toLowerCase() as 'tcp',
        endpoints: target.endpoints.value,
        endpointsComplete: target.endpoints.complete,
      });
  if (dns.service.state === 'seen' && dns.endpoints.state === 'seen')
    for (const address of dns.addresses)
      list.push({
        name: dns.service.value.metadata.name,
        namespace: dns.service.value.metadata.namespace ?? '',
        service: dns.service.value,
        address,
        port: 53,
        protocol: 'udp',
        endpoints: dns.endpoints.value,
        endpointsComplete: dns.endpoints.complete,
      });
  return list;
}

export interface WalkedService {
  virtual: VirtualService;
  walk: VirtualAddressWalk | { unknown: string };
}

const memo = new WeakMap<Facts, WalkedService[]>();

/** What the client's node does to the first packet to each virtual address. */
export function walkedServices(facts: Facts): WalkedService[] {
  const known = memo.get(facts);
  if (known) return known;
  const { client } = facts;
  const net = client.node === null ? undefined : facts.nodeNet(client.node);
  const fromPod = client.request.kind === 'Pod' && client.pod?.spec.hostNetwork !== true;
  const walked = virtualServices(facts).map((virtual) => ({
    virtual,
    walk:
      net && client.address
        ? walkVirtualAddress(
            net,
            { source: client.address, address: virtual.address, port: virtual.port, protocol: virtual.protocol },
            fromPod ? 'pod' : 'node',
          )
        : { unknown: 'there is no client whose packets could be followed' },
  }));
  memo.set(facts, walked);
  return walked;
}

/**
 * Endpoints that kube-proxy should use for clients of a node: the ready ones, or, where none is ready, those still serving while they terminate
 * (kube-proxy pkg/proxy/topology.go, Kubernetes 1.26+). With internalTrafficPolicy Local only those of the node.
 */
export function expectedEndpoints(virtual: VirtualService, node: string | null): Endpoint[] {
  const local = virtual.service.spec.internalTrafficPolicy === 'Local';
  const all = local ? virtual.endpoints.filter((endpoint) => endpoint.nodeName === node) : virtual.endpoints;
  const ready = all.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : all.filter((endpoint) => endpoint.serving && endpoint.terminating);
}

/** Probes that go through the address from the client's node. */
export const breaksVirtual = (facts: Facts, address: string): Fault['breaks'] => {
  const needs = needsVirtual(facts, (known) => known === address);
  return (probe) => (fromClient(facts, probe) || originNode(facts, probe) === facts.client.node) && needs(probe);
};

export const nameOf = (virtual: VirtualService): string => `${virtual.namespace}/${virtual.name}`;
export const addressOf = (virtual: VirtualService): string => `${virtual.address}:${virtual.port}/${virtual.protocol.toUpperCase()}`;
