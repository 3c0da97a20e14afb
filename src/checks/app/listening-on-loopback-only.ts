import type { Facts } from '../../facts/facts.ts';
import { failureEvidence, isFailing } from '../../facts/probe-results.ts';
import type { Socket } from '../../model/socket.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import {
  type Backend,
  backendsOf,
  brokenByRefusing,
  isLoopback,
  isRedirected,
  listenersAt,
  listenersNotSeen,
  mayRefuse,
  nameBackends,
  redirectedDetail,
  socketEvidence,
} from './backends.ts';
import { kubectlName, whereOfPods, workloadOf } from './workload.ts';

export const listeningOnLoopbackOnly = defineCheck({
  meta: {
    id: 'APP001',
    slug: 'listening-on-loopback-only',
    layer: 'app',
    title: 'The application listens on the loopback address of its pod only',
    since: '0.1.0',
    explain: {
      what: "The process in the backend pod is bound to 127.0.0.1 (or ::1). It answers inside the pod; from outside, the pod's kernel refuses every connection at once.",
      why: 'Many frameworks and debug servers bind to localhost unless told otherwise.',
      confirm: ['kubectl exec POD -- ss -lnt', 'kubectl debug POD -it --image=nicolaka/netshoot -- ss -lnt', 'curl http://POD-IP:PORT/'],
      fix: ['Make the application bind to 0.0.0.0 or :: (often a setting such as HOST=0.0.0.0), and roll it out'],
      notThis: [
        '`kubectl port-forward` and exec probes enter on the loopback of the pod and prove nothing',
        'A sidecar that redirects connections to the loopback on purpose',
        'No listener on the port at all: APP002, SVC004',
      ],
      refs: ['https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/', 'ss(8)'],
    },
  },
  needs: (facts) => [facts.target.endpoints],
  judge: (facts) => {
    const backends = backendsOf(facts);
    if (backends.length === 0) return skip('the Service has no ready TCP endpoint that is a pod');
    const suspects = backends.filter((backend) => mayRefuse(backend) && loopbackListeners(backend).length > 0);
    const bad = suspects.filter((backend) => !isRedirected(facts, backend));
    if (bad.length > 0) return fail(describe(facts, bad, backends.length));
    if (suspects[0]) return cannotTell('unsupported', redirectedDetail(suspects[0]));
    const unseen = listenersNotSeen(backends);
    if (unseen) return unseen;
    return pass('no backend listens on its loopback address only', backends.map(({ pod }) => `ss -lnt in ${pod.metadata.name}`).join(', '));
  },
});

/** The listeners of the endpoint's port, when there are some and all are on a loopback address. */
function loopbackListeners({ sockets, endpoint }: Backend): Socket[] {
  if (sockets.state !== 'seen' || !sockets.complete) return [];
  const at = listenersAt(sockets.value, endpoint.port);
  return at.length > 0 && at.every((socket) => isLoopback(socket.local.host)) ? at : [];
}

function describe(facts: Facts, bad: readonly Backend[], all: number): Fault {
  const first = bad[0] as Backend;
  const { address, port } = first.endpoint;
  const at = loopbackListeners(first);
  const hosts = [...new Set(at.map((socket) => `${socket.local.host}:${socket.local.port}`))].join(' and ');
  const owner = workloadOf(first.pod);
  return fault({
    title: `${nameBackends(bad, all)} ${bad.length === 1 ? 'listens' : 'listen'} on ${hosts} only: connections to ${address}:${port} are refused`,
    where: whereOfPods(
      bad.map(({ pod }) => pod),
      bad.length === all,
    ) ?? { kind: 'Pod', name: first.pod.metadata.name },
    evidence: [
      ...bad.slice(0, 3).map((backend) => socketEvidence(backend, loopbackListeners(backend))),
      ...(first.probe && isFailing(first.probe) ? [failureEvidence(first.probe, 1)] : []),
    ],
    next: [
      `kubectl exec -n ${first.pod.metadata.namespace} ${first.pod.metadata.name} -- ss -lnt`,
      `kubectl describe ${kubectlName(owner)}`,
    ],
    fix: [`make the application of ${kubectlName(owner)} listen on 0.0.0.0:${port} (or [::]:${port}), and roll it out`],
    breaks: brokenByRefusing(facts, bad),
  });
}
