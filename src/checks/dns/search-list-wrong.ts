import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failureEvidence, isFailing, isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import type { Where } from '../../model/check.ts';
import type { ResolvConf } from '../../model/dns.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { podName } from '../app/workload.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { corefilePath, quoteCorefile } from './corefile-lines.ts';
import { causesOf, clientResolvConf, resolvConfKey, serviceNames } from './resolver.ts';

export const searchListWrong = defineCheck({
  meta: {
    id: 'DNS006',
    slug: 'search-list-wrong',
    layer: 'dns',
    title: "The client pod's search list does not lead to the Service's name",
    since: '0.1.0',
    explain: {
      what: 'The absolute name of the Service resolves, the short one does not: no entry of the search list in the resolv.conf of the pod makes the full name out of it.',
      why: "dnsPolicy None or dnsConfig with searches that lack NAMESPACE.svc.CLUSTER-DOMAIN, or kubelet's clusterDomain is not the zone that CoreDNS serves (a node that was set up differently, a cluster whose domain was changed).",
      confirm: [
        'kubectl exec NAME -- cat /etc/resolv.conf',
        'kubectl exec NAME -- getent hosts SERVICE.NAMESPACE.svc.cluster.local.',
        "kubectl get configmap coredns -n kube-system -o jsonpath='{.data.Corefile}'",
      ],
      fix: [
        'Complete dnsConfig.searches: NAMESPACE.svc.CLUSTER-DOMAIN, svc.CLUSTER-DOMAIN, CLUSTER-DOMAIN',
        "Set kubelet's clusterDomain to the zone of the Corefile's kubernetes plugin, restart kubelet, create the pods of that node anew",
      ],
      notThis: [
        'A Service of another namespace needs NAME.NAMESPACE: that is no fault',
        'NXDOMAIN for single entries of the search list is how a resolver walks it',
        'Both names fail: the fault is elsewhere',
      ],
      refs: ['https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/', 'resolv.conf(5)'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const { pod } = facts.client;
    if (facts.client.request.kind !== 'Pod') return skip('the client is no pod');
    const { short, absolute } = serviceNames(facts);
    if (!short || !absolute || short.unknown || absolute.unknown)
      return cannotTell('not-collected', 'the short and the absolute name were not both looked up');
    if (isPassing(short)) return pass('the short name resolves by the search list', short.id);
    if (!isPassing(absolute)) return skip('the absolute name does not resolve either: the search list is not what is wrong');
    const causes = causesOf(short);
    if (!isFailing(short) || [...causes].some((cause) => cause !== 'nxdomain' && cause !== 'no-address'))
      return skip('the short name failed otherwise than by NXDOMAIN: that is not the work of a search list');
    const conf = clientResolvConf(facts);
    if (conf.state !== 'seen') return notSeen(conf);
    if (!pod) return cannotTell('not-collected', 'the client pod was not read');
    const wanted = wantedDomain(facts, short);
    if ((conf.value.search?.domains ?? []).some((domain) => domain.replace(/\.$/, '') === wanted))
      return pass(`the search list has ${wanted}`, resolvConfKey(facts));
    return fail(describe(facts, pod, conf.value, short, wanted));
  },
});

/** What has to be in the search list, so that the name as it was asked becomes the Service's. */
function wantedDomain(facts: Facts, short: ProbeResult): string {
  const whole = `${facts.target.name}.${facts.target.namespace}.svc.${facts.dns.domain}`;
  return whole.startsWith(`${short.target}.`) ? whole.slice(short.target.length + 1) : whole;
}

function describe(facts: Facts, pod: Pod, conf: ResolvConf, short: ProbeResult, wanted: string): Fault {
  const other = otherDomain(conf, wanted, facts.dns.domain);
  const list = conf.search ? `"${conf.search.keyword} ${conf.search.domains.join(' ')}"` : 'no search list';
  const { dnsConfig } = pod.spec;
  return fault({
    title: other
      ? `the search list of pod ${podName(pod)} ends in ${other}, and CoreDNS serves ${facts.dns.domain}: ${short.target} does not resolve, ${short.target}.${wanted} does`
      : `the search list of pod ${podName(pod)} lacks ${wanted} (${list}): ${short.target} does not resolve, ${short.target}.${wanted} does`,
    where: whereOf(pod, other),
    evidence: [
      evidence(resolvConfKey(facts), ...(conf.search ? [conf.search.line] : [])),
      ...(dnsConfig === undefined ? [] : [objectEvidence('pod', pod, '.spec.dnsConfig', dnsConfig)]),
      ...(other ? servedZone(facts) : []),
      failureEvidence(short, 1),
    ],
    next: [
      `kubectl exec -n ${pod.metadata.namespace} ${pod.metadata.name} -- cat /etc/resolv.conf`,
      ...(other && pod.spec.nodeName
        ? [`kubectl get --raw /api/v1/nodes/${pod.spec.nodeName}/proxy/configz`]
        : [`kubectl get pod ${pod.metadata.name} -n ${pod.metadata.namespace} -o jsonpath='{.spec.dnsPolicy} {.spec.dnsConfig}'`]),
    ],
    fix:
      other && pod.spec.dnsPolicy !== 'None'
        ? [
            `set \`clusterDomain: ${facts.dns.domain}\` in the configuration of kubelet on ${pod.spec.nodeName ?? 'the node'}, restart it, and create the pods of the node anew`,
          ]
        : [`put ${wanted} into .spec.dnsConfig.searches, or use \`dnsPolicy: ClusterFirst\`, and create the pod anew`],
    breaks: (probe) => probe.id === short.id,
  });
}

/** The cluster domain that the search list was made with, when it differs only in that. */
function otherDomain(conf: ResolvConf, wanted: string, domain: string): string | null {
  const stem = wanted.slice(0, -domain.length);
  const match = (conf.search?.domains ?? []).find((entry) => stem !== '' && entry.startsWith(stem));
  return match === undefined ? null : match.slice(stem.length);
}

const servedZone = (facts: Facts): EvidenceRef[] => quoteCorefile(facts, corefilePath(facts, 'kubernetes'));

const whereOf = (pod: Pod, other: string | null): Where =>
  other !== null && pod.spec.dnsPolicy !== 'None' && pod.spec.nodeName
    ? { kind: 'kubelet', name: 'clusterDomain', node: pod.spec.nodeName }
    : { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name };
