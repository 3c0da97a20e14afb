import type { Facts } from '../../facts/facts.ts';
import { bothWays, hopOf, isCrossNode, type Leg } from '../../walk/leg.ts';
import { type VxlanHop, vxlanHop } from '../../walk/overlay.ts';
import { type LegFinding, none, unseen } from './legs.ts';

/** Looks at the way there and the way back of a leg between two nodes, where they go through a VXLAN device. */
export function eachVxlanHop(facts: Facts, leg: Leg, examine: (vxlan: VxlanHop, way: Leg) => LegFinding): LegFinding[] {
  if (!isCrossNode(leg)) return [none];
  return bothWays(leg)
    .filter((way) => !way.to.isNode || !way.from.isNode)
    .map((way) => {
      const hop = hopOf(facts, way);
      if (hop.state !== 'seen') return unseen(hop, `routes of node ${way.from.node}`);
      if (hop.value === null) return none; // CNI002
      const vxlan = vxlanHop(facts, hop.value, way.to.address);
      if (vxlan.state !== 'seen') return unseen(vxlan, `neighbours and FDB of node ${way.from.node}`);
      return vxlan.value === null ? none : examine(vxlan.value, way);
    });
}
