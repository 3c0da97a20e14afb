import { rulesCheck } from './rules-check.ts';

export const serviceRulesMissing = rulesCheck('missing', {
  id: 'SVC009',
  slug: 'service-rules-missing',
  layer: 'service',
  title: "The client's node has no rule that translates the ClusterIP",
  since: '0.1.0',
  explain: {
    what: "The Service has endpoints, and nothing on the client's node translates its ClusterIP to them: the rule, its chain or the element of kube-proxy's map is not there. Packets leave the node as they are and are lost.",
    why: 'kube-proxy has not seen the Service (stuck, no access to the API server), its rules were removed by something else, or it can not write (xtables lock, a rule that the kernel refuses).',
    confirm: [
      'iptables-save -t nat | grep CLUSTER-IP',
      'nft list map ip kube-proxy service-ips | grep CLUSTER-IP',
      'kubectl logs -n kube-system -l k8s-app=kube-proxy --tail=50',
    ],
    fix: ["Restart kube-proxy's pod on the node, and read its log for what kept it from writing"],
    notThis: [
      'Rules that are there and not reached: SVC011',
      'Clusters that replace kube-proxy (Cilium, OVN-Kubernetes): their state is not in these tables',
    ],
    refs: [
      'https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/',
      'https://github.com/kubernetes/kubernetes/issues/129982',
    ],
  },
});
