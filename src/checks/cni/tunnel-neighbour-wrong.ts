import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { annotationEvidence, finds, type VtepTruth, type VxlanHop, vtepTruth } from '../../walk/overlay.ts';
import { defineCheck } from '../check.ts';
import { eachVxlanHop } from './hops.ts';
import { fine, judgeLegs, type LegFinding, none } from './legs.ts';
import { macAtPeers } from './vtep-mac-mismatch.ts';

export const tunnelNeighbourWrong = defineCheck({
  meta: {
    id: 'CNI004',
    slug: 'tunnel-neighbour-wrong',
    layer: 'cni',
    title: "A node has no, or a wrong, neighbour entry for another node's VTEP",
    since: '0.1.0',
    explain: {
      what: 'The route to the pods of another node names a gateway on the tunnel device, and the neighbour table says which MAC (which VTEP) that gateway is. On one node the entry is missing, unresolved, or has a MAC that is not the far device\'s. Without an entry the client gets "No route to host" after about three seconds; with a wrong MAC its packets vanish.',
      why: 'The CNI agent wrote the route and not the neighbour, the table was flushed by a network script, or the entry is left over from a device that was made anew.',
      confirm: [
        'ip route show dev flannel.1',
        'ip neigh show dev flannel.1',
        'kubectl get nodes -o custom-columns=NAME:.metadata.name,VTEP:.metadata.annotations.flannel\\.alpha\\.coreos\\.com/backend-data',
      ],
      fix: ['Restart the CNI agent on the node that lacks the entry'],
      notThis: [
        'PERMANENT entries without traffic are normal: the agent writes them',
        'A device that learns (no `nolearning`) resolves its neighbours by ARP, so that they come and go',
        "When every peer has the same MAC and only the node's own device differs: CNI005",
      ],
      refs: ['ip-neighbour(8)', 'https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => eachVxlanHop(facts, leg, (vxlan) => examine(facts, vxlan)),
      passed: 'the neighbours on the tunnel devices have the MAC of the far VTEP',
      by: 'ip neigh on the nodes of the flow',
      skipped: 'no VXLAN device on the way',
    }),
});

function examine(facts: Facts, vxlan: VxlanHop): LegFinding {
  const { hop, link, gateway, neighbour } = vxlan;
  const truth = vtepTruth(facts, hop.far, link);
  const unresolved =
    neighbour === undefined ||
    neighbour.mac === undefined ||
    neighbour.states.includes('FAILED') ||
    neighbour.states.includes('INCOMPLETE');
  if (unresolved) {
    const learns = link.vxlan?.learning !== false || finds(facts, hop.node, link);
    if (neighbour === undefined && learns) return none;
    const table = facts.nodeNet(hop.node).neighbours();
    if (neighbour === undefined && (table.state !== 'seen' || !table.complete))
      return { state: 'unknown', reason: 'unparsed', detail: `the neighbours of node ${hop.node} were not read whole` };
    return broken(
      facts,
      vxlan,
      truth,
      neighbour === undefined
        ? `has no neighbour entry for ${gateway} on ${link.name}`
        : `can't resolve ${gateway} on ${link.name} (${neighbour.states.join(' ') || 'no MAC'})`,
    );
  }
  const mac = neighbour.mac?.toLowerCase() ?? '';
  const right = [truth.device?.mac, truth.published].filter((item) => item !== undefined);
  if (right.length === 0)
    return { state: 'unknown', reason: 'not-collected', detail: `the MAC of the VTEP of node ${hop.far} is not known` };
  if (right.includes(mac) || macAtPeers(facts, hop.far, link).filter((peer) => peer.mac === mac).length > 1) return fine; // agrees, or the others say so too: CNI005
  return broken(facts, vxlan, truth, `has ${mac} for ${gateway} on ${link.name}, and the VTEP of node ${hop.far} is ${right[0]}`);
}

const broken = (facts: Facts, vxlan: VxlanHop, truth: VtepTruth, what: string): LegFinding => {
  const { hop, link, gateway, neighbour } = vxlan;
  const mac = truth.device?.mac ?? truth.published;
  const table = facts.nodeNet(hop.node).neighbours();
  const others = table.state === 'seen' ? table.value.filter((item) => item.dev === link.name) : [];
  return {
    state: 'broken',
    key: `${hop.node} ${link.name} ${gateway}`,
    parts: () => ({
      title: `node ${hop.node} ${what}: what it sends to the pods of ${hop.far} is lost`,
      where: { kind: 'neighbour', name: `${link.name} ${gateway}`, node: hop.node },
      evidence: [
        evidence(`node/${hop.node}/ip-route`, hop.line),
        evidence(`node/${hop.node}/ip-neigh`, ...(neighbour ? [neighbour.line] : others.map((item) => item.line))),
        ...(truth.device ? [truth.device.evidence] : []),
        ...annotationEvidence(facts, hop.far, 'backend-data'),
      ],
      next: [`kubectl debug node/${hop.node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip neigh show dev ${link.name}`],
      fix: [
        `restart the CNI agent's pod on ${hop.node}`,
        ...(mac ? [`by hand on ${hop.node}, until then: ip neigh replace ${gateway} lladdr ${mac} dev ${link.name} nud permanent`] : []),
      ],
    }),
  };
};
