import { hostOf } from '../checks/traffic.ts';
import type { Facts } from '../facts/facts.ts';
import type { ProbeResult } from '../facts/probe-results.ts';
import type { Flow, FlowSource, FlowTarget } from '../model/trace.ts';

/** Packets of one kind, and the probes that sent them. */
export interface ProbeFlow {
  flow: Flow;
  probes: ProbeResult[];
}

/**
 * The packets that probes send, each kind once, in the order Service, endpoints, DNS, full-size packets. A name is looked up at its resolver's
 * servers; what only reaches a node is none of the flow.
 */
export function flowsOfProbes(facts: Facts, probes: readonly ProbeResult[]): ProbeFlow[] {
  const flows = new Map<string, ProbeFlow>();
  const ordered = stages.flatMap((stage) => probes.filter((probe) => probe.stage === stage));
  for (const probe of ordered)
    for (const flow of flowsOf(facts, probe)) {
      const key = JSON.stringify(flow);
      const known = flows.get(key);
      if (known) known.probes.push(probe);
      else flows.set(key, { flow, probes: [probe] });
    }
  return [...flows.values()];
}

const stages: readonly ProbeResult['stage'][] = ['service', 'endpoint', 'dns-server', 'name', 'payload'];

function flowsOf(facts: Facts, probe: ProbeResult): Flow[] {
  const from = sourceOf(probe);
  const { target } = probe;
  const port = Number(/:(\d+)$/.exec(target)?.[1]);
  switch (probe.stage) {
    case 'service':
      return [{ from, to: serviceOrAddress(facts, hostOf(target), port), protocol: 'tcp', packet: 'first' }];
    case 'endpoint':
      return [{ from, to: { kind: 'address', address: hostOf(target), port }, protocol: 'tcp', packet: 'first' }];
    case 'dns-server':
      return [dnsFlow(facts, from, hostOf(target))];
    case 'name':
      return [...new Set((probe.lookups ?? []).map(({ server }) => server))].map((server) => dnsFlow(facts, from, server));
    case 'payload': {
      const length = probe.payload === undefined ? {} : { length: probe.payload.mtu };
      return [{ from, to: { kind: 'address', address: target, port: undefined }, protocol: 'icmp', packet: 'first', ...length }];
    }
    default:
      return [];
  }
}

const sourceOf = ({ origin }: ProbeResult): FlowSource =>
  origin.kind === 'pod' ? { kind: 'pod', namespace: origin.namespace ?? '', name: origin.name } : { kind: 'node', name: origin.name };

const dnsFlow = (facts: Facts, from: FlowSource, server: string): Flow => ({
  from,
  to: serviceOrAddress(facts, server, 53),
  protocol: 'udp',
  packet: 'first',
});

/** The Service by its name where the address is its ClusterIP, so that the report can say so. */
function serviceOrAddress({ target, dns }: Facts, address: string, port: number): FlowTarget {
  if (target.addresses.includes(address)) return { kind: 'service', namespace: target.namespace, name: target.name, port: String(port) };
  if (dns.addresses.includes(address) && dns.service.state === 'seen')
    return {
      kind: 'service',
      namespace: dns.service.value.metadata.namespace ?? '',
      name: dns.service.value.metadata.name,
      port: String(port),
    };
  return { kind: 'address', address, port };
}
