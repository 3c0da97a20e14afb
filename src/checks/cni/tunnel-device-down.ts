import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { isUp, type Link } from '../../model/link.ts';
import { cannotTell, defineCheck, fail, fault, type Fault, pass } from '../check.ts';
import { betweenNodes, flowNodes } from '../traffic.ts';

const tunnelKinds = new Set(['vxlan', 'ipip', 'geneve', 'gre', 'wireguard', 'sit']);

export const tunnelDeviceDown = defineCheck({
  meta: {
    id: 'CNI001',
    slug: 'tunnel-device-down',
    layer: 'cni',
    title: "The overlay's tunnel device is down on a node",
    since: '0.1.0',
    explain: {
      what: 'The device that carries traffic between pods of different nodes (flannel.1, vxlan.calico, tunl0…) is administratively down on one node. The kernel removes the routes through it, so packets to other nodes find no route or leave by the default route.',
      why: 'Somebody or something (a network manager, a script, a failed upgrade of the CNI agent) set it down; the agent does not set it up again by itself.',
      confirm: ['ip -d link show type vxlan', 'ip route show dev flannel.1'],
      fix: ['Restart the CNI agent on that node, so that it sets the device up and programs its routes, neighbours and FDB anew', 'Keep the network manager of the node away from the device (unmanaged)'],
      notThis: ['`state UNKNOWN` is normal for a tunnel device: only the missing flag UP counts', 'tunl0 is down without harm where IPIP is not used: it matters only when traffic between nodes is lost'],
      refs: ['https://www.kernel.org/doc/html/latest/networking/vxlan.html', 'ip-link(8)'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const nodes = flowNodes(facts).map((name) => ({ name, links: facts.nodeNet(name).links() }));
    const faults = nodes.flatMap(({ name, links }) => (links.state === 'seen' ? links.value.filter(isDownTunnel).map((link) => describe(facts, name, link)) : []));
    if (faults.length > 0) return fail(...faults);
    const unseen = nodes.find(({ links }) => links.state !== 'seen');
    if (unseen) return cannotTell(unseen.links.state === 'unknown' ? unseen.links.reason : 'not-collected', `devices of node ${unseen.name}: ${unseen.links.state === 'unknown' ? unseen.links.detail : 'not there'}`);
    return pass('tunnel devices are up', `ip -d link on ${nodes.map(({ name }) => name).join(', ')}`);
  },
});

// tunl0 and sit0 are made by loading their module and mean nothing while they have no address of their own.
const isDownTunnel = (link: Link): boolean => tunnelKinds.has(link.kind ?? '') && isUp(link) === false && !/^(tunl0|sit0|gre0|ip6tnl0)$/.test(link.name);

function describe(facts: Facts, node: string, link: Link): Fault {
  return fault({
    title: `${link.name} (${link.kind}) is down on node ${node}: pods there can't reach, or be reached from, pods of other nodes`,
    where: { kind: 'link', name: link.name, node },
    evidence: [evidence(`node/${node}/ip-link`, link.line)],
    next: [`kubectl get pods -A -o wide --field-selector spec.nodeName=${node} | grep -Ei 'flannel|calico|cilium|weave|cni'`],
    fix: [`restart the CNI agent's pod on ${node}: it sets ${link.name} up and puts its routes back`],
    breaks: betweenNodes(facts, node, null),
  });
}
