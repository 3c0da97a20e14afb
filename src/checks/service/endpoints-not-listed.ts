import { type Facts, objectEvidence } from '../../facts/facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { isReady } from '../../parse/objects.ts';
import type { Pod, Service } from '../../schema/kubernetes.ts';
import { type CheckResult, defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { breaksTarget } from '../traffic.ts';
import { backingPods } from './backing-pods.ts';

export const endpointsNotListed = defineCheck({
  meta: {
    id: 'SVC016',
    slug: 'endpoints-not-listed',
    layer: 'service',
    title: 'No EndpointSlice lists an endpoint of the Service, though nothing is wrong with its pods',
    since: '0.1.0',
    explain: {
      what: 'kube-proxy takes the endpoints of a Service from the EndpointSlices that carry its name in the label kubernetes.io/service-name. There is none with an endpoint, so that connections are rejected at once: either the Service has no selector, and whoever was to make its EndpointSlices has not, or its pods are ready and the EndpointSlice controller has not written them down.',
      why: 'A Service without a selector whose EndpointSlice was never made, was deleted, carries another name in its label, or holds addresses of the other IP family; a kube-controller-manager that hangs, has lost its lease or its rights.',
      confirm: [
        "kubectl get service NAME -o jsonpath='{.spec.selector} {.spec.ipFamilies}'",
        'kubectl get endpointslices -l kubernetes.io/service-name=NAME',
        'kubectl get lease -n kube-system kube-controller-manager -o yaml   (renewTime)',
      ],
      fix: [
        'Without a selector: make the EndpointSlice, with the label kubernetes.io/service-name, the port name of the Service and an addressType of its family',
        'With a selector: mend the kube-controller-manager (its log, its lease)',
      ],
      notThis: [
        'No pod matches the selector: SVC002',
        'Pods match and none is ready: SVC003',
        'targetPort is a name that no container has: SVC005',
      ],
      refs: [
        'https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors',
        'https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/',
      ],
    },
  },
  needs: (facts) => [facts.target.service, facts.target.slices],
  judge: (facts) => {
    const { service, slices, endpoints, port } = facts.target;
    if (service.state !== 'seen' || slices.state !== 'seen' || endpoints.state !== 'seen')
      return notSeen(service.state !== 'seen' ? service : slices);
    if (service.value.spec.type === 'ExternalName' || !port) return skip('the Service has no endpoints by its kind');
    const count = endpoints.value.length;
    if (count > 0) return pass(`the EndpointSlices list ${count} endpoint${count === 1 ? '' : 's'}`, 'EndpointSlices');
    if (!slices.complete) return notSeen({ state: 'unknown', reason: 'unparsed', detail: 'not every EndpointSlice was understood' });
    return Object.keys(service.value.spec.selector ?? {}).length === 0 ? madeByNobody(facts, service.value) : leftOut(facts, service.value);
  },
});

function madeByNobody(facts: Facts, service: Service): CheckResult {
  const { namespace, name } = facts.target;
  return fail(
    fault({
      title: `Service ${namespace}/${name} has no selector, and ${whatIsThere(facts)}: it has no endpoint`,
      where: { kind: 'Service', namespace, name },
      evidence: [objectEvidence('service', service, '.spec.selector', service.spec.selector ?? '(nothing was printed)'), sliceList(facts)],
      next: [`kubectl get endpointslices -n ${namespace} --show-labels`, `kubectl describe service ${name} -n ${namespace}`],
      fix: [`give the Service a selector, or make an EndpointSlice with the label kubernetes.io/service-name=${name} for it`],
      certain: true,
      breaks: breaksTarget(facts),
    }),
  );
}

/** Seconds within which the EndpointSlice controller has written a pod down that became ready (its batch period is 1 s, its back-off after errors longer). */
const settling = 15;

/** Seconds between the pod's becoming ready and this run, by the API server's clock and ours. */
function readyFor(facts: Facts, pod: Pod): number {
  const since = pod.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return since ? (Date.parse(facts.snapshot.manifest.startedAt) - Date.parse(since)) / 1000 : 0;
}

/** Pods that are ready have to be in a slice within seconds; pods that are not explain their absence themselves. */
function leftOut(facts: Facts, service: Service): CheckResult {
  const { namespace, name } = facts.target;
  const pods = facts.pods(namespace);
  if (pods.state !== 'seen') return notSeen(pods);
  const ready = backingPods(facts).filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp && readyFor(facts, pod) >= settling);
  const [first] = ready;
  if (!first) return skip(`no pod that the selector matches has been ready for ${settling} seconds`);
  if (slicesOf(facts).some((slice) => (slice.endpoints ?? []).length > 0))
    return skip('the EndpointSlices list the pods, without this port');
  return fail(
    fault({
      title: `${ready.length} pod${ready.length === 1 ? '' : 's'} behind Service ${namespace}/${name} ${ready.length === 1 ? 'is' : 'are'} ready, and ${whatIsThere(facts)}: the EndpointSlice controller of the kube-controller-manager has not done its work`,
      where: { kind: 'Service', namespace, name },
      evidence: [
        sliceList(facts),
        objectEvidence(
          'pod',
          first,
          '.status.conditions[?(@.type=="Ready")]',
          first.status.conditions?.find(({ type }) => type === 'Ready'),
        ),
        objectEvidence('service', service, '.spec.selector', service.spec.selector),
      ],
      next: [
        'kubectl get lease kube-controller-manager -n kube-system -o yaml',
        'kubectl logs -n kube-system -l component=kube-controller-manager --tail=50',
      ],
      fix: ['mend the kube-controller-manager: it writes the EndpointSlices of Services with a selector'],
      certain: true,
      breaks: breaksTarget(facts),
    }),
  );
}

const slicesOf = ({ target }: Facts) =>
  target.slices.state === 'seen'
    ? target.slices.value.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === target.name)
    : [];

function whatIsThere(facts: Facts): string {
  const [first, ...more] = slicesOf(facts);
  if (!first) return 'no EndpointSlice carries its name';
  const addresses = (first.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  const ports = (first.ports ?? []).map((port) => `${port.name || 'unnamed'}=${port.port ?? 'any'}`).join(', ');
  const held =
    addresses.length === 0
      ? 'lists no address'
      : `lists ${addresses.slice(0, 3).join(', ')} (${first.addressType}, port ${ports || 'none'})`;
  return `its EndpointSlice ${first.metadata.name} ${held}${more.length === 0 ? '' : `, ${more.length} more none of use either`}, nothing for port ${facts.target.port?.name ?? facts.target.port?.port} by IPv4`;
}

/** What `kubectl get endpointslices` of the Service would show, a line for each. */
function sliceList(facts: Facts): EvidenceRef {
  const { namespace, name } = facts.target;
  const lines = slicesOf(facts).map(
    (slice) =>
      `${slice.metadata.name} ${slice.addressType} ${(slice.endpoints ?? []).flatMap(({ addresses }) => addresses).join(',') || '<unset>'}`,
  );
  return {
    command: `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}`,
    on: 'API server',
    lines: (lines.length === 0 ? [`No resources found in ${namespace} namespace.`] : lines).map((text, index) => ({
      number: index + 1,
      text,
    })),
  };
}
