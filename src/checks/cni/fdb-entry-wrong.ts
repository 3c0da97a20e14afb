import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import type { FdbEntry } from '../../model/link.ts';
import type { Leg } from '../../walk/leg.ts';
import { addressesOfNode, annotationEvidence, finds, publishedVtep, type VxlanHop, vtepTruth } from '../../walk/overlay.ts';
import { defineCheck } from '../check.ts';
import { eachVxlanHop } from './hops.ts';
import { fine, judgeLegs, type LegFinding, none } from './legs.ts';

export const fdbEntryWrong = defineCheck({
  meta: {
    id: 'CNI003',
    slug: 'fdb-entry-wrong',
    layer: 'cni',
    title: "A node's FDB has no, or a wrong, address for another node's VTEP",
    since: '0.1.0',
    explain: {
      what: "The forwarding database of the VXLAN device says to which node's address the outer packet goes, by the MAC of the far VTEP. On one node the entry is missing (packets are dropped as they are sent) or names an address that is not the far node's (packets go to somebody else, or nowhere).",
      why: 'The CNI agent missed that a node joined or changed its address, the FDB was flushed by hand or by a network script, or a node was rebuilt with another address and the old lease lives on.',
      confirm: ['ip neigh show dev flannel.1', 'bridge fdb show dev flannel.1', 'kubectl get nodes -o wide'],
      fix: ['Restart the CNI agent on the node that has the wrong entry: it reads the nodes anew and programs neighbours and FDB'],
      notThis: [
        'TX dropped on a healthy VXLAN device: IPv6 router solicitations and multicast have no FDB entry',
        'The neighbour entry (address to MAC) is another table: CNI004',
        'A device that learns, or floods to a group or a default destination (an entry for 00:00:00:00:00:00), needs no entry for each VTEP',
      ],
      refs: [
        'bridge(8)',
        'https://www.kernel.org/doc/html/latest/networking/vxlan.html',
        'https://github.com/flannel-io/flannel/issues/1474',
      ],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => eachVxlanHop(facts, leg, (vxlan) => examine(facts, vxlan)),
      passed: "the FDB entries lead to the nodes' own addresses",
      by: 'bridge fdb on the nodes of the flow',
      skipped: 'no VXLAN device on the way',
    }),
});

function examine(facts: Facts, vxlan: VxlanHop): LegFinding {
  const { hop, link, neighbour, entries } = vxlan;
  if (!neighbour?.mac) return none; // CNI004
  const truth = vtepTruth(facts, hop.far, link);
  const known = [truth.device?.mac, truth.published].filter((mac) => mac !== undefined);
  if (known.length > 0 && !known.includes(neighbour.mac.toLowerCase())) return none; // CNI004, CNI005
  const expected = addressesOfNode(facts, hop.far);
  if (expected.length === 0) return { state: 'unknown', reason: 'not-collected', detail: `the addresses of node ${hop.far} are not known` };
  const [first] = entries;
  if (!first) return finds(facts, hop.node, link) || link.vxlan?.learning !== false ? none : missing(facts, vxlan);
  const wrong = entries.filter((entry) => entry.dst !== undefined && !expected.includes(entry.dst));
  return wrong.length === entries.length ? mistaken(facts, vxlan, first) : fine;
}

const key = ({ hop, link }: VxlanHop): string => `${hop.node} ${link.name} ${hop.far}`;
const next = ({ hop, link }: VxlanHop): string[] => [
  `kubectl get nodes -o wide`,
  `kubectl debug node/${hop.node} -it --image=nicolaka/netshoot --profile=sysadmin -- bridge fdb show dev ${link.name}`,
];
const addressOf = (facts: Facts, node: string): string => publishedVtep(facts, node).publicIp ?? facts.nodeAddress(node) ?? node;

const neighbourEvidence = ({ hop, neighbour }: VxlanHop) => (neighbour ? [evidence(`node/${hop.node}/ip-neigh`, neighbour.line)] : []);

function missing(facts: Facts, vxlan: VxlanHop): LegFinding {
  const { hop, link, neighbour } = vxlan;
  const fdb = facts.nodeNet(hop.node).fdb();
  if (fdb.state !== 'seen' || !fdb.complete)
    return { state: 'unknown', reason: 'unparsed', detail: `the FDB of node ${hop.node} was not read whole` };
  const others = fdb.value.filter((entry) => entry.dev === link.name && entry.dst !== undefined);
  return {
    state: 'broken',
    key: key(vxlan),
    parts: () => ({
      title: `node ${hop.node} has no FDB entry on ${link.name} for ${neighbour?.mac}, the VTEP of node ${hop.far}: it drops what it should send to the pods there`,
      where: { kind: 'fdb-entry', name: `${link.name} ${neighbour?.mac}`, node: hop.node },
      evidence: [...neighbourEvidence(vxlan), evidence(`node/${hop.node}/bridge-fdb`, ...others.map((entry) => entry.line))],
      next: next(vxlan),
      fix: [
        `restart the CNI agent's pod on ${hop.node}`,
        `by hand on ${hop.node}, until then: bridge fdb replace ${neighbour?.mac} dev ${link.name} dst ${addressOf(facts, hop.far)} self permanent`,
      ],
    }),
  };
}

function mistaken(facts: Facts, vxlan: VxlanHop, entry: FdbEntry): LegFinding {
  const { hop, link } = vxlan;
  const owner = facts.nodeOf(entry.dst ?? '');
  const right = addressOf(facts, hop.far);
  return {
    state: 'broken',
    key: key(vxlan),
    parts: (_legs: readonly Leg[]) => ({
      title: `node ${hop.node} sends tunnel packets for node ${hop.far} to ${entry.dst}, which is ${owner ? `node ${owner}` : 'no node of this cluster'}: the FDB entry of ${link.name} should say ${right}`,
      where: { kind: 'fdb-entry', name: `${link.name} ${entry.mac} dst ${entry.dst}`, node: hop.node },
      evidence: [
        evidence(`node/${hop.node}/bridge-fdb`, entry.line),
        ...neighbourEvidence(vxlan),
        ...annotationEvidence(facts, hop.far, 'public-ip'),
      ],
      next: next(vxlan),
      fix: [
        `restart the CNI agent's pod on ${hop.node}`,
        `by hand on ${hop.node}, until then: bridge fdb replace ${entry.mac} dev ${link.name} dst ${right} self permanent`,
      ],
    }),
  };
}
