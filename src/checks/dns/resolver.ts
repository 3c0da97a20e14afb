import type { Facts } from '../../facts/facts.ts';
import { observe } from '../../facts/node-facts.ts';
import { isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Nameserver, ResolvConf } from '../../model/dns.ts';
import { type Observed, unknown } from '../../model/observed.ts';
import { parseResolvConf } from '../../parse/resolv-conf.ts';
import { fromClient, hostOf } from '../traffic.ts';

/** Snapshot key of the client pod's resolv.conf (a hostNetwork pod has one of its own too). */
export const resolvConfKey = (facts: Facts): string => `${facts.client.origin}/resolv.conf`;

export function clientResolvConf(facts: Facts): Observed<ResolvConf> {
  if (facts.client.request.kind !== 'Pod') return unknown('unsupported', 'only a pod is expected to ask the cluster DNS');
  const key = resolvConfKey(facts);
  return observe(facts.snapshot.entries.get(key), key, parseResolvConf, false);
}

/** NodeLocal DNSCache listens on a link-local address of each node (kubernetes.io/docs/tasks/administer-cluster/nodelocaldns). */
const isNodeLocal = (address: string): boolean => /^169\.254\./.test(address);

/** Whether a server is the cluster's DNS: its Service, one of its pods, or the node's cache of it. */
export function isClusterDns(facts: Facts, address: string): boolean {
  const pods = facts.dns.endpoints.state === 'seen' ? facts.dns.endpoints.value.map((endpoint) => endpoint.address) : [];
  return facts.dns.addresses.includes(address) || isNodeLocal(address) || pods.includes(address);
}

/** The server that a resolver asks first. It goes on to the next only when no answer comes, never after NXDOMAIN (resolv.conf(5)). */
export const firstNameserver = (conf: ResolvConf): Nameserver | undefined => conf.nameservers.find((server) => server.used);

export const clientNames = (facts: Facts): ProbeResult[] => facts.probesOf('name', facts.client.origin);
export const failingNames = (facts: Facts): ProbeResult[] => clientNames(facts).filter(isFailing);
export const namesWereAsked = (facts: Facts): boolean => clientNames(facts).some((probe) => isFailing(probe) || isPassing(probe));

/** Lookups of names by the client, whichever server they ask. */
export const isClientName =
  (facts: Facts) =>
  (probe: ProbeResult): boolean =>
    probe.stage === 'name' && fromClient(facts, probe);

/** Lookups that need the cluster DNS Service: names that a resolver asked it for, and queries sent to its ClusterIP. */
export const needsClusterDns =
  (facts: Facts) =>
  (probe: ProbeResult): boolean => {
    if (probe.stage === 'dns-server') return facts.dns.addresses.includes(hostOf(probe.target));
    if (probe.stage !== 'name') return false;
    const servers = (probe.lookups ?? []).map((lookup) => lookup.server);
    return servers.length === 0 || servers.some((server) => facts.dns.addresses.includes(server) || isNodeLocal(server));
  };

/** The short name, as an application in the Service's namespace writes it, and the absolute one of the Service. */
export function serviceNames(facts: Facts): { short: ProbeResult | undefined; absolute: ProbeResult | undefined } {
  const names = clientNames(facts);
  return {
    short: names.find((probe) => !probe.target.endsWith('.')),
    absolute: names.find((probe) => probe.target === `${facts.target.name}.${facts.target.namespace}.svc.${facts.dns.domain}.`),
  };
}

export const causesOf = (probe: ProbeResult): Set<string> =>
  new Set(probe.tries.flatMap((item) => (item.cause === null ? [] : [item.cause])));
