import type { Facts } from '../../facts/facts.ts';
import type { NetfilterRuleset } from '../../model/netfilter.ts';
import { apiKey, apiPaths } from '../../model/object-paths.ts';
import { type Observed, seen } from '../../model/observed.ts';
import type { Packet } from '../../model/packet.ts';
import type { Flow } from '../../model/trace.ts';
import { readList, readObject } from '../../parse/objects.ts';
import { type Service, serviceSchema } from '../../schema/kubernetes.ts';
import { rulesets6Of, rulesetsOf } from '../node-rules.ts';
import { nodeStation, podStation, stationsOf } from './stations.ts';
import type { Station, World } from './way.ts';

/** What a walk of a flow looks at; `asked` is filled in when the destination is known. */
export function createWorld(facts: Facts, flow: Flow): World {
  const rulesets = new Map<string, Observed<NetfilterRuleset[]>>();
  return {
    facts,
    flow,
    stations: stationsOf(facts),
    origin: originOf(facts, flow),
    asked: { destination: '', destinationPort: undefined },
    virtualAddresses: new Set(servicesOf(facts).flatMap(addressesOf)),
    rulesets: (station, family) => {
      const key = `${station.key} ${family}`;
      const known = rulesets.get(key) ?? (family === 'ip' ? rulesetsOf(station.net) : rulesets6Of(station.net));
      rulesets.set(key, known);
      return known;
    },
  };
}

function originOf(facts: Facts, { from }: Flow): Station | undefined {
  if (from.kind === 'outside') return undefined;
  if (from.kind === 'node') return nodeStation(facts, from.name);
  const pod = facts.pod(from.namespace, from.name);
  return pod && podStation(facts, pod);
}

/** Every Service that was read: the target's, and lists of whole namespaces. */
export function servicesOf(facts: Facts): Service[] {
  const { service } = facts.target;
  const lists = [...facts.snapshot.entries.keys()].filter((key) => /^api\/api\/v1\/(namespaces\/[^/]+\/)?services$/.test(key));
  const listed = lists.flatMap((key) => {
    const list = readList(facts.snapshot.entries.get(key), serviceSchema);
    return list.state === 'seen' ? list.value : [];
  });
  return [...(service.state === 'seen' ? [service.value] : []), ...listed];
}

export function serviceOf(facts: Facts, namespace: string, name: string): Observed<Service> {
  const known = servicesOf(facts).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const key = apiKey(apiPaths.service(namespace, name));
  return known ? seen(known, key) : readObject(facts.snapshot.entries.get(key), serviceSchema);
}

const addressesOf = ({ spec, status }: Service): string[] =>
  [
    ...(spec.clusterIPs ?? [spec.clusterIP ?? 'None']),
    ...(spec.externalIPs ?? []),
    ...(status?.loadBalancer?.ingress ?? []).flatMap((item) => item.ip ?? []),
  ].filter((address) => address !== '' && address !== 'None');

export const familyOf = (address: string): Packet['family'] => (address.includes(':') ? 'ip6' : 'ip');
