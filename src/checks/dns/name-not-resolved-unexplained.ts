import type { Facts } from '../../facts/facts.ts';
import { failed, failureEvidence, isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { parseCorednsLog } from '../../parse/coredns-log.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { fromClient, hostOf } from '../traffic.ts';
import { dnsPods, serviceWhere } from './dns-pods.ts';
import { causesOf, clientNames } from './resolver.ts';

export const nameNotResolvedUnexplained = defineCheck({
  meta: {
    id: 'DNS010',
    slug: 'name-not-resolved-unexplained',
    layer: 'dns',
    title: 'The name does not resolve, and nothing that was read says why',
    since: '0.1.0',
    explain: {
      what: 'Lookups from the client fail, and no other check explains them. What the probes themselves say narrows it down: no answer at all, a refusal, NXDOMAIN from the cluster DNS although the Service is there, or SERVFAIL.',
      why: 'Something that k8snet does not look at or could not see: a cloud firewall, a network policy that a CNI keeps in eBPF, CoreDNS that lost its watch of the API, an overloaded DNS pod, packets lost by chance.',
      confirm: [
        'dig +tries=1 +time=2 @10.96.0.10 SERVICE.NAMESPACE.svc.cluster.local',
        'dig +tries=1 +time=2 @COREDNS-POD-IP SERVICE.NAMESPACE.svc.cluster.local',
        'kubectl logs -n kube-system -l k8s-app=kube-dns --tail=100',
      ],
      fix: [
        "The pods answer and the ClusterIP does not: look at kube-proxy and conntrack on the client's node",
        'NXDOMAIN for a Service that exists: look whether CoreDNS reaches the API (its log names "plugin/kubernetes"), and restart it',
        'Nothing answers: capture with `tcpdump -ni any port 53` on both nodes',
      ],
      notThis: ['One failing lookup of many under load', 'NXDOMAIN for single entries of the search list'],
      refs: ['https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    if (facts.client.origin === '') return skip('there is no client');
    const asked = lookupsOf(facts);
    const failing = asked.filter(isFailing);
    if (failing.length > 0) return fail(describe(facts, failing));
    const unknown = asked.find((probe) => probe.unknown !== null);
    if (asked.length === 0 || unknown)
      return cannotTell(unknown?.unknown?.reason ?? 'not-collected', unknown?.unknown?.detail ?? 'no name was looked up');
    return pass('every lookup from the client succeeds', asked.map((probe) => probe.target).join(', '));
  },
});

const lookupsOf = (facts: Facts): ProbeResult[] => [...clientNames(facts), ...facts.probesOf('dns-server', facts.client.origin)];

function describe(facts: Facts, failing: readonly ProbeResult[]): Fault {
  const shown = failing.find((probe) => probe.stage === 'name') ?? (failing[0] as ProbeResult);
  const names = failing.filter((probe) => probe.stage === 'name').map((probe) => probe.target);
  const what =
    names.length > 0
      ? `${names.join(' and ')} ${names.length === 1 ? 'does' : 'do'} not resolve`
      : `DNS server ${hostOf(shown.target)} does not answer every query`;
  return fault({
    title: `${what} from ${facts.client.origin.replace('/', ' ')} (${summaryOf(facts, failing)}), and nothing that was read explains it`,
    where: serviceWhere(facts),
    evidence: [...failing.slice(0, 3).map((probe) => failureEvidence(probe, 1)), ...apiComplaints(facts)],
    next: [
      `kubectl logs -n kube-system -l k8s-app=kube-dns --tail=100`,
      `dig +tries=1 +time=2 @${facts.dns.addresses[0] ?? 'CLUSTER-DNS'} ${facts.target.name}.${facts.target.namespace}.svc.${facts.dns.domain}`,
    ],
    fix: [
      'compare the answers of the ClusterIP with those of each DNS pod, from the client and from its node; capture port 53 where they differ',
    ],
    breaks: (probe) => (probe.stage === 'name' || probe.stage === 'dns-server') && fromClient(facts, probe),
  });
}

/** What the probes tell together: who answers, and what. */
function summaryOf(facts: Facts, failing: readonly ProbeResult[]): string {
  const servers = facts.probesOf('dns-server', facts.client.origin).filter((probe) => probe.unknown === null);
  const service = servers.filter((probe) => facts.dns.addresses.includes(hostOf(probe.target)));
  const pods = servers.filter((probe) => !facts.dns.addresses.includes(hostOf(probe.target)));
  const causes = [...new Set(failing.flatMap((probe) => [...causesOf(probe)]))].join(', ');
  const tries = failing.reduce((sum, probe) => sum + failed(probe).length, 0);
  if (service.some(isFailing) && pods.length > 0 && pods.every(isPassing))
    return `${causes}; every DNS pod answers by itself, ${facts.dns.addresses.join(', ')} does not`;
  if (pods.length > 0 && pods.every(isFailing)) return `${causes}; no DNS pod that was asked answers either`;
  return `${causes}; ${tries} ${tries === 1 ? 'try' : 'tries'} failed`;
}

/** Lines in which CoreDNS says that it does not know the cluster's objects. */
function apiComplaints(facts: Facts): EvidenceRef[] {
  for (const pod of dnsPods(facts)) {
    const key = `pod/${pod.metadata.namespace}/${pod.metadata.name}/log`;
    const entry = facts.snapshot.entries.get(key);
    if (!entry || entry.failure) continue;
    const found = parseCorednsLog(entry.stdout).value.entries.findLast((item) =>
      /Failed to (?:list|watch)|unsynced Kubernetes API|Still waiting on: "kubernetes"/.test(item.message),
    );
    if (found) return [evidence(key, found.line)];
  }
  return [];
}
