import { rulesCheck } from './rules-check.ts';

export const serviceRulesStale = rulesCheck('stale', {
  id: 'SVC010',
  slug: 'service-rules-stale',
  layer: 'service',
  title: "kube-proxy's rules on the client's node do not follow the EndpointSlices",
  since: '0.1.0',
  explain: {
    what: "The rules of the client's node send the Service's connections to addresses that are no endpoint any more, or leave out endpoints that are ready.",
    why: 'kube-proxy on that node is stuck, has lost its watch on the API server, or fails to write. A few seconds of difference after a change are normal.',
    confirm: [
      'kubectl get endpointslices -l kubernetes.io/service-name=NAME -o wide',
      'iptables-save -t nat | grep NAMESPACE/NAME',
      'curl http://127.0.0.1:10256/healthz on the node',
    ],
    fix: ["Restart kube-proxy's pod on the node, after reading its log"],
    notThis: [
      'Topology hints or trafficDistribution, which leave endpoints out on purpose',
      'Endpoints that terminate: they are used while no ready one is left',
    ],
    refs: [
      'https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/',
      'https://github.com/kubernetes/kubernetes/issues/126130',
    ],
  },
});
