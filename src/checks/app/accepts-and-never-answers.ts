import { type Facts, originKey } from '../../facts/facts.ts';
import { failed, failureEvidence, isFailing, isPassing, type ProbeResult, type Try } from '../../facts/probe-results.ts';
import type { Socket } from '../../model/socket.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { hostOf } from '../traffic.ts';
import { type Backend, backendsOf, brokenBy, listenersAt, nameBackends, socketEvidence } from './backends.ts';
import { kubectlName, whereOfPods, workloadOf } from './workload.ts';

export const acceptsAndNeverAnswers = defineCheck({
  meta: {
    id: 'APP003',
    slug: 'accepts-and-never-answers',
    layer: 'app',
    title: 'The application accepts connections and never answers',
    since: '0.1.0',
    explain: {
      what: "Connections to the backend are made at once, and then not a byte comes back. The kernel completes connections by itself and keeps them in the listener's queue (Recv-Q of `ss -lnt`); when the queue is full, further ones time out.",
      why: 'A process that is stopped, hangs in a lock, has a blocked event loop or no worker left, or is starved of CPU; no readiness or liveness probe that asks the application itself.',
      confirm: [
        'curl -v -m 5 http://POD-IP:PORT/',
        'kubectl exec POD -- ss -lnt',
        'kubectl exec POD -- nstat -az TcpExtListenOverflows TcpExtListenDrops',
        'kubectl logs POD',
      ],
      fix: [
        'Find out what the process waits for (its log, a thread dump), restart it',
        'Add a readiness probe that asks the application over the network, and a liveness probe where a restart helps',
      ],
      notThis: [
        'Full-size packets are lost: connections are made and answers never come either (see the payload probes and the CNI checks)',
        'A protocol in which the client speaks first and k8snet does not know it',
        'A short Recv-Q is normal under load: it drains',
      ],
      refs: ['listen(2)', 'ss(8)', 'https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes'],
    },
  },
  needs: (facts) => [facts.target.endpoints],
  judge: (facts) => {
    const backends = backendsOf(facts);
    if (backends.length === 0) return skip('the Service has no ready TCP endpoint that is a pod');
    const candidates = backends.filter(
      (backend) => backend.probe && isFailing(backend.probe) && isSilent(failed(backend.probe), fullQueue(backend).length > 0),
    );
    if (candidates.length === 0) {
      const unasked = backends.find(({ probe }) => !probe || probe.unknown !== null);
      return unasked
        ? cannotTell(
            unasked.probe?.unknown?.reason ?? 'not-collected',
            `${unasked.endpoint.address}:${unasked.endpoint.port} was not asked`,
          )
        : pass(
            'no backend accepts a connection and stays silent',
            backends.map(({ endpoint }) => `${endpoint.address}:${endpoint.port}`).join(', '),
          );
    }
    const bad = candidates.filter((backend) => !isLostOnTheWay(facts, backend));
    if (bad.length > 0) return fail(describe(facts, bad, backends.length));
    return cannotTell(
      'unsupported',
      `${candidates[0]?.endpoint.address} accepts and its answers do not arrive; its own node gets them, or full-size packets are lost: not shown to be the application`,
    );
  },
});

/** Connected and no byte came, or no place was left in the listener's queue. */
const isSilent = (tries: readonly Try[], full: boolean): boolean =>
  tries.some((item) => item.cause === 'no-answer' || (full && item.cause === 'timeout'));

/** Listeners of the port with connections that wait to be accepted. */
const waiting = ({ sockets, endpoint }: Backend): Socket[] =>
  sockets.state === 'seen' ? listenersAt(sockets.value, endpoint.port).filter((socket) => socket.recvQueue > 0) : [];

/** The accept queue holds one more than its limit (sk_acceptq_is_full in include/net/sock.h): the kernel drops further SYNs. */
const fullQueue = (backend: Backend): Socket[] => waiting(backend).filter((socket) => socket.recvQueue > socket.sendQueue);

/** The backend's own node gets an answer, or large packets don't arrive: then the way is at fault, whatever the application does. */
function isLostOnTheWay(facts: Facts, { endpoint }: Backend): boolean {
  const target = `${endpoint.address}:${endpoint.port}`;
  const local = facts.probes.find(
    (probe) => probe.stage === 'endpoint' && probe.target === target && originKey(probe) === `node/${endpoint.nodeName}`,
  );
  const payloads = facts.probes.filter((probe) => probe.stage === 'payload' && isBetween(facts, probe, endpoint.address));
  return (local !== undefined && isPassing(local)) || payloads.some((probe) => probe.payload?.full === false);
}

const isBetween = (facts: Facts, probe: ProbeResult, address: string): boolean => {
  const host = hostOf(probe.target);
  if (host === address) return originKey(probe) === facts.client.origin;
  return (
    host === facts.client.address &&
    probe.origin.kind === 'pod' &&
    facts.pod(probe.origin.namespace ?? '', probe.origin.name)?.status.podIP === address
  );
};

function describe(facts: Facts, bad: readonly Backend[], all: number): Fault {
  const first = bad[0] as Backend;
  const full = fullQueue(first)[0];
  const queue = waiting(first)[0];
  const owner = workloadOf(first.pod);
  const verb = bad.length === 1 ? ['accepts', 'answers'] : ['accept', 'answer'];
  const backlog = full
    ? `; its accept queue is full (${full.recvQueue} of ${full.sendQueue})`
    : queue
      ? `; ${queue.recvQueue} connection${queue.recvQueue === 1 ? ' waits' : 's wait'} in its accept queue`
      : '';
  const anyFull = bad.some((backend) => fullQueue(backend).length > 0);
  return fault({
    title: `${nameBackends(bad, all)} ${verb[0]} connections on port ${first.endpoint.port} and never ${verb[1]}${backlog}`,
    where: whereOfPods(
      bad.map(({ pod }) => pod),
      bad.length === all,
    ) ?? { kind: 'Pod', name: first.pod.metadata.name },
    evidence: [
      ...bad.slice(0, 3).flatMap((backend) => (backend.probe ? [failureEvidence(backend.probe, 1)] : [])),
      ...bad.slice(0, 3).flatMap((backend) => (waiting(backend).length > 0 ? [socketEvidence(backend, waiting(backend))] : [])),
    ],
    next: [
      `kubectl exec -n ${first.pod.metadata.namespace} ${first.pod.metadata.name} -- ss -lnt`,
      `kubectl logs -n ${first.pod.metadata.namespace} ${first.pod.metadata.name} --tail=50`,
      `kubectl top pod -n ${first.pod.metadata.namespace} ${first.pod.metadata.name}`,
    ],
    fix: [
      bad.length === all
        ? `find out what the application of ${kubectlName(owner)} waits for, and restart it: kubectl rollout restart ${kubectlName(owner)}`
        : `kubectl delete pod -n ${first.pod.metadata.namespace} ${first.pod.metadata.name}`,
      'add a readiness probe that asks the application over the network',
    ],
    breaks: brokenBy(facts, bad, (tries) => isSilent(tries, anyFull)),
  });
}
