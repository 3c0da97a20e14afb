import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { isUp, type Link } from '../../model/link.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import { lookupRoute } from '../../walk/route-lookup.ts';
import { defineCheck } from '../check.ts';
import { fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';
import { podName, podsOf, vethOf } from './pod-links.ts';

export const podVethNotOnBridge = defineCheck({
  meta: {
    id: 'CNI014',
    slug: 'pod-veth-not-on-bridge',
    layer: 'cni',
    title: "The node's end of a pod's veth is not a port of the bridge",
    since: '0.1.0',
    explain: {
      what: "The node looks for the pod on its bridge (its route to the pod leads there), and the pod's veth is not a port of it. The pod may still find its gateway, because the node answers ARP for its own address on any device; answers to the pod are lost. Clients see a timeout.",
      why: 'A network manager detached the port, the bridge was deleted and made anew under running pods, or two CNI configurations took turns.',
      confirm: ['bridge link', 'ip -o link show type veth   (no `master cni0`)', 'ip neigh show dev cni0   (FAILED for the pod)'],
      fix: ['Delete the pod: its controller makes it anew, on the bridge', 'Keep the network manager away from veth* and the bridge'],
      notThis: [
        'Routed CNIs (Calico, Cilium, AWS VPC CNI) have no bridge: their veths never have a master, and the route to the pod names the veth itself',
      ],
      refs: ['bridge(8)', 'https://www.cni.dev/plugins/current/main/bridge/'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => podsOf(leg).map((pod) => examine(facts, pod)),
      passed: 'the veths of the pods are ports of the bridge to which the routes lead',
      by: 'ip -d link and ip route on the nodes of the flow',
      skipped: 'no pod on a bridge in this flow',
    }),
});

function examine(facts: Facts, pod: Pod): LegFinding {
  const pair = vethOf(facts, pod);
  if (pair.state !== 'seen') return unseen(pair, `devices of pod ${podName(pod)} and of its node`);
  const { podIP } = pod.status;
  if (pair.value === null || podIP === undefined || !pair.value.outer) return none;
  const { outer, node } = pair.value;
  const net = facts.nodeNet(node);
  const route = lookupRoute(net, { to: podIP });
  const links = net.links();
  if (route.state !== 'seen') return unseen(route, `routes of node ${node}`);
  if (links.state !== 'seen') return unseen(links, `devices of node ${node}`);
  const bridge = links.value.find((link) => link.name === route.value.dev && link.kind === 'bridge');
  if (!bridge || !route.value.route || isUp(outer) === false) return none;
  if (outer.master === bridge.name) return fine;
  return broken(facts, pod, node, outer, bridge, route.value.route.line);
}

function broken(facts: Facts, pod: Pod, node: string, veth: Link, bridge: Link, line: number): LegFinding {
  const neighbours = facts.nodeNet(node).neighbours();
  const failed =
    neighbours.state === 'seen'
      ? neighbours.value.find(
          (item) => item.address === pod.status.podIP && (item.states.includes('FAILED') || item.states.includes('INCOMPLETE')),
        )
      : undefined;
  return {
    state: 'broken',
    key: podName(pod),
    parts: () => ({
      title: `${veth.name} on node ${node}, the veth of pod ${podName(pod)}, is ${veth.master ? `a port of ${veth.master} and not` : 'no port'} of ${bridge.name}, where the node looks for ${pod.status.podIP}`,
      where: { kind: 'link', name: veth.name, node },
      evidence: [
        evidence(`node/${node}/ip-link`, veth.line),
        evidence(`node/${node}/ip-route`, line),
        ...(failed ? [evidence(`node/${node}/ip-neigh`, failed.line)] : []),
      ],
      next: [`kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- bridge link`],
      fix: [
        `kubectl delete pod -n ${pod.metadata.namespace} ${pod.metadata.name}, so that it gets a new veth on the bridge`,
        `by hand on ${node}, until then: ip link set ${veth.name} master ${bridge.name}`,
      ],
    }),
  };
}
