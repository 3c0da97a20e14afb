import { type Facts, objectEvidence } from '../../facts/facts.ts';
import type { Pod, Service } from '../../schema/kubernetes.ts';
import { kubectlName } from '../app/workload.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import {
  crashedContainer,
  dnsPods,
  dnsWhere,
  dnsWorkload,
  endpointsEvidence,
  notReadyEvidence,
  readyDnsPods,
  usable,
  whyNotReady,
} from './dns-pods.ts';
import { needsClusterDns } from './resolver.ts';

export const noReadyDnsPods = defineCheck({
  meta: {
    id: 'DNS001',
    slug: 'no-ready-dns-pods',
    layer: 'dns',
    title: 'No pod of the cluster DNS is ready',
    since: '0.1.0',
    explain: {
      what: 'The Service of the cluster DNS has no ready endpoint, because none of its pods is ready. kube-proxy rejects every query to it at once, and no name of the cluster resolves in any pod.',
      why: 'The CoreDNS Deployment was scaled to zero, its pods were evicted or find no node, their image cannot be pulled, or their readiness probe fails.',
      confirm: [
        'kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide',
        'kubectl get endpointslices -n kube-system -l kubernetes.io/service-name=kube-dns',
        'dig +tries=1 @10.96.0.10 kubernetes.default.svc.cluster.local',
      ],
      fix: [
        'Scale the Deployment of CoreDNS up again, at least two replicas on different nodes',
        'Repair what keeps its pods from being ready: `kubectl describe pod` names the failing probe, the missing node or the image',
      ],
      notThis: [
        'The pods end as soon as they start: DNS003',
        'Ready pods that the Service does not select: DNS002',
        'Queries that stay unanswered for seconds instead of being refused at once: DNS007 and the layers below',
        'SERVFAIL: somebody answers (DNS009)',
      ],
      refs: [
        'https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/',
        'https://github.com/kubernetes/kubernetes/issues/86762',
      ],
    },
  },
  needs: (facts) => [facts.dns.service, facts.dns.endpoints, facts.dns.pods],
  judge: (facts) => {
    const { service, endpoints, pods } = facts.dns;
    if (service.state !== 'seen' || endpoints.state !== 'seen' || pods.state !== 'seen')
      return notSeen(service.state !== 'seen' ? service : endpoints.state !== 'seen' ? endpoints : pods);
    const ready = usable(endpoints.value).length;
    if (ready > 0)
      return pass(
        `cluster DNS has ${ready} ready endpoint${ready === 1 ? '' : 's'}`,
        `EndpointSlices of ${service.value.metadata.namespace}/${service.value.metadata.name}`,
      );
    if (!endpoints.complete || !pods.complete)
      return cannotTell('unparsed', 'not every EndpointSlice and pod of kube-system was understood');
    if (readyDnsPods(facts).length > 0) return skip('there are ready DNS pods: the Service does not take them as endpoints (DNS002)');
    if (pods.value.some((pod) => crashedContainer(pod, facts.snapshot.manifest.startedAt)))
      return skip('the DNS pods end as soon as they start (DNS003)');
    return fail(describe(facts, service.value));
  },
});

function describe(facts: Facts, service: Service): Fault {
  const pods = dnsPods(facts);
  const where = dnsWhere(facts);
  const found = dnsWorkload(facts);
  const replicas = found?.workload.spec.replicas;
  const name = `${where.namespace}/${where.name}`;
  const none = found !== undefined && replicas === 0;
  const scale = none ? [objectEvidence('deployment', found.workload, '.spec.replicas', replicas)] : [];
  return fault({
    title: `${reasonOf(pods, none ? `${where.kind} ${name} has 0 replicas` : null)}: the cluster DNS has no server, and no name of the cluster resolves`,
    where,
    evidence: [...scale, endpointsEvidence(facts, service), ...pods.slice(0, 2).flatMap(notReadyEvidence)],
    next: [
      `kubectl get pods -n ${where.namespace} -l ${labelsOf(service)} -o wide`,
      ...(pods[0] ? [`kubectl describe pod ${pods[0].metadata.name} -n ${where.namespace}`] : [`kubectl describe ${kubectlName(where)}`]),
    ],
    fix: none
      ? [`kubectl scale ${kubectlName(where)} --replicas=2`]
      : pods.length === 0
        ? [`bring the pods of ${name} back`]
        : ['repair what keeps the DNS pods from being ready'],
    certain: true,
    breaks: needsClusterDns(facts),
  });
}

function reasonOf(pods: readonly Pod[], scaled: string | null): string {
  if (pods.length === 0) return scaled ?? 'there is no pod of the cluster DNS';
  const first = pods[0] as Pod;
  const why = whyNotReady(first);
  return `0 of ${pods.length} DNS pods ${pods.length === 1 ? 'is' : 'are'} ready${why ? ` (${first.metadata.name}: ${why.text.slice(0, 160)})` : ''}`;
}

const labelsOf = (service: Service): string =>
  Object.entries(service.spec.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || 'k8s-app=kube-dns';
