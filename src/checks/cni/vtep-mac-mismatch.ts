import type { Facts } from '../../facts/facts.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Link } from '../../model/link.ts';
import { annotationEvidence, type VtepTruth, type VxlanHop, vtepTruth } from '../../walk/overlay.ts';
import { defineCheck } from '../check.ts';
import { flowNodes } from '../traffic.ts';
import { eachVxlanHop } from './hops.ts';
import { fine, judgeLegs, type LegFinding, none } from './legs.ts';

export const vtepMacMismatch = defineCheck({
  meta: {
    id: 'CNI005',
    slug: 'vtep-mac-mismatch',
    layer: 'cni',
    title: "The MAC of a node's tunnel device is not the one that the other nodes were told",
    since: '0.1.0',
    explain: {
      what: "The other nodes address their tunnel packets to the MAC that the node published for its VTEP. The device now has another one, so the packets arrive, are counted as received, and are dropped as somebody else's (drop reason OTHERHOST). Counters and rules look healthy.",
      why: "systemd-udevd's `MACAddressPolicy=persistent` (242 and later) or a network manager rewrote the MAC after the CNI agent had published it, most often after a reboot; or the device was deleted and made anew without the agent.",
      confirm: [
        'ip link show flannel.1',
        'ip neigh show dev flannel.1   (on another node)',
        "kubectl get node NODE -o jsonpath='{.metadata.annotations.flannel\\.alpha\\.coreos\\.com/backend-data}'",
      ],
      fix: [
        'Restart the CNI agent on that node: it publishes the MAC that the device has',
        'A systemd .link file with MACAddressPolicy=none for the tunnel device, so that it does not happen again',
      ],
      notThis: [
        'One peer alone has a wrong entry: CNI004',
        'Calico gives all cali* devices the same MAC ee:ee:ee:ee:ee:ee: those are no tunnel devices',
      ],
      refs: ['https://github.com/flannel-io/flannel/issues/1155', 'systemd.link(5)'],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => eachVxlanHop(facts, leg, (vxlan) => examine(facts, vxlan)),
      passed: 'the tunnel devices have the MACs that the other nodes know',
      by: 'ip link, ip neigh and the annotations of the nodes of the flow',
      skipped: 'no VXLAN device on the way',
    }),
});

interface PeerView {
  node: string;
  mac: string;
  evidence: EvidenceRef;
}

/** What the other nodes of the flow have in their neighbour tables for the VTEP of `node`, found by its tunnel address. */
export function macAtPeers(facts: Facts, node: string, like: Link): PeerView[] {
  const own = facts.nodeNet(node).addresses();
  const addresses =
    own.state === 'seen' ? (own.value.find((link) => link.name === like.name)?.addresses.map((item) => item.address) ?? []) : [];
  return flowNodes(facts)
    .filter((peer) => peer !== node)
    .flatMap((peer) => {
      const table = facts.nodeNet(peer).neighbours();
      const entry =
        table.state === 'seen' ? table.value.find((item) => item.dev === like.name && addresses.includes(item.address)) : undefined;
      return entry?.mac ? [{ node: peer, mac: entry.mac.toLowerCase(), evidence: evidence(`node/${peer}/ip-neigh`, entry.line) }] : [];
    });
}

function examine(facts: Facts, { hop, link, neighbour }: VxlanHop): LegFinding {
  const truth = vtepTruth(facts, hop.far, link);
  const mac = neighbour?.mac?.toLowerCase();
  if (mac === undefined) return none; // CNI004
  if (!truth.device)
    return { state: 'unknown', reason: 'not-collected', detail: `the MAC of ${link.name} on node ${hop.far} was not read` };
  if (truth.device.mac === mac) return fine;
  const alike = macAtPeers(facts, hop.far, link).filter((peer) => peer.mac === mac);
  const isTold = truth.published === mac || alike.length > 1;
  return isTold ? { state: 'broken', key: hop.far, parts: () => describe(facts, hop.far, link, mac, truth, alike) } : none;
}

function describe(facts: Facts, node: string, link: Link, told: string, truth: VtepTruth, peers: readonly PeerView[]) {
  return {
    title: `${link.name} of node ${node} has the MAC ${truth.device?.mac}, and the other nodes were told ${told}: the node drops what they send to its pods`,
    where: { kind: 'link', name: link.name, node },
    evidence: [
      ...(truth.device ? [truth.device.evidence] : []),
      ...peers.slice(0, 2).map((peer) => peer.evidence),
      ...annotationEvidence(facts, node, 'backend-data'),
    ],
    next: [`kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip link show ${link.name}`],
    fix: [
      `restart the CNI agent's pod on ${node}: it publishes the MAC that the device has`,
      'see that no udev rule or network manager gives tunnel devices another MAC (MACAddressPolicy=none)',
    ],
  };
}
