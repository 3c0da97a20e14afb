import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failureEvidence, isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Where } from '../../model/check.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { parseCorednsLog } from '../../parse/coredns-log.ts';
import { parseResolvConf } from '../../parse/resolv-conf.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { fromClient, hostOf } from '../traffic.ts';
import { quoteCorefile, upstreams } from './corefile-lines.ts';
import { dnsPods, usable } from './dns-pods.ts';
import { causesOf, clientNames, isClusterDns } from './resolver.ts';

export const dnsUpstreamFailing = defineCheck({
  meta: {
    id: 'DNS009',
    slug: 'dns-upstream-failing',
    layer: 'dns',
    title: 'The resolver that CoreDNS forwards to does not answer',
    since: '0.1.0',
    explain: {
      what: 'The Service is an ExternalName: its name leads to a name outside the cluster, which CoreDNS asks its upstream resolver for. CoreDNS answers SERVFAIL or too late, because that resolver does not answer; names of the cluster itself resolve.',
      why: "The resolv.conf of the nodes, which `forward . /etc/resolv.conf` takes over, names a resolver that is gone or can't be reached from pods; egress to port 53 is filtered; one of several upstreams is dead (CoreDNS picks them at random).",
      confirm: [
        'kubectl logs -n kube-system -l k8s-app=kube-dns | grep plugin/errors',
        "kubectl get configmap coredns -n kube-system -o jsonpath='{.data.Corefile}'",
        'dig +tries=1 +time=2 @UPSTREAM NAME',
      ],
      fix: [
        'Name working resolvers: in the resolv.conf that kubelet takes (resolvConf), or in the Corefile (`forward . ADDRESS ADDRESS`), then start CoreDNS anew',
        'Open UDP and TCP 53 from the CoreDNS pods to the upstream',
      ],
      notThis: [
        'NXDOMAIN: the upstream answers, the name is wrong',
        '`HINFO … i/o timeout` alone at the start of CoreDNS: its loop probe',
        'No name resolves at all: DNS001 to DNS008',
      ],
      refs: [
        'https://coredns.io/plugins/forward/',
        'https://github.com/coredns/coredns/issues/5352',
        'https://kubernetes.io/docs/concepts/services-networking/service/#externalname',
      ],
    },
  },
  needs: (facts) => [facts.target.service],
  judge: (facts) => {
    const { service } = facts.target;
    if (service.state !== 'seen') return notSeen(service);
    const external = service.value.spec.type === 'ExternalName' ? (service.value.spec.externalName ?? '').replace(/\.$/, '') : '';
    if (external === '') return skip('the Service is no ExternalName: its name needs no upstream resolver');
    const probe = clientNames(facts).find((item) => item.target === `${external}.`);
    if (!probe || probe.unknown) return cannotTell(probe?.unknown?.reason ?? 'not-collected', `${external} was not looked up`);
    if (isPassing(probe)) return pass(`${external} resolves through the cluster DNS`, probe.id);
    if ((probe.lookups ?? []).every((lookup) => !isClusterDns(facts, lookup.server)))
      return skip('the client does not ask the cluster DNS');
    const causes = [...causesOf(probe)];
    if (!isFailing(probe) || !causes.some((cause) => cause === 'servfail' || cause === 'timeout' || cause === 'dns-refused'))
      return skip(`the cluster DNS answers for ${external} (${causes.join(', ')}): the upstream is there`);
    const complaint = complaintOf(facts, external);
    // Silence may as well be lost on the way to CoreDNS; only CoreDNS itself can tell then.
    if (!complaint && !causes.includes('servfail'))
      return cannotTell('not-collected', `${external} got no answer, and no log of CoreDNS says why`);
    return fail(describe(facts, external, probe, complaint));
  },
});

interface Complaint {
  upstream: string | undefined;
  words: string;
  evidence: EvidenceRef;
}

/** `[ERROR] plugin/errors: 2 www.example.com. A: read udp 10.244.1.8:36807->192.0.2.53:53: i/o timeout` of this name. */
function complaintOf(facts: Facts, external: string): Complaint | null {
  for (const pod of dnsPods(facts)) {
    const key = `pod/${pod.metadata.namespace}/${pod.metadata.name}/log`;
    const entry = facts.snapshot.entries.get(key);
    if (!entry || entry.failure) continue;
    const found = parseCorednsLog(entry.stdout).value.entries.findLast(
      (item) => item.failed && item.failed.name.replace(/\.$/, '') === external,
    );
    if (found?.failed) return { upstream: found.failed.upstream, words: found.failed.failure.text, evidence: evidence(key, found.line) };
  }
  return null;
}

function describe(facts: Facts, external: string, probe: ProbeResult, complaint: Complaint | null): Fault {
  const to = upstreams(facts);
  const configured = to.flatMap((item) => item.to).join(' ');
  const named = complaint?.upstream;
  return fault({
    title: `CoreDNS gets no answer for ${external}${named ? ` from its upstream ${named}` : ''}${complaint ? ` (${complaint.words.slice(-120)})` : ` from its upstream${configured ? ` (forward . ${configured})` : ''}`}: names outside the cluster do not resolve`,
    where: whereOf(facts, named, configured),
    evidence: [
      ...(complaint ? [complaint.evidence] : []),
      ...quoteCorefile(
        facts,
        to.map((item) => item.line),
      ),
      ...resolvConfOfDns(facts),
      failureEvidence(probe, 1),
      ...externalName(facts),
    ],
    next: [
      'kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50',
      ...dnsPods(facts)
        .slice(0, 1)
        .map(
          (pod) =>
            `kubectl debug -n ${pod.metadata.namespace} ${pod.metadata.name} -it --image=nicolaka/netshoot -- dig +tries=1 +time=2 @${named ? named.replace(/:\d+$/, '') : 'UPSTREAM'} ${external}`,
        ),
    ],
    fix: [
      `make ${named ?? 'the upstream resolver'} answer the CoreDNS pods, or name another resolver in ${configured.startsWith('/') ? "the resolv.conf that kubelet takes, or in the Corefile's forward line" : "the Corefile's forward line"}, and start CoreDNS anew`,
    ],
    breaks: breaksOf(facts),
  });
}

/** Every lookup of this Service's name ends in the external one, the queries to DNS servers too. */
const breaksOf = (facts: Facts): Fault['breaks'] => {
  const servers = new Set([
    ...facts.dns.addresses,
    ...usable(facts.dns.endpoints.state === 'seen' ? facts.dns.endpoints.value : []).map((endpoint) => endpoint.address),
  ]);
  return (probe) =>
    (probe.stage === 'name' && fromClient(facts, probe)) || (probe.stage === 'dns-server' && servers.has(hostOf(probe.target)));
};

const whereOf = (facts: Facts, named: string | undefined, configured: string): Where =>
  named !== undefined
    ? { kind: 'resolver', name: named }
    : configured.startsWith('/') || facts.dns.corefile.state !== 'seen'
      ? { kind: 'resolver', name: configured || 'upstream of CoreDNS' }
      : { kind: 'ConfigMap', namespace: 'kube-system', name: 'coredns' };

/** The resolv.conf that CoreDNS forwards by, where it was read. */
function resolvConfOfDns(facts: Facts): EvidenceRef[] {
  for (const pod of dnsPods(facts)) {
    const key = `pod/${pod.metadata.namespace}/${pod.metadata.name}/resolv.conf`;
    const entry = facts.snapshot.entries.get(key);
    if (!entry || entry.failure) continue;
    const lines = parseResolvConf(entry.stdout).value.nameservers.map((server) => server.line);
    if (lines.length > 0) return [evidence(key, ...lines)];
  }
  return [];
}

const externalName = (facts: Facts): EvidenceRef[] =>
  facts.target.service.state === 'seen'
    ? [objectEvidence('service', facts.target.service.value, '.spec.externalName', facts.target.service.value.spec.externalName ?? '')]
    : [];
