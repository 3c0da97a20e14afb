import type { Facts } from '../../facts/facts.ts';
import { observe } from '../../facts/node-facts.ts';
import type { NetfilterRuleset } from '../../model/netfilter.ts';
import { apiKey, apiPaths } from '../../model/object-paths.ts';
import { type Observed, seen } from '../../model/observed.ts';
import type { Packet } from '../../model/packet.ts';
import type { Flow } from '../../model/trace.ts';
import { parseIptablesSave } from '../../parse/iptables-save.ts';
import { readList, readObject } from '../../parse/objects.ts';
import { type Service, serviceSchema } from '../../schema/kubernetes.ts';
import { withoutTablesOf } from '../netfilter.ts';
import { rulesetsOf } from '../node-rules.ts';
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
      const known = rulesets.get(key) ?? (family === 'ip' ? rulesetsOf(station.net) : rulesets6(station));
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

/** The IPv6 rules: ip6tables-save, and the native tables of nft; the legacy backend's are not read. */
function rulesets6({ key, net }: Station): Observed<NetfilterRuleset[]> {
  const saved = observe(
    net.entry('ip6tables-save'),
    `${key}/ip6tables-save`,
    (text) => parseIptablesSave(text, { source: 'iptables-nft', family: 'ip6' }),
    true,
  );
  const nft = net.nft();
  if (saved.state !== 'seen') return saved;
  const native = nft.state === 'seen' ? [withoutTablesOf(nft.value, [saved.value])] : [];
  return seen([saved.value, ...native], saved.from, saved.complete && nft.state === 'seen' && nft.complete);
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
