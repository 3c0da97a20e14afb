import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failureEvidence, isFailing } from '../../facts/probe-results.ts';
import type { Socket } from '../../model/socket.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import {
  type Backend,
  backendsOf,
  brokenByRefusing,
  isLoopback,
  isRedirected,
  listeners,
  listenersAt,
  listenersNotSeen,
  mayRefuse,
  nameBackends,
  redirectedDetail,
  socketEvidence,
} from './backends.ts';
import { kubectlName, whereOfPods, workloadOf } from './workload.ts';

export const listeningOnWrongPort = defineCheck({
  meta: {
    id: 'APP002',
    slug: 'listening-on-wrong-port',
    layer: 'app',
    title: 'The application does not listen on the port that its container declares',
    since: '0.1.0',
    explain: {
      what: "The Service sends connections to the port that the container declares, and no process in the pod listens there: it listens on another port, or on none. The pod's kernel refuses every connection at once.",
      why: 'The application took its port from a setting that was changed, or its own default, and the pod template was not changed with it; or the process has not come up, and no readiness probe says so.',
      confirm: ['kubectl exec POD -- ss -lnt', "kubectl get pod POD -o jsonpath='{.spec.containers[*].ports}'", 'kubectl logs POD'],
      fix: [
        'Make the application listen on the declared port, or declare the port that it listens on and let the Service follow',
        'Add a readiness probe on the port, so that a pod that does not listen takes no traffic',
      ],
      notThis: [
        "The Service's targetPort is not what the containers declare: SVC004",
        'Listening on 127.0.0.1 only: APP001',
        'containerPort is documentation only: alone it opens and closes nothing',
      ],
      refs: [
        'https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/',
        'https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports',
      ],
    },
  },
  needs: (facts) => [facts.target.endpoints],
  judge: (facts) => {
    const backends = backendsOf(facts);
    if (backends.length === 0) return skip('the Service has no ready TCP endpoint that is a pod');
    const declared = backends.filter(declares);
    if (declared.length === 0)
      return skip("no container declares the port that the Service sends to (SVC004 looks at the Service's targetPort)");
    const suspects = declared.filter((backend) => mayRefuse(backend) && listensElsewhere(backend));
    const bad = suspects.filter((backend) => !isRedirected(facts, backend));
    if (bad.length > 0) return fail(describe(facts, bad, backends.length));
    if (suspects[0]) return cannotTell('unsupported', redirectedDetail(suspects[0]));
    const unseen = listenersNotSeen(declared);
    if (unseen) return unseen;
    return pass('every backend listens on its declared port', declared.map(({ pod }) => `ss -lnt in ${pod.metadata.name}`).join(', '));
  },
});

const declares = ({ pod, endpoint }: Backend): boolean =>
  pod.spec.containers.some((container) =>
    (container.ports ?? []).some((port) => port.containerPort === endpoint.port && (port.protocol ?? 'TCP') === 'TCP'),
  );

const listensElsewhere = ({ sockets, endpoint }: Backend): boolean =>
  sockets.state === 'seen' && sockets.complete && listenersAt(sockets.value, endpoint.port).length === 0;

/** Other listeners of the pod that can be reached from outside; a node's own are not a hostNetwork pod's. */
function others({ sockets, pod }: Backend): Socket[] {
  if (sockets.state !== 'seen' || pod.spec.hostNetwork) return [];
  return listeners(sockets.value).filter((socket) => !isLoopback(socket.local.host));
}

function describe(facts: Facts, bad: readonly Backend[], all: number): Fault {
  const first = bad[0] as Backend;
  const { address, port } = first.endpoint;
  const ports = [...new Set(others(first).map((socket) => socket.local.port))].sort((a, b) => (a ?? 0) - (b ?? 0));
  const owner = workloadOf(first.pod);
  const verb = bad.length === 1 ? 'listens' : 'listen';
  return fault({
    title: `${nameBackends(bad, all)} ${ports.length > 0 ? `${verb} on ${ports.join(', ')} and not` : bad.length === 1 ? 'does not listen' : 'do not listen'} on ${port}, which the container declares and the Service sends to: connections to ${address}:${port} are refused`,
    where: whereOfPods(
      bad.map(({ pod }) => pod),
      bad.length === all,
    ) ?? { kind: 'Pod', name: first.pod.metadata.name },
    evidence: [
      ...bad.slice(0, 3).map((backend) => socketEvidence(backend, others(backend))),
      objectEvidence(
        'pod',
        first.pod,
        '.spec.containers[*].ports',
        first.pod.spec.containers.flatMap((container) => container.ports ?? []),
      ),
      ...(first.probe && isFailing(first.probe) ? [failureEvidence(first.probe, 1)] : []),
    ],
    next: [
      `kubectl exec -n ${first.pod.metadata.namespace} ${first.pod.metadata.name} -- ss -lnt`,
      `kubectl logs -n ${first.pod.metadata.namespace} ${first.pod.metadata.name} --tail=50`,
    ],
    fix: [
      ports.length > 0
        ? `make the application of ${kubectlName(owner)} listen on ${port}, or change containerPort and the Service's targetPort to ${ports[0]}`
        : `find out in the log why the application of ${kubectlName(owner)} does not listen on ${port}`,
      'add a readiness probe on the port',
    ],
    breaks: brokenByRefusing(facts, bad),
  });
}
