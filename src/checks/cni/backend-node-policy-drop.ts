import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import type { Leg } from '../../walk/leg.ts';
import { describeDecision } from '../../walk/passage-rules.ts';
import { defineCheck } from '../check.ts';
import { type ScopedStop, scopedStop } from './forwarding-rules.ts';
import { fine, flowKey, judgeLegs, type LegFinding } from './legs.ts';

export const backendNodePolicyDrop = defineCheck({
  meta: {
    id: 'CNI017',
    slug: 'backend-node-policy-drop',
    layer: 'cni',
    title: "A rule on a backend's node, or in the backend pod, drops what is addressed to that pod",
    since: '0.1.0',
    explain: {
      what: "On the way to one backend a rule drops (or rejects) what is addressed to that pod or its port: what an enforced NetworkPolicy looks like in the node's tables, or a rule in the pod's own network namespace. Other pods of the node are not concerned, and the kubelet's own probes usually pass, because they come from the node itself.",
      why: 'A NetworkPolicy selects the pod and none of its rules allows this client (labels, a namespaceSelector, the Service port written instead of the pod port); a service mesh or an init container left rules in the pod; or somebody blocked the pod by hand.',
      confirm: [
        'iptables-save -c | grep -E "DROP|REJECT"   (on the node of the backend)',
        'kubectl get networkpolicies -A',
        'kubectl describe networkpolicy -n NAMESPACE',
      ],
      fix: [
        "Add an ingress rule for this client to a policy that selects the pod (policies add up; the port is the pod's), or take the rule away if no policy made it",
      ],
      notThis: [
        'NetworkPolicies exist and nothing enforces them (plain flannel): then no such rule is there, and they change nothing',
        'A rule that drops all forwarded traffic: CNI011',
        'A pod that does not listen refuses as a REJECT does: `ss -lnt` in the pod tells',
      ],
      refs: ['https://kubernetes.io/docs/concepts/services-networking/network-policies/'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => [examine(facts, leg)],
      keyOf: flowKey,
      passed: "no rule on the backends' nodes or in their pods is against these pods",
      by: "iptables-save, iptables-legacy-save and nft list ruleset of the backends' nodes, iptables-save of the pods",
      skipped: 'no traffic to look at',
    }),
});

function examine(facts: Facts, leg: Leg): LegFinding {
  const { stop, doubts } = scopedStop(facts, leg);
  if (stop) return stop.scope === 'pod' ? broken(facts, leg, stop) : fine;
  const [doubt] = doubts;
  return doubt === undefined ? fine : { state: 'unknown', reason: 'unparsed', detail: doubt.detail };
}

function broken(facts: Facts, leg: Leg, { stop, way }: ScopedStop): LegFinding {
  const { decision, passage } = stop;
  const { pod } = leg.to;
  const name = pod ? `pod ${pod.metadata.namespace}/${pod.metadata.name}` : leg.to.address;
  const place = passage.pod ? `in its own network namespace` : `on its node ${passage.node}`;
  const policies = facts.networkPolicies();
  const count = policies.state === 'seen' ? policies.value.length : 0;
  return {
    state: 'broken',
    key: `${passage.net.prefix} ${decision.source} ${decision.line} ${leg.to.address}`,
    parts: () => ({
      title: `a rule ${place} ${stop.rejectWith ? 'rejects' : 'drops'} ${way.isReply ? 'the answers of' : 'what is sent to'} ${name} (${leg.to.address}${leg.port === undefined ? '' : `, ${leg.protocol} ${leg.port}`}): ${describeDecision(decision)}`,
      where: { kind: 'rule', name: describeDecision(decision), ...(leg.to.node === null ? {} : { node: leg.to.node }) },
      evidence: [evidence(stop.entry, decision.line)],
      next: [
        `kubectl get networkpolicies -n ${pod?.metadata.namespace ?? facts.target.namespace}`,
        ...(passage.node === null
          ? []
          : [`kubectl debug node/${passage.node} -it --image=nicolaka/netshoot --profile=sysadmin -- iptables-save -c`]),
      ],
      fix: [
        count > 0
          ? `see which of the ${count} NetworkPolicies of namespace ${facts.target.namespace} selects ${name}, and allow this client in it`
          : 'no NetworkPolicy of the namespace explains the rule: find out who made it, and take it away',
      ],
    }),
  };
}
