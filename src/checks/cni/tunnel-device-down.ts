import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { isUp, type Link } from '../../model/link.ts';
import { isCrossNode, isTunnel, type Leg } from '../../walk/leg.ts';
import { annotationEvidence, publishedVtep } from '../../walk/overlay.ts';
import { defineCheck } from '../check.ts';
import { farNodes, fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';

export const tunnelDeviceDown = defineCheck({
  meta: {
    id: 'CNI001',
    slug: 'tunnel-device-down',
    layer: 'cni',
    title: "The overlay's tunnel device is down, or gone, on a node",
    since: '0.1.0',
    explain: {
      what: 'The device that carries traffic between pods of different nodes (flannel.1, vxlan.calico…) is administratively down on one node, or is not there at all. The kernel removes the routes through it, so packets to other nodes find no route or leave by the default route.',
      why: 'Somebody or something (a network manager, a script, a failed upgrade of the CNI agent) set it down or deleted it; the agent does not make it anew by itself.',
      confirm: ['ip -d link show type vxlan', 'ip route show dev flannel.1'],
      fix: [
        'Restart the CNI agent on that node, so that it sets the device up and programs its routes, neighbours and FDB anew',
        'Keep the network manager of the node away from the device (unmanaged)',
      ],
      notThis: [
        '`state UNKNOWN` is normal for a tunnel device: only the missing flag UP counts',
        'tunl0 is down without harm where IPIP is not used: it is made by loading the module',
      ],
      refs: ['https://www.kernel.org/doc/html/latest/networking/vxlan.html', 'ip-link(8)'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) =>
        isCrossNode(leg) && !leg.to.isNode
          ? [leg.from.node, leg.to.node].flatMap((node) => (node === null ? [] : [examine(facts, node)]))
          : [],
      passed: 'tunnel devices are up',
      by: 'ip -d link on the nodes of the flow',
      skipped: 'no traffic between nodes in this flow',
    }),
});

function examine(facts: Facts, node: string): LegFinding {
  const links = facts.nodeNet(node).links();
  if (links.state !== 'seen') return unseen(links, `devices of node ${node}`);
  const down = links.value.find(isDownTunnel);
  if (down) return { state: 'broken', key: `${node} ${down.name}`, parts: (legs) => describeDown(node, down, legs) };
  if (links.value.some(isTunnel)) return fine;
  if (publishedVtep(facts, node).backend !== 'vxlan' || !links.complete) return none;
  return { state: 'broken', key: `${node} gone`, parts: (legs) => describeGone(facts, node, legs) };
}

// These are made by loading their module, and mean nothing while nobody uses them.
const madeByModule = /^(tunl0|sit0|gre0|ip6tnl0|ip_vti0|erspan0)$/;
const isDownTunnel = (link: Link): boolean => isTunnel(link) && isUp(link) === false && !madeByModule.test(link.name);

const agentOf = (node: string): string =>
  `kubectl get pods -A -o wide --field-selector spec.nodeName=${node} | grep -Ei 'flannel|calico|cilium|weave|antrea|cni'`;

const describeDown = (node: string, link: Link, legs: readonly Leg[]) => ({
  title: `${link.name} (${link.kind}) is down on node ${node}: its pods and those of ${farNodes(legs, node)} can't reach each other`,
  where: { kind: 'link', name: link.name, node },
  evidence: [evidence(`node/${node}/ip-link`, link.line)],
  next: [agentOf(node)],
  fix: [`restart the CNI agent's pod on ${node}: it sets ${link.name} up and puts its routes back`],
});

const describeGone = (facts: Facts, node: string, legs: readonly Leg[]) => ({
  title: `node ${node} has no VXLAN device, though flannel's backend there is vxlan: its pods and those of ${farNodes(legs, node)} can't reach each other`,
  where: { kind: 'link', name: 'flannel.1', node },
  evidence: [evidence(`node/${node}/ip-link`), ...annotationEvidence(facts, node, 'backend-type')],
  next: [agentOf(node)],
  fix: [`restart the CNI agent's pod on ${node}: it makes the device and its routes anew`],
});
