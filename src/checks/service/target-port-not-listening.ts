import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failed, failureEvidence, isFailing } from '../../facts/probe-results.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { cannotTell, defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { hostOf, needsAddress } from '../traffic.ts';
import { declaredPorts } from './backing-pods.ts';
import { tcpListeners } from './listeners.ts';

export const targetPortNotListening = defineCheck({
  meta: {
    id: 'SVC004',
    slug: 'target-port-not-listening',
    layer: 'service',
    title: 'The Service sends to a port that its pods neither declare nor listen on',
    since: '0.1.0',
    explain: {
      what: "The Service's targetPort is not a port of its pods: the containers declare others, and nothing listens on it. The pod's kernel answers every connection with a reset.",
      why: 'The number in the Service was mistyped, or the application moved to another port and the Service did not follow.',
      confirm: [
        "kubectl get service NAME -o jsonpath='{.spec.ports}'",
        'kubectl exec POD -- ss -lnt',
        "kubectl get pods -l SELECTOR -o jsonpath='{.items[*].spec.containers[*].ports}'",
      ],
      fix: ['Set targetPort to the port that the application listens on (its name is best: it follows the pod template)'],
      notThis: [
        'The port is what the containers declare, and the process listens elsewhere: APP002',
        'It listens, but on 127.0.0.1 only: APP001',
        'A container port that is not declared works as well: only what listens counts',
      ],
      refs: ['https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/'],
    },
  },
  needs: (facts) => [facts.target.service, facts.target.endpoints],
  judge: (facts) => {
    const { service, endpoints, port } = facts.target;
    if (service.state !== 'seen' || endpoints.state !== 'seen' || !port)
      return service.state !== 'seen' ? notSeen(service) : skip('the Service has no port or no endpoints');
    if (port.protocol !== 'TCP') return skip(`the port is ${port.protocol}`);
    const pods = endpoints.value
      .filter((endpoint) => endpoint.ready)
      .flatMap((endpoint) => (endpoint.pod ? [{ endpoint, pod: facts.pod(endpoint.pod.namespace, endpoint.pod.name) }] : []));
    const undeclared = pods.flatMap(({ endpoint, pod }) =>
      pod && declaredPorts(pod).length > 0 && !declaredPorts(pod).some((item) => item.port === endpoint.port) ? [{ endpoint, pod }] : [],
    );
    if (pods.length === 0) return skip('the Service has no ready endpoint with a pod');
    if (undeclared.length === 0)
      return pass(
        `targetPort ${String(port.targetPort ?? port.port)} is a port that the containers declare`,
        'container ports of the pods',
      );
    const silent = undeclared.filter(
      ({ endpoint, pod }) => listens(facts, pod, endpoint.port) === false || refused(facts, endpoint.address),
    );
    if (silent.length === 0) {
      const unknown = undeclared.some(({ endpoint, pod }) => listens(facts, pod, endpoint.port) === undefined);
      return unknown
        ? cannotTell('not-collected', 'what the pods listen on was not read')
        : pass(`port ${undeclared[0]?.endpoint.port} is not declared, and is listened on`, 'ss -lnt in the pods');
    }
    const first = silent[0] as (typeof silent)[number];
    const declared = [...new Set(declaredPorts(first.pod).map((item) => `${item.port}${item.name ? ` (${item.name})` : ''}`))].join(', ');
    const addresses = new Set(silent.map(({ endpoint }) => endpoint.address));
    return fail(
      fault({
        title: `Service ${facts.target.namespace}/${facts.target.name} sends to port ${first.endpoint.port}, and ${silent.length === pods.length ? 'its pods do' : `${silent.length} of its ${pods.length} pods do`} not listen there; the containers declare ${declared}`,
        where: { kind: 'Service', namespace: facts.target.namespace, name: facts.target.name },
        evidence: [
          objectEvidence('service', service.value, '.spec.ports', service.value.spec.ports),
          objectEvidence(
            'pod',
            first.pod,
            '.spec.containers[*].ports',
            first.pod.spec.containers.flatMap((container) => container.ports ?? []),
          ),
          ...listenerEvidence(facts, first.pod),
          ...refusalEvidence(facts, first.endpoint.address),
        ],
        next: [`kubectl exec -n ${facts.target.namespace} ${first.pod.metadata.name} -- ss -lnt`],
        fix: [`set targetPort of Service ${facts.target.name} to ${declared}`],
        breaks: needsAddress(
          facts,
          (address, probe) => probe.stage !== 'payload' && probe.stage !== 'name' && probe.stage !== 'dns-server' && addresses.has(address),
        ),
      }),
    );
  },
});

const listens = (facts: Facts, pod: Pod, port: number): boolean | undefined => {
  const sockets = tcpListeners(facts, pod);
  if (sockets.state !== 'seen') return undefined;
  return sockets.value.some((socket) => socket.local.port === port) ? true : sockets.complete ? false : undefined;
};

const probesOf = (facts: Facts, address: string) =>
  facts.probesOf('endpoint').filter((probe) => hostOf(probe.target) === address && isFailing(probe));

/** The pod's own kernel said that nothing listens: a refusal, and nothing else, from wherever it was asked. */
const refused = (facts: Facts, address: string): boolean => {
  const probes = probesOf(facts, address);
  return probes.length > 0 && probes.every((probe) => failed(probe).every((item) => item.cause === 'refused'));
};

const refusalEvidence = (facts: Facts, address: string): EvidenceRef[] =>
  probesOf(facts, address)
    .slice(0, 1)
    .map((probe) => failureEvidence(probe, 1));

const listenerEvidence = (facts: Facts, pod: Pod): EvidenceRef[] => {
  const sockets = tcpListeners(facts, pod);
  return sockets.state === 'seen'
    ? [evidence(`${facts.podNet(pod).prefix}/ss`, ...sockets.value.slice(0, 4).map((socket) => socket.line))]
    : [];
};
