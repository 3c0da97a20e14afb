import { type Facts, originKey } from '../../facts/facts.ts';
import { failed, failureEvidence, isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { hostOf } from '../traffic.ts';
import { usable } from './dns-pods.ts';
import { type PortStop, walkPort } from './port-walk.ts';
import { needsClusterDns } from './resolver.ts';
import { ownStation, podOf } from './stations.ts';

export const dnsPodBad = defineCheck({
  meta: {
    id: 'DNS008',
    slug: 'dns-pod-bad',
    layer: 'dns',
    title: 'One of several DNS pods does not answer',
    since: '0.1.0',
    explain: {
      what: 'Queries sent to each DNS pod directly show one that never answers while others always do. The DNS Service spreads queries over them, so that a share of all lookups fails or takes seconds; a retry does not help, since the resolver repeats from the same port and conntrack sends it to the same pod.',
      why: 'A CoreDNS process that hangs or is starved, rules inside the pod, a readiness probe that asks another port and does not notice.',
      confirm: [
        'kubectl get endpointslices -n kube-system -l kubernetes.io/service-name=kube-dns',
        'for i in 1 2 3 4 5; do dig +tries=1 +time=2 @DNS-POD-IP kubernetes.default.svc.cluster.local; done',
        'kubectl logs -n kube-system DNS-POD',
      ],
      fix: ['Delete the pod: its Deployment makes a new one', 'Make the readiness probe of CoreDNS ask the `ready` plugin on port 8181'],
      notThis: [
        'The path to that pod: from its own node it answers (see the CNI checks)',
        'Answers that come late: CoreDNS is overloaded or its upstream is slow (DNS009)',
        'Lookups that recover after one 5 s step',
      ],
      refs: ['https://github.com/kubernetes/kubernetes/issues/45976', 'https://coredns.io/plugins/ready/'],
    },
  },
  needs: (facts) => [facts.dns.endpoints],
  judge: (facts) => {
    const { endpoints } = facts.dns;
    if (endpoints.state !== 'seen') return notSeen(endpoints);
    const servers = usable(endpoints.value);
    if (servers.length < 2) return skip('the cluster DNS has no more than one pod');
    const asked = servers.map((endpoint) => ({ endpoint, probe: directProbe(facts, endpoint) }));
    const silent = asked.filter(({ probe }) => probe && isFailing(probe) && isSilent(probe));
    if (silent.length === 0) {
      const unasked = asked.find(({ probe }) => !probe || probe.unknown !== null);
      return unasked
        ? cannotTell(unasked.probe?.unknown?.reason ?? 'not-collected', `DNS pod ${unasked.endpoint.address} was not asked directly`)
        : pass('every DNS pod answers by itself', asked.map(({ endpoint }) => `dig @${endpoint.address}`).join(', '));
    }
    if (!asked.some(({ probe }) => probe && isPassing(probe))) return skip('no DNS pod answers the client: it is not one of several');
    const judged = silent.map(({ endpoint, probe }) => ({
      endpoint,
      probe: probe as ProbeResult,
      own: witness(facts, endpoint),
      stops: ownStops(facts, endpoint),
    }));
    const bad = judged.filter(({ own, stops }) => stops.length > 0 || (own !== undefined && isFailing(own) && isSilent(own)));
    if (bad.length > 0) return fail(...bad.map((item) => describe(facts, item, servers.length)));
    const reached = judged.find(({ own }) => own !== undefined && isPassing(own));
    if (reached)
      return skip(`DNS pod ${reached.endpoint.address} answers its own node: the way from the client to it is at fault, not the pod`);
    return cannotTell(
      'not-collected',
      `DNS pod ${judged[0]?.endpoint.address} does not answer the client, and it was not asked from its own node: the pod or the way to it`,
    );
  },
});

interface Bad {
  endpoint: Endpoint;
  probe: ProbeResult;
  own: ProbeResult | undefined;
  stops: PortStop[];
}

const directProbe = (facts: Facts, endpoint: Endpoint): ProbeResult | undefined =>
  facts.probesOf('dns-server', facts.client.origin).find((probe) => hostOf(probe.target) === endpoint.address);

/** No answer to any try; NXDOMAIN and SERVFAIL are answers. */
const isSilent = (probe: ProbeResult): boolean =>
  failed(probe).length === probe.tries.length &&
  failed(probe).every((item) => item.cause === 'timeout' || item.cause === 'refused' || item.cause === 'admin-prohibited');

/** The same question from the DNS pod's own node: no way between nodes is left that could be at fault. */
function witness(facts: Facts, endpoint: Endpoint): ProbeResult | undefined {
  const node = endpoint.nodeName ?? podOf(facts, endpoint)?.spec.nodeName;
  return facts.probes.find(
    (probe) => probe.stage === 'dns-server' && originKey(probe) === `node/${node}` && hostOf(probe.target) === endpoint.address,
  );
}

function ownStops(facts: Facts, endpoint: Endpoint): PortStop[] {
  const station = ownStation(facts, endpoint);
  if (!station || facts.client.address === undefined) return [];
  return walkPort(station, facts.client.address, [endpoint.address]).stops.filter((stop) => stop.protocol === 'udp');
}

function describe(facts: Facts, { endpoint, probe, own, stops }: Bad, count: number): Fault {
  const pod = podOf(facts, endpoint);
  const name = pod ? `${pod.metadata.namespace}/${pod.metadata.name}` : endpoint.address;
  const stop = stops[0];
  const why = stop
    ? `: its own rule "${stop.decision.text}" (${stop.decision.table} ${stop.decision.chain}) stops queries`
    : ', not even from its own node';
  const proof: EvidenceRef[] = [
    ...stops.map((item) => item.evidence),
    failureEvidence(probe, 2),
    ...(own && isFailing(own) ? [failureEvidence(own, 1)] : []),
  ];
  return fault({
    title: `DNS pod ${name} (${endpoint.address}), 1 of ${count} behind ${facts.dns.addresses[0] ?? 'the DNS Service'}, does not answer${why}; the others do, so that a share of all lookups fails`,
    where: pod
      ? {
          kind: 'Pod',
          namespace: pod.metadata.namespace ?? '',
          name: pod.metadata.name,
          ...(pod.spec.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
        }
      : { kind: 'Endpoint', name: endpoint.address },
    evidence: [...new Map(proof.map((item) => [JSON.stringify(item), item])).values()],
    next: pod
      ? [
          `kubectl logs -n ${pod.metadata.namespace} ${pod.metadata.name} --tail=50`,
          `kubectl exec -n ${facts.client.request.namespace ?? 'default'} ${facts.client.request.name} -- dig +tries=1 +time=2 @${endpoint.address} kubernetes.default.svc.${facts.dns.domain}`,
        ]
      : [],
    fix: pod
      ? [
          `kubectl delete pod -n ${pod.metadata.namespace} ${pod.metadata.name}`,
          'let the readiness probe ask what DNS depends on (port 8181, /ready)',
        ]
      : [],
    breaks: (other) => needsClusterDns(facts)(other) || (other.stage === 'dns-server' && hostOf(other.target) === endpoint.address),
  });
}
