import { type Facts, objectEvidence } from '../../facts/facts.ts';
import type { Where } from '../../model/check.ts';
import type { Endpoint } from '../../model/endpoints.ts';
import type { EvidenceRef } from '../../model/evidence.ts';
import { isReady, isRunning, matchesSelector } from '../../parse/objects.ts';
import type { Pod, Service, Workload } from '../../schema/kubernetes.ts';
import { whereOfPods } from '../app/workload.ts';

type ContainerStatus = NonNullable<Pod['status']['containerStatuses']>[number];

/** Endpoints that kube-proxy sends to: the ready ones; where none is, those that still serve while they terminate. */
export function usable(endpoints: readonly Endpoint[]): Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.serving);
}

export const dnsPods = (facts: Facts): Pod[] => (facts.dns.pods.state === 'seen' ? facts.dns.pods.value : []);

export const readyDnsPods = (facts: Facts): Pod[] => dnsPods(facts).filter((pod) => isRunning(pod) && isReady(pod));

/** A container that ended with an error and is not well since: a restart older than the incident is none. */
export function crashedContainer(pod: Pod, startedAt: string): ContainerStatus | undefined {
  return (pod.status.containerStatuses ?? []).find((status) => {
    if (status.state?.waiting?.reason === 'CrashLoopBackOff') return true;
    if ((status.state?.terminated?.exitCode ?? 0) !== 0) return true;
    const last = status.lastState?.terminated;
    if (!last || last.exitCode === 0) return false;
    return status.ready === false || ((status.restartCount ?? 0) > 1 && isRecent(last, startedAt));
  });
}

/** kubelet starts a container again after 10 s, then ever later: one that ended in the last two minutes is still in its loop. */
function isRecent(terminated: object, startedAt: string): boolean {
  const finished = 'finishedAt' in terminated && typeof terminated.finishedAt === 'string' ? Date.parse(terminated.finishedAt) : Number.NaN;
  return Date.parse(startedAt) - finished < 120_000;
}

/** The Deployment or DaemonSet of the cluster's DNS: by the labels that the DNS Service selects, else by its usual name. */
export function dnsWorkload(facts: Facts): { kind: 'Deployment' | 'DaemonSet'; workload: Workload } | undefined {
  const selector = facts.dns.service.state === 'seen' ? (facts.dns.service.value.spec.selector ?? {}) : {};
  const [deployments, daemonSets] = [facts.deployments(), facts.daemonSets()];
  const all = [
    ...(deployments.state === 'seen' ? deployments.value.map((workload) => ({ kind: 'Deployment' as const, workload })) : []),
    ...(daemonSets.state === 'seen' ? daemonSets.value.map((workload) => ({ kind: 'DaemonSet' as const, workload })) : []),
  ];
  const selected =
    Object.keys(selector).length > 0
      ? all.find(({ workload }) => matchesSelector(workload.spec.selector?.matchLabels, selector))
      : undefined;
  return (
    selected ??
    all.find(({ workload }) => ['coredns', 'kube-dns', 'rke2-coredns-rke2-coredns', 'dns-default'].includes(workload.metadata.name))
  );
}

/** Where the DNS servers come from. */
export function dnsWhere(facts: Facts): Where {
  const found = dnsWorkload(facts);
  if (found) return { kind: found.kind, namespace: found.workload.metadata.namespace ?? 'kube-system', name: found.workload.metadata.name };
  return whereOfPods(dnsPods(facts), true) ?? serviceWhere(facts);
}

export const serviceWhere = (facts: Facts): Where =>
  facts.dns.service.state === 'seen'
    ? {
        kind: 'Service',
        namespace: facts.dns.service.value.metadata.namespace ?? 'kube-system',
        name: facts.dns.service.value.metadata.name,
      }
    : { kind: 'Service', namespace: 'kube-system', name: 'kube-dns' };

/** What `kubectl get endpointslices` shows of the DNS Service: its addresses, and whether they are ready. */
export function endpointsEvidence(facts: Facts, service: Service): EvidenceRef {
  const endpoints = facts.dns.endpoints.state === 'seen' ? facts.dns.endpoints.value : [];
  const namespace = service.metadata.namespace ?? 'kube-system';
  const lines = endpoints.length === 0 ? ['(no endpoint)'] : endpoints.map((endpoint) => `${endpoint.address} ready=${endpoint.ready}`);
  return {
    command: `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${service.metadata.name} -o jsonpath='{range .items[*].endpoints[*]}{.addresses[0]} ready={.conditions.ready}{"\\n"}{end}'`,
    on: 'API server',
    lines: lines.map((text, index) => ({ number: index + 1, text })),
  };
}

/** Why a pod is not ready, in the API's own words; for a readiness probe that does not succeed, the probe. */
export function whyNotReady(pod: Pod): { path: string; text: string } | null {
  const waiting = pod.status.containerStatuses?.find((status) => status.state?.waiting)?.state?.waiting;
  if (waiting?.reason)
    return {
      path: '.status.containerStatuses[*].state.waiting',
      text: waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason,
    };
  const scheduled = pod.status.conditions?.find((condition) => condition.type === 'PodScheduled' && condition.status === 'False');
  if (scheduled)
    return {
      path: '.status.conditions[?(@.type=="PodScheduled")].message',
      text: scheduled.message ?? scheduled.reason ?? 'not scheduled',
    };
  const probed = unreadyProbe(pod);
  if (probed) return probed;
  const ready = pod.status.conditions?.find((condition) => condition.type === 'Ready' && condition.status !== 'True');
  return ready ? { path: '.status.conditions[?(@.type=="Ready")].message', text: ready.message ?? ready.reason ?? 'not ready' } : null;
}

/** The readiness probe of a container that runs and is not ready: kubelet waits for nothing else (Kubernetes, "Pod lifecycle"). */
function unreadyProbe(pod: Pod): { path: string; text: string } | null {
  const unready = pod.status.containerStatuses?.find((status) => status.state?.running && status.ready === false);
  const container = unready && pod.spec.containers.find((item) => item.name === unready.name);
  const get = container?.readinessProbe?.httpGet;
  if (!container?.readinessProbe) return null;
  const what = get
    ? `http port ${get.port}${get.path ?? '/'}`
    : JSON.stringify(container.readinessProbe.tcpSocket ?? container.readinessProbe.exec ?? {});
  return {
    path: `.spec.containers[?(@.name=="${container.name}")].readinessProbe`,
    text: `the readiness probe of container ${container.name}, ${what}, does not succeed`,
  };
}

export function notReadyEvidence(pod: Pod): EvidenceRef[] {
  const why = whyNotReady(pod);
  if (!why) return [];
  const ready = pod.status.conditions?.find((condition) => condition.type === 'Ready');
  const probe = pod.spec.containers.find((container) => why.path.includes(`"${container.name}"`))?.readinessProbe;
  return [
    objectEvidence('pod', pod, why.path, probe ?? why.text),
    ...(probe && ready
      ? [objectEvidence('pod', pod, '.status.conditions[?(@.type=="Ready")].message', ready.message ?? ready.status)]
      : []),
  ];
}
