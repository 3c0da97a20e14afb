import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { matchesSelector } from '../../parse/objects.ts';
import type { Pod, Service } from '../../schema/kubernetes.ts';
import { podName } from '../app/workload.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, notSeen, pass, skip } from '../check.ts';
import { endpointsEvidence, readyDnsPods, serviceWhere, usable } from './dns-pods.ts';
import { needsClusterDns } from './resolver.ts';

export const dnsServiceWithoutEndpoints = defineCheck({
  meta: {
    id: 'DNS002',
    slug: 'dns-service-without-endpoints',
    layer: 'dns',
    title: 'The Service of the cluster DNS has no endpoints although DNS pods are ready',
    since: '0.1.0',
    explain: {
      what: 'DNS pods run and are ready, and the Service that every resolv.conf names does not have them as endpoints. kube-proxy rejects every query to its ClusterIP at once; the pods themselves answer.',
      why: 'The selector of the Service and the labels of the DNS pods differ (kube-dns replaced by CoreDNS by hand, a chart with other labels), or its targetPort names a port that the containers do not have.',
      confirm: [
        "kubectl get service kube-dns -n kube-system -o jsonpath='{.spec.selector}'",
        'kubectl get pods -n kube-system --show-labels',
        'kubectl get endpointslices -n kube-system -l kubernetes.io/service-name=kube-dns',
      ],
      fix: ['Make the selector of the DNS Service and the labels of the DNS pods agree; `k8s-app: kube-dns` is what every installer uses'],
      notThis: ['No DNS pod is ready: DNS001', 'A Service without a selector, with EndpointSlices made by hand'],
      refs: [
        'https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/',
        'https://github.com/coredns/deployment/issues/225',
      ],
    },
  },
  needs: (facts) => [facts.dns.service, facts.dns.endpoints, facts.dns.pods],
  judge: (facts) => {
    const { service, endpoints, pods } = facts.dns;
    if (service.state !== 'seen' || endpoints.state !== 'seen' || pods.state !== 'seen')
      return notSeen(service.state !== 'seen' ? service : endpoints.state !== 'seen' ? endpoints : pods);
    if (usable(endpoints.value).length > 0)
      return pass(
        'the DNS Service has its pods as endpoints',
        `EndpointSlices of ${service.value.metadata.namespace}/${service.value.metadata.name}`,
      );
    if (!endpoints.complete) return cannotTell('unparsed', 'not every EndpointSlice of kube-system was understood');
    const ready = readyDnsPods(facts);
    const first = ready[0];
    if (!first)
      return pods.complete ? skip('no DNS pod is ready (DNS001)') : cannotTell('unparsed', 'not every pod of kube-system was understood');
    return fail(describe(facts, service.value, ready, first));
  },
});

function describe(facts: Facts, service: Service, ready: readonly Pod[], first: Pod): Fault {
  const selector = service.spec.selector ?? {};
  const name = `${service.metadata.namespace}/${service.metadata.name}`;
  const selected = Object.keys(selector).length > 0 && ready.some((pod) => matchesSelector(pod.metadata.labels, selector));
  const count = `${ready.length} DNS pod${ready.length === 1 ? ' is' : 's are'} ready`;
  const title = selected
    ? `Service ${name} has no ready endpoint although it selects ${podName(first)}, which is ready: its targetPort or the controller that makes EndpointSlices is at fault`
    : `Service ${name} selects ${asText(selector)}, and no DNS pod has these labels (${podName(first)} has ${asText(labelsFor(first, selector))}): ${count}, and the Service has no endpoint`;
  return fault({
    title,
    where: serviceWhere(facts),
    evidence: [
      selected
        ? objectEvidence('service', service, '.spec.ports', service.spec.ports ?? [])
        : objectEvidence('service', service, '.spec.selector', selector),
      objectEvidence('pod', first, '.metadata.labels', first.metadata.labels ?? {}),
      endpointsEvidence(facts, service),
    ],
    next: [
      `kubectl describe service ${service.metadata.name} -n ${service.metadata.namespace}`,
      `kubectl get pods -n ${service.metadata.namespace} --show-labels`,
    ],
    fix: selected
      ? ["make the Service's targetPort a port of the DNS containers, and see that kube-controller-manager runs"]
      : [`make the selector of Service ${name} select the DNS pods`],
    certain: true,
    breaks: needsClusterDns(facts),
  });
}

const asText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || 'nothing';

/** The labels that were probably meant: those with a key of the selector, else the one that DNS pods carry. */
function labelsFor(pod: Pod, selector: Record<string, string>): Record<string, string> {
  const labels = pod.metadata.labels ?? {};
  const keys = Object.keys(selector).filter((key) => labels[key] !== undefined);
  return Object.fromEntries(
    (keys.length > 0 ? keys : ['k8s-app']).flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])),
  );
}
