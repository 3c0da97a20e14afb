import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failureEvidence } from '../../facts/probe-results.ts';
import type { Where } from '../../model/check.ts';
import type { Nameserver } from '../../model/dns.ts';
import { evidence } from '../../model/evidence.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { podName } from '../app/workload.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { clientResolvConf, failingNames, firstNameserver, isClientName, isClusterDns, namesWereAsked, resolvConfKey } from './resolver.ts';

export const podNameserverNotClusterDns = defineCheck({
  meta: {
    id: 'DNS004',
    slug: 'pod-nameserver-not-cluster-dns',
    layer: 'dns',
    title: "The client pod's resolv.conf names a server that is not the cluster DNS",
    since: '0.1.0',
    explain: {
      what: "The first nameserver of the pod's resolv.conf is neither the ClusterIP of the DNS Service, nor one of its pods, nor a node-local cache. Nobody may own the address (every lookup times out), or a foreign resolver answers NXDOMAIN for names of Services.",
      why: "dnsPolicy None with nameservers of its own; kubelet's clusterDNS set to another address than the DNS Service has; or the DNS Service was created anew with another ClusterIP, and pods that were there before kept their file.",
      confirm: [
        'kubectl exec NAME -- cat /etc/resolv.conf',
        "kubectl get service kube-dns -n kube-system -o jsonpath='{.spec.clusterIP}'",
        'kubectl get --raw /api/v1/nodes/NODE/proxy/configz',
      ],
      fix: [
        'dnsPolicy None: name the ClusterIP of the DNS Service in dnsConfig.nameservers, or use ClusterFirst',
        "kubelet: set clusterDNS to the DNS Service's ClusterIP, restart kubelet, create the pods anew",
        'Pods older than the DNS Service: create them anew',
      ],
      notThis: [
        '169.254.20.10 and other link-local addresses: NodeLocal DNSCache',
        'dnsPolicy Default, or hostNetwork with ClusterFirst: DNS005',
        'A resolver of your own that forwards cluster names: then names resolve, and nothing is reported',
      ],
      refs: [
        'https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config',
        'https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/',
      ],
    },
  },
  needs: (facts) => (facts.client.request.kind === 'Pod' ? [facts.dns.service, clientResolvConf(facts)] : []),
  judge: (facts) => {
    const { pod } = facts.client;
    const conf = clientResolvConf(facts);
    if (facts.client.request.kind !== 'Pod') return skip('the client is no pod');
    if (conf.state !== 'seen' || facts.dns.service.state !== 'seen') return notSeen(conf.state !== 'seen' ? conf : facts.dns.service);
    if (!pod) return cannotTell('not-collected', 'the client pod was not read');
    const server = firstNameserver(conf.value);
    if (server && isClusterDns(facts, server.address))
      return pass(`the client asks the cluster DNS (${server.address})`, `${resolvConfKey(facts)}, line ${server.line}`);
    if (facts.dns.endpoints.state !== 'seen' && server) return notSeen(facts.dns.endpoints);
    if (!namesWereAsked(facts)) return cannotTell('not-collected', 'no name was looked up from the client pod');
    if (failingNames(facts).length === 0)
      return pass('the name resolves by the server that the client asks', 'lookups from the client pod');
    if (!server && !conf.complete) return cannotTell('unparsed', "not every line of the client's resolv.conf was understood");
    return fail(describe(facts, pod, server));
  },
});

function describe(facts: Facts, pod: Pod, server: Nameserver | undefined): Fault {
  const cluster = facts.dns.addresses[0] ?? 'none';
  const failing = failingNames(facts)[0];
  const { dnsConfig } = pod.spec;
  return fault({
    title: `pod ${podName(pod)} asks ${server ? `the name server ${server.address}` : 'no name server at all'}, which is not the cluster DNS (${cluster})${causeOf(pod)}`,
    where: whereOf(pod),
    evidence: [
      ...(server ? [evidence(resolvConfKey(facts), server.line)] : [evidence(resolvConfKey(facts))]),
      ...(dnsConfig !== undefined ? [objectEvidence('pod', pod, '.spec.dnsConfig', dnsConfig)] : []),
      ...(facts.dns.service.state === 'seen'
        ? [objectEvidence('service', facts.dns.service.value, '.spec.clusterIP', facts.dns.service.value.spec.clusterIP ?? '')]
        : []),
      ...(failing ? [failureEvidence(failing, 1)] : []),
    ],
    next: [
      `kubectl exec -n ${pod.metadata.namespace} ${pod.metadata.name} -- cat /etc/resolv.conf`,
      `kubectl get pod ${pod.metadata.name} -n ${pod.metadata.namespace} -o jsonpath='{.spec.dnsPolicy} {.spec.dnsConfig}'`,
      ...(pod.spec.nodeName ? [`kubectl get --raw /api/v1/nodes/${pod.spec.nodeName}/proxy/configz`] : []),
    ],
    fix:
      pod.spec.dnsPolicy === 'None'
        ? [`name ${cluster} in .spec.dnsConfig.nameservers, or set \`dnsPolicy: ClusterFirst\`, and create the pod anew`]
        : [
            `set \`clusterDNS: [${cluster}]\` in the configuration of kubelet on ${pod.spec.nodeName ?? 'the node'}, restart it, and create the pod anew`,
            'a pod that is older than the DNS Service only needs to be created anew',
          ],
    breaks: isClientName(facts),
  });
}

const causeOf = (pod: Pod): string =>
  pod.spec.dnsPolicy === 'None'
    ? ': its dnsPolicy is None'
    : `: kubelet${pod.spec.nodeName ? ` on ${pod.spec.nodeName}` : ''} gave it that address`;

const whereOf = (pod: Pod): Where =>
  pod.spec.dnsPolicy === 'None' || !pod.spec.nodeName
    ? { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name }
    : { kind: 'kubelet', name: 'clusterDNS', node: pod.spec.nodeName };
