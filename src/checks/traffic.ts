import { type Facts, originKey } from '../facts/facts.ts';
import type { ProbeResult } from '../facts/probe-results.ts';
import type { Endpoint } from '../model/endpoints.ts';

/** What a probe needs to succeed: virtual addresses that kube-proxy translates, and pod or node addresses that packets are sent to. */
export interface Dependencies {
  virtual: string[];
  addresses: string[];
}

export const hostOf = (target: string): string => target.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/** Follows a probe down the tree: a name rides on the DNS Service, a Service on its endpoints. */
export function dependenciesOf(facts: Facts, probe: ProbeResult): Dependencies {
  const endpoints = addressesOf(facts.target.endpoints.state === 'seen' ? facts.target.endpoints.value : []);
  const dns = addressesOf(facts.dns.endpoints.state === 'seen' ? facts.dns.endpoints.value : []);
  const host = hostOf(probe.target);
  switch (probe.stage) {
    case 'name':
      return { virtual: facts.dns.addresses, addresses: dns };
    case 'dns-server':
      return facts.dns.addresses.includes(host) ? { virtual: [host], addresses: dns } : { virtual: [], addresses: [host] };
    case 'service':
      return facts.target.addresses.includes(host) ? { virtual: [host], addresses: endpoints } : { virtual: [], addresses: [host] };
    default:
      return { virtual: [], addresses: [host] };
  }
}

const addressesOf = (endpoints: readonly Endpoint[]): string[] =>
  endpoints.filter((endpoint) => endpoint.ready || endpoint.serving).map((endpoint) => endpoint.address);

/** The node that a probe starts on. */
export const originNode = (facts: Facts, probe: ProbeResult): string | null =>
  probe.origin.kind === 'node' ? probe.origin.name : (facts.pod(probe.origin.namespace ?? '', probe.origin.name)?.spec.nodeName ?? null);

/** Probes from the client or its node that need one of these addresses. */
export const needsAddress =
  (facts: Facts, matches: (address: string, probe: ProbeResult) => boolean) =>
  (probe: ProbeResult): boolean =>
    dependenciesOf(facts, probe).addresses.some((address) => matches(address, probe));

/** Probes that go through a virtual address, from a given node (or any). */
export const needsVirtual =
  (facts: Facts, matches: (address: string, probe: ProbeResult) => boolean) =>
  (probe: ProbeResult): boolean =>
    dependenciesOf(facts, probe).virtual.some((address) => matches(address, probe));

export const fromClient = (facts: Facts, probe: ProbeResult): boolean => originKey(probe) === facts.client.origin;

/** Endpoints of the Service and of cluster DNS together: every pod that the flow may reach. */
export const flowEndpoints = (facts: Facts): (Endpoint & { dns: boolean })[] => [
  ...(facts.target.endpoints.state === 'seen' ? facts.target.endpoints.value : []).map((endpoint) => ({ ...endpoint, dns: false })),
  ...(facts.dns.endpoints.state === 'seen' ? facts.dns.endpoints.value : []).map((endpoint) => ({ ...endpoint, dns: true })),
];

/** Nodes that the flow passes, the client's first. */
export const flowNodes = (facts: Facts): string[] => [
  ...new Set([facts.client.node, ...flowEndpoints(facts).map((endpoint) => endpoint.nodeName)].filter((name) => name !== null)),
];

/** Every connection through the target Service; for one without a ClusterIP its name too, which has no address left to give. */
export const breaksTarget = (facts: Facts): ((probe: ProbeResult) => boolean) => {
  const virtual = needsVirtual(facts, (address) => facts.target.addresses.includes(address));
  return (probe) => probe.stage === 'service' || (facts.target.addresses.length === 0 && probe.stage === 'name') || virtual(probe);
};
