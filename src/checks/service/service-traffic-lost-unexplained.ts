import { failureEvidence, isFailing } from '../../facts/probe-results.ts';
import { defineCheck, fail, fault, pass, skip } from '../check.ts';
import { fromClient } from '../traffic.ts';

export const serviceTrafficLostUnexplained = defineCheck({
  meta: {
    id: 'SVC099',
    slug: 'service-traffic-lost-unexplained',
    layer: 'service',
    title: 'Connections through the Service fail, its endpoints answer directly, and no cause was found',
    since: '0.1.0',
    explain: {
      what: 'From the same client the endpoints answer by their own addresses, and (some) connections through the Service do not. So the fault lies between the two: in the translation of the ClusterIP. No check found what it is.',
      why: 'A data path that k8snet does not read (eBPF, OVS, a cloud load balancer), something that could not be looked at, or a fault that it does not know.',
      confirm: ['conntrack -L -d CLUSTER-IP', 'kubectl get endpointslices -l kubernetes.io/service-name=NAME'],
      fix: ['Look at what was not checked, above all; then at the state of what serves ClusterIPs in this cluster'],
      notThis: [],
      refs: ['https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const service = facts.probesOf('service').filter((probe) => fromClient(facts, probe));
    const failing = service.filter(isFailing);
    if (service.length === 0) return skip('no connection through the Service was tried');
    if (facts.probesOf('endpoint').some((probe) => fromClient(facts, probe) && isFailing(probe)))
      return skip('endpoints fail by their own addresses too: the fault is not in the translation');
    if (failing.length === 0)
      return pass(
        'connections through the Service succeed',
        `${service.reduce((sum, probe) => sum + probe.tries.length, 0)} tries from the client`,
      );
    return fail(
      fault({
        title: `connections to ${failing.map((probe) => probe.target).join(', ')} fail, and nothing that was read explains it`,
        where: { kind: 'Service', namespace: facts.target.namespace, name: facts.target.name },
        evidence: failing.slice(0, 2).map((probe) => failureEvidence(probe)),
        next: [`kubectl get endpointslices -n ${facts.target.namespace} -l kubernetes.io/service-name=${facts.target.name} -o wide`],
        fix: [],
        breaks: (probe) => failing.includes(probe),
      }),
    );
  },
});
