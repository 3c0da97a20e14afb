import type { Facts } from '../../facts/facts.ts';
import { isFailing, isPassing } from '../../facts/probe-results.ts';
import type { Where } from '../../model/check.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { fromClient, hostOf } from '../traffic.ts';
import { usable } from './dns-pods.ts';
import { type PortStop, type Station, type Walked, walkPort } from './port-walk.ts';
import { clientNames, isClusterDns } from './resolver.ts';
import { stationsTo } from './stations.ts';

export const dnsPortFiltered = defineCheck({
  meta: {
    id: 'DNS007',
    slug: 'dns-port-filtered',
    layer: 'dns',
    title: 'A rule on the way drops or rejects DNS, and lets other traffic through',
    since: '0.1.0',
    explain: {
      what: "A netfilter rule that names port 53 stops the client's queries, or the answers: in the client pod's own namespace, on its node, on the DNS pod's node or in the DNS pods. Other ports on the same way are open.",
      why: 'A firewall or hardening script that wants DNS to go to one resolver only, a sidecar or init container that left rules in the pod, a security agent on the node.',
      confirm: [
        'iptables-save | grep -- "--dport 53"',
        'nft list ruleset | grep -w 53',
        'nsenter -t PID -n iptables-save',
        'dig +tries=1 +time=2 @COREDNS-POD-IP kubernetes.default.svc.cluster.local',
      ],
      fix: [
        'Remove the rule, at its source: what wrote it will write it again',
        'Allow UDP and TCP 53 to the DNS pods and to the ClusterIP of the DNS Service',
      ],
      notThis: [
        'A DROP that hits other ports too: CNI011',
        "kube-proxy's REJECT for a Service without endpoints: DNS001, DNS002",
        'Only one of several DNS pods drops queries in its own namespace: DNS008',
      ],
      refs: ['iptables(8)', 'nft(8)', 'RFC 7766 (DNS over TCP is required)'],
    },
  },
  needs: (facts) => [facts.dns.service, facts.dns.endpoints],
  judge: (facts) => {
    const { endpoints } = facts.dns;
    if (endpoints.state !== 'seen') return notSeen(endpoints);
    if (!facts.client.net || facts.client.address === undefined) return skip('there is no client whose packets could be followed');
    const servers = usable(endpoints.value);
    if (servers.length === 0) return skip('the cluster DNS has no ready endpoint: there is no way to follow');
    const { stops, unknown } = walkAll(facts, facts.client.address, servers);
    const counted = stops.filter((stop) => !isOneOfSeveral(stop, stops, servers));
    if (counted.length > 0) return fail(...groupByStation(counted).map((group) => describe(facts, group)));
    const lookups = facts.probes.filter((probe) => (probe.stage === 'name' || probe.stage === 'dns-server') && fromClient(facts, probe));
    if (lookups.some(isPassing) && !lookups.some(isFailing))
      return pass(
        'queries from the client to port 53 are answered',
        lookups
          .filter(isPassing)
          .map((probe) => probe.target)
          .join(', '),
      );
    const first = unknown.find((item) => !item.partly) ?? unknown[0];
    if (first) return cannotTell(first.reason, `rules of ${first.station.name}: ${first.detail}`);
    return pass(
      'no rule on the way to the DNS pods stops port 53',
      `netfilter rules of ${[...new Set(servers.flatMap((endpoint) => stationsTo(facts, endpoint).map((station) => station.name)))].join(', ')}`,
    );
  },
});

/** Every station once, with the servers whose queries pass it. */
function walkAll(facts: Facts, client: string, servers: readonly Endpoint[]): Walked {
  const passing = new Map<string, { station: Station; servers: string[] }>();
  for (const endpoint of servers)
    for (const station of stationsTo(facts, endpoint)) {
      const key = `${station.net.prefix} ${station.passes}`;
      const known = passing.get(key);
      if (known) known.servers.push(endpoint.address);
      // The ClusterIP is only seen on the client's side of the translation.
      else
        passing.set(key, {
          station,
          servers: [...(station.node === facts.client.node && station.passes !== 'receives' ? facts.dns.addresses : []), endpoint.address],
        });
    }
  const walked = [...passing.values()].map((item) => walkPort(item.station, client, item.servers));
  return { stops: walked.flatMap((item) => item.stops), unknown: walked.flatMap((item) => item.unknown) };
}

/** A DNS pod that filters in its own namespace while others don't is a bad pod among good ones (DNS008). */
const isOneOfSeveral = (stop: PortStop, stops: readonly PortStop[], servers: readonly Endpoint[]): boolean =>
  stop.station.kind === 'dns-pod' &&
  new Set(stops.filter((other) => other.station.kind === 'dns-pod').map((other) => other.server)).size < servers.length;

function groupByStation(stops: readonly PortStop[]): [PortStop, ...PortStop[]][] {
  const groups = new Map<string, [PortStop, ...PortStop[]]>();
  for (const stop of stops) {
    const key = stop.station.net.prefix;
    const group = groups.get(key);
    if (group) group.push(stop);
    else groups.set(key, [stop]);
  }
  return [...groups.values()];
}

function describe(facts: Facts, group: [PortStop, ...PortStop[]]): Fault {
  const [first] = group;
  const { station, decision } = first;
  const rules = [...new Map(group.map((stop) => [`${stop.decision.table} ${stop.decision.chain} ${stop.decision.line}`, stop])).values()];
  const protocols = [...new Set(group.map((stop) => stop.protocol.toUpperCase()))];
  const udp = group.filter((stop) => stop.protocol === 'udp');
  const verb = first.rejectWith === null ? 'drops' : 'rejects';
  const only = udp.length === 0 ? ': answers that are too long for UDP never arrive' : '';
  return fault({
    title: `${station.name} ${verb} DNS (${protocols.join(' and ')} port 53) by "${decision.text}" in ${decision.table} ${decision.chain}, and lets other ports through${only}`,
    where: whereOf(station, first),
    evidence: [...new Map(rules.map((stop) => [JSON.stringify(stop.evidence), stop.evidence])).values()].slice(0, 4),
    next: station.net.prefix.startsWith('node/')
      ? [
          `kubectl debug node/${station.node} -it --image=nicolaka/netshoot --profile=netadmin -- ${decision.source === 'nft' ? 'nft list ruleset' : 'iptables-save -c'} | grep -w 53`,
        ]
      : [
          `kubectl debug ${station.name.replace('pod ', '-n ').replace('/', ' ')} -it --image=nicolaka/netshoot --profile=netadmin -- ${decision.source === 'nft' ? 'nft list ruleset' : 'iptables-save -c'} | grep -w 53`,
        ],
    fix: [`remove the rule from ${decision.table} ${decision.chain} on ${station.name}, and what writes it; allow UDP and TCP port 53`],
    breaks: breaksOf(facts, station, udp),
  });
}

/** Queries go by UDP. A rule in the DNS pods' own namespace meets everybody's, any other one only the client's. */
function breaksOf(facts: Facts, station: Station, udp: readonly PortStop[]): Fault['breaks'] {
  const servers = new Set(udp.map((stop) => stop.server));
  const asked = new Set(
    clientNames(facts)
      .filter((probe) => isFailing(probe))
      .map((probe) => probe.id),
  );
  return (probe) => {
    if (servers.size === 0 || (!fromClient(facts, probe) && station.kind !== 'dns-pod')) return false;
    if (probe.stage === 'dns-server') return servers.has(hostOf(probe.target)) || facts.dns.addresses.includes(hostOf(probe.target));
    return probe.stage === 'name' && asked.has(probe.id) && (probe.lookups ?? []).some((lookup) => isClusterDns(facts, lookup.server));
  };
}

const whereOf = (station: Station, { decision }: PortStop): Where => ({
  kind: decision.source === 'nft' ? 'nft rule' : 'iptables rule',
  name: `${decision.table} ${decision.chain}${station.net.prefix.startsWith('pod/') ? ` in ${station.name}` : ''}`,
  ...(station.node === null ? {} : { node: station.node }),
});
