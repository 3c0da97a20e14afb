import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { isUp, type Link } from '../../model/link.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { defineCheck } from '../check.ts';
import { fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';
import { podKey, podName, podsOf, type VethPair, vethOf } from './pod-links.ts';

export const podVethDown = defineCheck({
  meta: {
    id: 'CNI013',
    slug: 'pod-veth-down',
    layer: 'cni',
    title: "A pod's veth, or the bridge that it is on, is down",
    since: '0.1.0',
    explain: {
      what: 'A pod is joined to its node by a pair of virtual interfaces: eth0 in the pod, a veth on the node, and with most CNIs a bridge (cni0) behind it. One of them is administratively down, so that nothing gets to the pod or out of it (with a bridge: of any pod of the node).',
      why: 'Somebody set the device down, a network manager took it over, or the sandbox was torn down by half.',
      confirm: [
        'ip link show   (on the node and, with nsenter, in the pod)',
        'ip -o link | grep ifN   (N is the number behind eth0@if in the pod)',
      ],
      fix: [
        'Delete the pod: its controller makes it anew, with a new veth',
        'For a bridge: ip link set cni0 up, and keep the network manager away from it',
      ],
      notThis: ['cni0 with NO-CARRIER on a node without pods is normal', 'Up, and not a port of the bridge: CNI014'],
      refs: ['ip-link(8)', 'https://www.cni.dev/plugins/current/main/bridge/'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => podsOf(leg).map((pod) => examine(facts, pod)),
      passed: 'the veths of the pods and their bridges are up',
      by: 'ip -d link on the nodes and in the pods of the flow',
      skipped: 'no pod with a network of its own in this flow',
    }),
});

function examine(facts: Facts, pod: Pod): LegFinding {
  const pair = vethOf(facts, pod);
  if (pair.state !== 'seen') return unseen(pair, `devices of pod ${podName(pod)} and of its node`);
  if (pair.value === null) return none;
  const { outer, inner, node } = pair.value;
  if (outer && isUp(outer) === false) return broken(pair.value, outer, node);
  if (isUp(inner) === false) return broken(pair.value, inner, null);
  const links = facts.nodeNet(node).links();
  const master = links.state === 'seen' && outer?.master ? links.value.find((link) => link.name === outer.master) : undefined;
  if (master && isUp(master) === false) return bridgeDown(master, node);
  return fine;
}

function broken({ pod, node }: VethPair, link: Link, where: string | null): LegFinding {
  const what =
    where === null ? `${link.name} inside pod ${podName(pod)}` : `${link.name} on node ${node}, the veth of pod ${podName(pod)},`;
  return {
    state: 'broken',
    key: `${podName(pod)} ${link.name}`,
    parts: () => ({
      title: `${what} is down: nothing reaches the pod or leaves it`,
      where:
        where === null
          ? { kind: 'link', namespace: pod.metadata.namespace ?? '', name: `${link.name} of pod ${podName(pod)}` }
          : { kind: 'link', name: link.name, node },
      evidence: [evidence(where === null ? podKey(pod, 'ip-link') : `node/${node}/ip-link`, link.line)],
      next: [
        `kubectl get pod -n ${pod.metadata.namespace} ${pod.metadata.name} -o wide`,
        `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip link show`,
      ],
      fix: [
        `kubectl delete pod -n ${pod.metadata.namespace} ${pod.metadata.name}, so that it gets a new veth`,
        ...(where === null ? [] : [`by hand on ${node}, until then: ip link set ${link.name} up`]),
      ],
    }),
  };
}

const bridgeDown = (bridge: Link, node: string): LegFinding => ({
  state: 'broken',
  key: `${node} ${bridge.name}`,
  parts: () => ({
    title: `the bridge ${bridge.name} of node ${node} is down: no pod of this node can be reached`,
    where: { kind: 'link', name: bridge.name, node },
    evidence: [evidence(`node/${node}/ip-link`, bridge.line)],
    next: [`kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip addr show ${bridge.name}`],
    fix: [`ip link set ${bridge.name} up on ${node}, and find out who set it down`],
  }),
});
