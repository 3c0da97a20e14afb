import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { matchesSelector } from '../../parse/objects.ts';
import type { Pod, Service, Workload } from '../../schema/kubernetes.ts';
import { defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { breaksTarget } from '../traffic.ts';

export const selectorMatchesNoPod = defineCheck({
  meta: {
    id: 'SVC002',
    slug: 'selector-matches-no-pod',
    layer: 'service',
    title: "The Service's selector matches no pod",
    since: '0.1.0',
    explain: {
      what: "No pod of the namespace carries all labels of the Service's selector, so that the Service has no endpoints and kube-proxy rejects every connection to it at once.",
      why: 'A typing error in the selector or the pod template, a label that was renamed on one side only, or a workload that was never deployed or is scaled to zero.',
      confirm: [
        "kubectl get service NAME -o jsonpath='{.spec.selector}'",
        'kubectl get pods --show-labels',
        'kubectl get endpointslices -l kubernetes.io/service-name=NAME',
      ],
      fix: ['Make the selector and the labels of the pod template agree'],
      notThis: [
        'Pods that match and are not ready: SVC003',
        'A Service without a selector: its EndpointSlices are made by hand or by a controller, on purpose',
      ],
      refs: [
        'https://kubernetes.io/docs/concepts/services-networking/service/',
        'https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/',
      ],
    },
  },
  needs: (facts) => [facts.target.service, facts.pods(facts.target.namespace)],
  judge: (facts) => {
    const { service } = facts.target;
    const pods = facts.pods(facts.target.namespace);
    if (service.state !== 'seen' || pods.state !== 'seen') return notSeen(service.state !== 'seen' ? service : pods);
    const selector = service.value.spec.selector ?? {};
    if (service.value.spec.type === 'ExternalName') return skip('an ExternalName Service has no pods');
    if (Object.keys(selector).length === 0) return skip('the Service has no selector: its endpoints are made by hand');
    const matching = pods.value.filter((pod) => matchesSelector(pod.metadata.labels, selector));
    if (matching.length > 0)
      return pass(
        `the selector matches ${matching.length} pod${matching.length === 1 ? '' : 's'}`,
        `selector ${asText(selector)} against the labels of the pods`,
      );
    if (!pods.complete) return notSeen({ state: 'unknown', reason: 'unparsed', detail: 'not every pod of the namespace was understood' });
    const idle = scaledToZero(facts, selector);
    if (idle) return fail(describeIdle(facts, service.value, selector, idle));
    const near = nearest(pods.value, selector);
    const name = `${facts.target.namespace}/${facts.target.name}`;
    return fail(
      fault({
        title: `Service ${name} selects ${asText(selector)}, and no pod of the namespace has these labels${near ? ` (pod ${near.metadata.name} has ${asText(shared(near, selector))})` : ''}`,
        where: { kind: 'Service', namespace: facts.target.namespace, name: facts.target.name },
        evidence: [
          objectEvidence('service', service.value, '.spec.selector', selector),
          ...(near ? [objectEvidence('pod', near, '.metadata.labels', near.metadata.labels ?? {})] : []),
        ],
        next: [
          `kubectl get pods -n ${facts.target.namespace} --show-labels`,
          `kubectl describe service ${facts.target.name} -n ${facts.target.namespace}`,
        ],
        fix: ['make the selector of the Service and the labels of the pod template agree'],
        certain: true,
        breaks: breaksTarget(facts),
      }),
    );
  },
});

/** The Deployment whose pods the selector would match, and that is told to make none. */
function scaledToZero(facts: Facts, selector: Record<string, string>): Workload | undefined {
  const deployments = facts.targetDeployments();
  if (deployments.state !== 'seen') return undefined;
  return deployments.value.find(({ spec }) => spec.replicas === 0 && matchesSelector(spec.template?.metadata?.labels ?? {}, selector));
}

function describeIdle(facts: Facts, service: Service, selector: Record<string, string>, idle: Workload) {
  const { namespace } = facts.target;
  const { name } = idle.metadata;
  return fault({
    title: `Deployment ${namespace}/${name}, whose pods Service ${namespace}/${facts.target.name} selects (${asText(selector)}), is scaled to 0`,
    where: { kind: 'Deployment', namespace, name },
    evidence: [
      objectEvidence('deployment', idle, '.spec.replicas', idle.spec.replicas ?? 0),
      objectEvidence('service', service, '.spec.selector', selector),
    ],
    next: [`kubectl describe deployment ${name} -n ${namespace}`, `kubectl get hpa -n ${namespace}`],
    fix: [`kubectl scale deployment ${name} -n ${namespace} --replicas=N, once it is known who scaled it to 0`],
    certain: true,
    breaks: breaksTarget(facts),
  });
}

const asText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || 'no such label';

const shared = (pod: Pod, selector: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.keys(selector).flatMap((key) => (pod.metadata.labels?.[key] === undefined ? [] : [[key, pod.metadata.labels[key]]])),
  );

/** The pod that shares most label keys with the selector: probably the one that was meant. */
function nearest(pods: readonly Pod[], selector: Record<string, string>): Pod | undefined {
  const scored = pods.map((pod) => ({
    pod,
    score: Object.entries(selector).reduce((sum, [key, value]) => sum + closeness(pod.metadata.labels?.[key], value), 0),
  }));
  const best = scored.sort((a, b) => b.score - a.score || (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1))[0];
  return best && best.score > 0 ? best.pod : undefined;
}

const closeness = (have: string | undefined, want: string): number =>
  have === undefined ? 0 : have === want ? 3 : have.startsWith(want.slice(0, 3)) || want.startsWith(have.slice(0, 3)) ? 2 : 1;
