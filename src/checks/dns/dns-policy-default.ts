import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failureEvidence } from '../../facts/probe-results.ts';
import { evidence } from '../../model/evidence.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { kubectlName, podName, workloadOf } from '../app/workload.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { clientResolvConf, failingNames, firstNameserver, isClientName, isClusterDns, namesWereAsked, resolvConfKey } from './resolver.ts';

export const dnsPolicyDefault = defineCheck({
  meta: {
    id: 'DNS005',
    slug: 'dns-policy-default',
    layer: 'dns',
    title: "The client pod's dnsPolicy gives it the node's resolver instead of the cluster DNS",
    since: '0.1.0',
    explain: {
      what: 'The pod has dnsPolicy Default, or is in the host network with dnsPolicy ClusterFirst (which then means Default). Its resolv.conf is the one of its node, whose resolver knows no Service: names of Services give NXDOMAIN, external names resolve.',
      why: 'By design of Kubernetes: "Default" is not the default policy, and hostNetwork needs ClusterFirstWithHostNet.',
      confirm: ["kubectl get pod NAME -o jsonpath='{.spec.dnsPolicy} {.spec.hostNetwork}'", 'kubectl exec NAME -- cat /etc/resolv.conf'],
      fix: [
        'Set `dnsPolicy: ClusterFirst` in the pod template, or `dnsPolicy: ClusterFirstWithHostNet` where hostNetwork is true, and create the pod anew',
      ],
      notThis: [
        'A pod of policy ClusterFirst whose nameserver is not the cluster DNS: DNS004',
        'Pods that ask no cluster name on purpose, such as CoreDNS itself',
      ],
      refs: [
        'https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy',
        'https://github.com/kubernetes/kubernetes/issues/35761',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const { pod } = facts.client;
    if (facts.client.request.kind !== 'Pod') return skip('the client is no pod');
    if (!pod) return cannotTell('not-collected', 'the client pod was not read');
    const why = nodeResolverBecause(pod);
    if (why === null)
      return pass(`the client pod's dnsPolicy is ${pod.spec.dnsPolicy ?? 'ClusterFirst'}`, `.spec.dnsPolicy of ${podName(pod)}`);
    if (!namesWereAsked(facts)) return cannotTell('not-collected', 'no name was looked up from the client pod');
    if (failingNames(facts).length === 0)
      return pass("the name resolves although the pod uses its node's resolver", 'lookups from the client pod');
    const conf = clientResolvConf(facts);
    if (conf.state !== 'seen') return notSeen(conf);
    const server = firstNameserver(conf.value);
    // The node itself may ask the cluster DNS: then only its search list differs, and that is the policy's doing too.
    const asksCluster = server !== undefined && isClusterDns(facts, server.address);
    if (asksCluster && failingNames(facts).some((probe) => probe.target.endsWith('.')))
      return skip("the node's resolver is the cluster DNS, and absolute names fail too: the policy is not at fault");
    return fail(describe(facts, pod, why, server));
  },
});

/** Why kubelet gives a pod the node's resolv.conf (pkg/kubelet/network/dns), or null. */
function nodeResolverBecause(pod: Pod): string | null {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'Default') return 'has dnsPolicy Default';
  return pod.spec.hostNetwork && policy === 'ClusterFirst'
    ? 'is in the host network with dnsPolicy ClusterFirst, which means Default there'
    : null;
}

function describe(facts: Facts, pod: Pod, why: string, server: { address: string; line: number } | undefined): Fault {
  const owner = workloadOf(pod);
  const policy = pod.spec.hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst';
  const failing = failingNames(facts)[0];
  return fault({
    title: `pod ${podName(pod)} ${why}: it asks its node's resolver${server ? ` ${server.address}` : ''}, which knows no Service, instead of the cluster DNS${facts.dns.addresses[0] ? ` ${facts.dns.addresses[0]}` : ''}`,
    where: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name },
    evidence: [
      objectEvidence('pod', pod, '.spec.dnsPolicy', pod.spec.dnsPolicy ?? 'ClusterFirst'),
      ...(pod.spec.hostNetwork ? [objectEvidence('pod', pod, '.spec.hostNetwork', true)] : []),
      ...(server ? [evidence(resolvConfKey(facts), server.line)] : []),
      ...(failing ? [failureEvidence(failing, 1)] : []),
    ],
    next: [
      `kubectl get pod ${pod.metadata.name} -n ${pod.metadata.namespace} -o jsonpath='{.spec.dnsPolicy}'`,
      `kubectl exec -n ${pod.metadata.namespace} ${pod.metadata.name} -- cat /etc/resolv.conf`,
    ],
    fix: [
      `set \`dnsPolicy: ${policy}\` ${owner.kind === 'Pod' ? 'in the pod' : `in the pod template of ${kubectlName(owner)}`} and create it anew: the policy of a running pod can't be changed`,
    ],
    breaks: isClientName(facts),
  });
}
