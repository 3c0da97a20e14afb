import { objectEvidence } from '../../facts/facts.ts';
import { defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { breaksTarget } from '../traffic.ts';
import { backingPods, declaredPorts } from './backing-pods.ts';

export const namedPortMissing = defineCheck({
  meta: {
    id: 'SVC005',
    slug: 'named-port-missing',
    layer: 'service',
    title: 'targetPort is a name that no container of the pods has',
    since: '0.1.0',
    explain: {
      what: "The Service's targetPort is a name, and no container of the selected pods declares a port of that name. The EndpointSlice has no port for it, and kube-proxy rejects connections as if there were no endpoints.",
      why: 'The port was renamed in the pod template or in the Service only, or never had a name.',
      confirm: [
        "kubectl get service NAME -o jsonpath='{.spec.ports}'",
        "kubectl get pods -l SELECTOR -o jsonpath='{.items[*].spec.containers[*].ports}'",
      ],
      fix: ['Name the container port as the Service does, or use the number as targetPort'],
      notThis: ['A number as targetPort works without any declaration in the pod'],
      refs: ['https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports'],
    },
  },
  needs: (facts) => [facts.target.service, facts.pods(facts.target.namespace)],
  judge: (facts) => {
    const { service, port, namespace, name } = facts.target;
    if (service.state !== 'seen') return notSeen(service);
    const wanted = port?.targetPort;
    if (typeof wanted !== 'string') return skip('targetPort is a number');
    const pods = backingPods(facts);
    if (pods.length === 0) return skip('the selector matches no pod');
    const with_ = pods.filter((pod) => declaredPorts(pod).some((item) => item.name === wanted));
    if (with_.length === pods.length) return pass(`every pod has a port named "${wanted}"`, 'container ports of the pods');
    const without = pods.find((pod) => !with_.includes(pod));
    if (!without) return skip('no pod to compare with');
    const declared = declaredPorts(without);
    if (with_.length > 0) return skip('some pods have the port: a rollout may be under way');
    return fail(
      fault({
        title: `Service ${namespace}/${name} has targetPort "${wanted}", and no container of its pods has a port of that name${declared.length > 0 ? ` (they have ${declared.map((item) => `${item.name ?? 'unnamed'}=${item.port}`).join(', ')})` : ''}`,
        where: { kind: 'Service', namespace, name },
        evidence: [
          objectEvidence('service', service.value, '.spec.ports', service.value.spec.ports),
          objectEvidence(
            'pod',
            without,
            '.spec.containers[*].ports',
            without.spec.containers.flatMap((container) => container.ports ?? []),
          ),
        ],
        next: [`kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name} -o yaml`],
        fix: [`name the container port "${wanted}", or set targetPort to the number`],
        certain: true,
        breaks: breaksTarget(facts),
      }),
    );
  },
});
