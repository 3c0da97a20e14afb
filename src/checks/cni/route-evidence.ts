import type { Facts } from '../../facts/facts.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import { isTunnel } from '../../walk/leg.ts';
import { addressesOfNode, annotationEvidence, publishedVtep } from '../../walk/overlay.ts';
import { isDefault, lookupRoute, type RouteDecision } from '../../walk/route-lookup.ts';
import { flowNodes } from '../traffic.ts';

/**
 * Why a node should have a route of its own to the pods of another: flannel programs one, or it has one to a third node's pods, or the other
 * node has one back. Null where none of these holds, as in a cloud whose own table routes pods.
 */
export function shouldHaveRoute(facts: Facts, node: string, far: string): { evidence: EvidenceRef[] } | null {
  const { backend } = publishedVtep(facts, far);
  if (backend === 'vxlan' || backend === 'host-gw') return { evidence: annotationEvidence(facts, far, 'backend-type') };
  const third = flowNodes(facts).find((name) => name !== node && name !== far && specificRoute(facts, node, name));
  if (third) return { evidence: [specificRoute(facts, node, third) as EvidenceRef] };
  const back = specificRoute(facts, far, node);
  return back ? { evidence: [back] } : null;
}

/** The line of a node's route to another node's pod range, where it has one that is no default. */
function specificRoute(facts: Facts, node: string, far: string): EvidenceRef | undefined {
  const address = facts.node(far)?.spec.podCIDR?.split('/')[0];
  if (address === undefined) return undefined;
  const decision = lookupRoute(facts.nodeNet(node), { to: address });
  if (decision.state !== 'seen' || !decision.value.route || isDefault(decision.value.route) || decision.value.route.type !== 'unicast')
    return undefined;
  return evidence(`node/${node}/ip-route`, decision.value.route.line);
}

/** Whether a route leads to somebody else than the far node: another node's address or VTEP, a device of the node's own pods, or a gateway that doesn't answer. */
export function sendsElsewhere(
  facts: Facts,
  node: string,
  far: string,
  { via, dev }: RouteDecision,
): { what: string; evidence: EvidenceRef[] } | null {
  const net = facts.nodeNet(node);
  const links = net.links();
  const link = links.state === 'seen' ? links.value.find((item) => item.name === dev) : undefined;
  if (via === undefined) {
    const isOwnBridge =
      link?.kind === 'bridge' && links.state === 'seen' && links.value.some((item) => item.master === link.name && item.kind === 'veth');
    return isOwnBridge ? { what: `to ${dev}, the bridge of its own pods`, evidence: [] } : null;
  }
  const right = addressesOfNode(facts, far);
  if (right.includes(via)) return null;
  const other =
    facts.nodes().state === 'seen'
      ? nodeNames(facts).find((name) => name !== far && addressesOfNode(facts, name).includes(via))
      : undefined;
  if (other !== undefined && other !== node) return { what: `to ${via}, which is node ${other}`, evidence: [] };
  if (link && isTunnel(link)) return null; // The neighbour behind it: CNI004.
  const neighbours = net.neighbours();
  const entry = neighbours.state === 'seen' ? neighbours.value.find((item) => item.address === via && item.dev === dev) : undefined;
  const silent = entry && (entry.states.includes('FAILED') || entry.states.includes('INCOMPLETE'));
  return silent
    ? { what: `to ${via}, which is no node and does not answer`, evidence: [evidence(`node/${node}/ip-neigh`, entry.line)] }
    : null;
}

const nodeNames = (facts: Facts): string[] => {
  const nodes = facts.nodes();
  return nodes.state === 'seen' ? nodes.value.map((item) => item.metadata.name) : [];
};
