import { type Facts, objectEvidence } from '../../facts/facts.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { isReady } from '../../parse/objects.ts';
import type { Event, Pod } from '../../schema/kubernetes.ts';
import { defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { breaksTarget } from '../traffic.ts';
import { backingPods, declaredPorts, ownerOf } from './backing-pods.ts';

export const noReadyEndpoints = defineCheck({
  meta: {
    id: 'SVC003',
    slug: 'no-ready-endpoints',
    layer: 'service',
    title: 'The selector matches pods, and none of them is ready',
    since: '0.1.0',
    explain: {
      what: 'Pods with the right labels exist, but none is ready (or running), so that the Service has no endpoint that may be used and kube-proxy rejects connections at once.',
      why: 'Readiness probes fail (wrong port or path, a dependency that is down), containers crash or wait for an image, pods are pending, or all of them terminate.',
      confirm: [
        'kubectl get pods -l SELECTOR',
        'kubectl describe pod NAME',
        'kubectl get endpointslices -l kubernetes.io/service-name=NAME -o yaml | grep -A3 conditions',
      ],
      fix: ['Mend what keeps the pods from being ready: the probe or what it looks at'],
      notThis: [
        'No pod matches at all: SVC002',
        'A targetPort name that no container has: SVC005',
        'publishNotReadyAddresses: then pods that are not ready are used on purpose',
      ],
      refs: [
        'https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/',
        'https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/',
      ],
    },
  },
  needs: (facts) => [facts.target.service, facts.pods(facts.target.namespace), facts.target.slices],
  judge: (facts) => {
    const { service, endpoints } = facts.target;
    if (service.state !== 'seen' || endpoints.state !== 'seen') return notSeen(service.state !== 'seen' ? service : endpoints);
    if (service.value.spec.type === 'ExternalName' || Object.keys(service.value.spec.selector ?? {}).length === 0)
      return skip('the Service has no selector');
    const pods = backingPods(facts);
    if (pods.length === 0) return skip('the selector matches no pod');
    const usable = endpoints.value.filter((endpoint) => endpoint.ready || (endpoint.serving && endpoint.terminating));
    if (usable.length > 0) return pass(`${usable.length} endpoint${usable.length === 1 ? ' is' : 's are'} ready`, 'EndpointSlices');
    const ready = pods.filter(isReady);
    if (ready.length > 0) return skip('pods are ready, so the endpoints are missing for another reason');
    if (!endpoints.complete) return notSeen({ state: 'unknown', reason: 'unparsed', detail: 'not every EndpointSlice was understood' });
    return fail(describe(facts, pods));
  },
});

function describe(facts: Facts, pods: readonly Pod[]) {
  const { namespace, name } = facts.target;
  const first = pods[0] as Pod;
  const { reason, evidence } = whyNotReady(facts, pods);
  return fault({
    title: `none of the ${pods.length} pod${pods.length === 1 ? '' : 's'} behind Service ${namespace}/${name} is ready: ${reason}`,
    where: ownerOf(first),
    evidence: [
      ...evidence,
      objectEvidence(
        'pod',
        first,
        '.status.conditions[?(@.type=="Ready")]',
        first.status.conditions?.find((condition) => condition.type === 'Ready') ?? 'no Ready condition',
      ),
    ],
    next: [
      `kubectl describe pod ${first.metadata.name} -n ${namespace}`,
      `kubectl logs ${first.metadata.name} -n ${namespace} --all-containers --tail=50`,
    ],
    fix: ['mend what keeps the pods from being ready'],
    certain: true,
    breaks: breaksTarget(facts),
  });
}

type ContainerStatus = NonNullable<Pod['status']['containerStatuses']>[number];

/** ` (exit code 3, Error, 7 restarts)` of a container that has ended before. */
function endOf({ state, lastState, restartCount = 0 }: ContainerStatus): string {
  const ended = state?.terminated ?? lastState?.terminated;
  return ended ? ` (exit code ${ended.exitCode}, ${ended.reason ?? 'no reason given'}, ${restartCount} restarts)` : '';
}

/** The kubelet's own words: a failing probe from the events, else what the containers wait for. */
function whyNotReady(facts: Facts, pods: readonly Pod[]): { reason: string; evidence: EvidenceRef[] } {
  const names = new Set(pods.map((pod) => pod.metadata.name));
  const events = facts.events();
  const unhealthy =
    events.state === 'seen'
      ? events.value.filter((event) => event.involvedObject.name !== undefined && names.has(event.involvedObject.name))
      : [];
  const loops = pods.some((pod) =>
    (pod.status.containerStatuses ?? []).some((status) => status.state?.waiting?.reason === 'CrashLoopBackOff'),
  );
  const probe = unhealthy.filter((event) => event.reason === 'Unhealthy' && /Readiness|Startup/.test(event.message ?? '')).at(-1);
  if (probe && !loops)
    return {
      reason: `${(probe.message ?? '').split('\n')[0]?.replace(/:\s*$/, '')}${probeMismatch(pods)}`,
      evidence: [eventEvidence(facts, probe)],
    };
  const states = pods.flatMap((pod) =>
    (pod.status.containerStatuses ?? []).flatMap((status) => (status.state?.waiting ? [{ pod, status }] : [])),
  );
  const waiting = states.find(({ status }) => status.state?.waiting?.reason !== 'ContainerCreating') ?? states[0];
  if (waiting) {
    const { reason = 'waiting', message = '' } = waiting.status.state?.waiting ?? {};
    return {
      reason: `container ${waiting.status.name} is waiting: ${reason}${endOf(waiting.status)}${message ? ` (${message.slice(0, 160)})` : ''}`,
      evidence: [
        objectEvidence('pod', waiting.pod, `.status.containerStatuses[?(@.name=="${waiting.status.name}")].state`, waiting.status.state),
      ],
    };
  }
  const crashed = pods
    .flatMap((pod) => (pod.status.containerStatuses ?? []).map((status) => ({ pod, status })))
    .find(({ status }) => (status.restartCount ?? 0) > 0 && endOf(status) !== '');
  if (crashed)
    return {
      reason: `container ${crashed.status.name} ends again and again${endOf(crashed.status)}`,
      evidence: [
        objectEvidence(
          'pod',
          crashed.pod,
          `.status.containerStatuses[?(@.name=="${crashed.status.name}")].lastState`,
          crashed.status.lastState,
        ),
      ],
    };
  const pending = pods.find((pod) => pod.status.phase === 'Pending');
  if (pending) {
    const scheduled = pending.status.conditions?.find((condition) => condition.status === 'False');
    const event = unhealthy.filter((item) => item.involvedObject.name === pending.metadata.name).at(-1);
    return {
      reason: `they are Pending${scheduled?.message ? `: ${scheduled.message}` : event?.message ? `: ${event.message.slice(0, 200)}` : ''}`,
      evidence: event ? [eventEvidence(facts, event)] : [],
    };
  }
  const condition = pods[0]?.status.conditions?.find((item) => item.type === 'Ready' || item.type === 'ContainersReady');
  return {
    reason:
      condition?.message ??
      (pods.every((pod) => pod.metadata.deletionTimestamp) ? 'all of them terminate' : `phase ${pods[0]?.status.phase ?? 'unknown'}`) +
        probeMismatch(pods),
    evidence: [],
  };
}

/** A readiness probe on a port that no container declares is worth saying. */
function probeMismatch(pods: readonly Pod[]): string {
  const pod = pods[0];
  const probe = pod?.spec.containers.map((container) => container.readinessProbe).find((item) => item?.tcpSocket ?? item?.httpGet);
  const port = probe?.tcpSocket?.port ?? probe?.httpGet?.port;
  const declared = pod ? declaredPorts(pod) : [];
  if (port === undefined || declared.length === 0 || declared.some((item) => item.port === port || item.name === port)) return '';
  return ` (the readiness probe asks port ${port}; the containers declare ${declared.map((item) => item.port).join(', ')})`;
}

const eventEvidence = (facts: Facts, event: Event): EvidenceRef => ({
  command: `kubectl get events -n ${facts.target.namespace} --field-selector involvedObject.name=${event.involvedObject.name}`,
  on: 'API server',
  lines: [{ number: 1, text: `${event.type ?? ''} ${event.reason ?? ''} ${(event.message ?? '').split('\n')[0]}` }],
});
