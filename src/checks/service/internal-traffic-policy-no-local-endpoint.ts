import { objectEvidence } from '../../facts/facts.ts';
import { defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { breaksVirtual } from './virtual-services.ts';

export const internalTrafficPolicyNoLocalEndpoint = defineCheck({
  meta: {
    id: 'SVC007',
    slug: 'internal-traffic-policy-no-local-endpoint',
    layer: 'service',
    title: "internalTrafficPolicy is Local, and the client's node has no endpoint",
    since: '0.1.0',
    explain: {
      what: "With internalTrafficPolicy Local a client reaches endpoints of its own node only. The client's node has none that is ready, so its connections are dropped although the Service has endpoints elsewhere.",
      why: 'The policy was set for node-local agents, and the workload does not run on every node that has clients.',
      confirm: [
        "kubectl get service NAME -o jsonpath='{.spec.internalTrafficPolicy}'",
        'kubectl get endpointslices -l kubernetes.io/service-name=NAME -o wide',
      ],
      fix: [
        'Set internalTrafficPolicy to Cluster, or run the workload on every node (DaemonSet)',
        'trafficDistribution: PreferSameNode prefers the own node without this cliff (Kubernetes 1.34 and later)',
      ],
      notThis: ['externalTrafficPolicy Local, which is about traffic from outside'],
      refs: ['https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/'],
    },
  },
  needs: (facts) => [facts.target.service, facts.target.endpoints],
  judge: (facts) => {
    const { service, endpoints, addresses } = facts.target;
    if (service.state !== 'seen' || endpoints.state !== 'seen') return notSeen(service.state !== 'seen' ? service : endpoints);
    if (service.value.spec.internalTrafficPolicy !== 'Local') return skip('internalTrafficPolicy is not Local');
    const node = facts.client.node;
    if (node === null) return skip('there is no client');
    const usable = endpoints.value.filter((endpoint) => endpoint.ready);
    const local = usable.filter((endpoint) => endpoint.nodeName === node);
    if (local.length > 0)
      return pass(
        `internalTrafficPolicy is Local, and node ${node} has ${local.length} ready endpoint${local.length === 1 ? '' : 's'}`,
        'EndpointSlices',
      );
    if (usable.length === 0) return skip('the Service has no ready endpoint anywhere');
    const where = [...new Set(usable.map((endpoint) => endpoint.nodeName))].join(', ');
    return fail(
      fault({
        title: `Service ${facts.target.namespace}/${facts.target.name} has internalTrafficPolicy Local, and its endpoints are on ${where}: clients on node ${node} reach none`,
        where: { kind: 'Service', namespace: facts.target.namespace, name: facts.target.name },
        evidence: [
          objectEvidence('service', service.value, '.spec.internalTrafficPolicy', 'Local'),
          {
            command: `kubectl get endpointslices -n ${facts.target.namespace} -l kubernetes.io/service-name=${facts.target.name} -o jsonpath='{range .items[*].endpoints[*]}{.addresses[0]} {.nodeName}{"\\n"}{end}'`,
            on: 'API server',
            lines: usable
              .slice(0, 8)
              .map((endpoint, index) => ({ number: index + 1, text: `${endpoint.address} ${endpoint.nodeName ?? ''}` })),
          },
        ],
        next: [`kubectl get pods -n ${facts.target.namespace} -o wide --field-selector spec.nodeName=${node}`],
        fix: ['set internalTrafficPolicy to Cluster, or run an endpoint on every node that has clients'],
        certain: true,
        breaks: (probe) => addresses.some((address) => breaksVirtual(facts, address)(probe)),
      }),
    );
  },
});
