import type { Facts } from '../../facts/facts.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Link } from '../../model/link.ts';
import { bothWays, deviceTo, isTunnel, type Leg } from '../../walk/leg.ts';
import { addressesOfNode, publishedVtep } from '../../walk/overlay.ts';
import { isDefault, lookupRoute, type RouteDecision } from '../../walk/route-lookup.ts';
import { defineCheck } from '../check.ts';
import { fine, judgeLegs, type LegFinding, none, unseen } from './legs.ts';
import { sendsElsewhere, shouldHaveRoute } from './route-evidence.ts';

export const podRouteMissing = defineCheck({
  meta: {
    id: 'CNI002',
    slug: 'pod-route-missing',
    layer: 'cni',
    title: 'A node has no route, or a wrong one, to pods',
    since: '0.1.0',
    explain: {
      what: "A node must know the way to the pods of the other nodes (by the tunnel, or by the other node's address) and to its own. On one node the route is missing, so that packets take the default route to somebody who doesn't know pods; or a blackhole, unreachable or prohibit route stands in its place; or it leads to the wrong node or device. Either direction is enough: without the way back the request arrives and the answer is lost.",
      why: "The CNI agent did not write the route or missed a node, a network manager removed it (ManageForeignRoutes, a netplan apply, a DHCP renewal), the node's podCIDR changed, or a route was added by hand.",
      confirm: [
        'ip route get POD_IP',
        'ip route show',
        'kubectl get nodes -o custom-columns=NAME:.metadata.name,PODS:.spec.podCIDR,IP:.status.addresses[0].address',
      ],
      fix: [
        'Restart the CNI agent on the node that lacks the route',
        'Keep the network manager from removing what it did not make (ManageForeignRoutes=no, unmanaged devices)',
      ],
      notThis: [
        'In clouds that route pods themselves (VPC routes, AWS VPC CNI, Azure) the default route is the right one: the table of the cloud counts then',
        "Calico's blackhole for a node's own block, beside a route for each pod, is healthy",
        'A gateway outside of every subnet with `onlink` on a tunnel device is normal for flannel',
      ],
      refs: [
        'ip-route(8)',
        'https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md',
        'https://www.freedesktop.org/software/systemd/man/latest/networkd.conf.html',
      ],
    },
  },
  needs: () => [],
  judge: (facts) =>
    judgeLegs(facts, {
      examine: (leg) => bothWays(leg).flatMap((way) => (way.to.isNode ? [] : [leaving(facts, way), arriving(facts, way)])),
      passed: 'the nodes have routes to the pods of this flow, and back',
      by: 'ip rule and ip route show table all on the nodes of the flow',
      skipped: 'no pod addresses on the way',
    }),
});

/** The node where the packet begins, towards the pods of another. */
function leaving(facts: Facts, way: Leg): LegFinding {
  const { from, to } = way;
  if (from.node === null || to.node === null || from.node === to.node) return none;
  const net = facts.nodeNet(from.node);
  const decision = lookupRoute(net, { to: to.address, from: from.address, iif: from.isNode ? undefined : deviceTo(net, from.address) });
  if (decision.state !== 'seen') return unseen(decision, `routes of node ${from.node}`);
  const { route } = decision.value;
  const refused = refusal(decision.value);
  const what = refused ?? (route === null ? 'has no route' : undefined);
  if (what !== undefined)
    return decision.complete ? broken(facts, from.node, way, decision.value, `${what} to ${targetOf(facts, way)}`) : unsure(from.node);
  if (route === null) return none;
  if (isDefault(route)) {
    const why = shouldHaveRoute(facts, from.node, to.node);
    if (!why)
      return {
        state: 'unknown',
        reason: 'unsupported',
        detail: `node ${from.node} sends packets for ${to.address} to ${decision.value.via ?? decision.value.dev}, its default route: whether they know the way from there can't be seen`,
      };
    return decision.complete
      ? broken(
          facts,
          from.node,
          way,
          decision.value,
          `has no route to ${targetOf(facts, way)}: they go to ${decision.value.via ?? decision.value.dev}, its default route`,
          why.evidence,
        )
      : unsure(from.node);
  }
  const wrong = sendsElsewhere(facts, from.node, to.node, decision.value);
  return wrong
    ? broken(facts, from.node, way, decision.value, `sends packets for ${targetOf(facts, way)}, ${wrong.what}`, wrong.evidence)
    : fine;
}

/** The node where the pod lives, towards its own pod. */
function arriving(facts: Facts, way: Leg): LegFinding {
  const { to } = way;
  if (to.node === null) return none;
  const decision = lookupRoute(facts.nodeNet(to.node), { to: to.address });
  if (decision.state !== 'seen') return unseen(decision, `routes of node ${to.node}`);
  const { route } = decision.value;
  const refused = refusal(decision.value);
  const lost = route === null ? 'has no route' : isDefault(route) ? 'has no route' : undefined;
  if (refused === undefined && lost === undefined) return fine;
  // A pod on a macvlan, ipvlan or SR-IOV device is not reached through its node's routing.
  if (lost !== undefined && (!to.pod || !hasVeth(facts, way))) return none;
  if (!decision.complete) return unsure(to.node);
  return broken(
    facts,
    to.node,
    way,
    decision.value,
    `${refused ?? lost} to its own pod ${to.pod ? `${to.pod.metadata.namespace}/${to.pod.metadata.name} (${to.address})` : to.address}`,
  );
}

const hasVeth = (facts: Facts, way: Leg): boolean => {
  const links = way.to.pod ? facts.podNet(way.to.pod).links() : undefined;
  return links?.state === 'seen' && links.value.some((link: Link) => link.kind === 'veth');
};

const unsure = (node: string): LegFinding => ({
  state: 'unknown',
  reason: 'unparsed',
  detail: `routes or rules of node ${node} were not read whole`,
});

function refusal({ route, refusedBy }: RouteDecision): string | undefined {
  if (refusedBy) return `refuses by the rule "${refusedBy.text.trim()}" the way`;
  return route && (route.type === 'blackhole' || route.type === 'unreachable' || route.type === 'prohibit')
    ? `has a ${route.type} route`
    : undefined;
}

const targetOf = (facts: Facts, way: Leg): string => {
  const cidr = way.to.node === null ? undefined : facts.node(way.to.node)?.spec.podCIDR;
  return cidr ? `${cidr}, the pods of ${way.to.node}` : `${way.to.address} on ${way.to.node}`;
};

function broken(
  facts: Facts,
  node: string,
  way: Leg,
  decision: RouteDecision,
  what: string,
  more: ReturnType<typeof evidence>[] = [],
): LegFinding {
  const { route, refusedBy } = decision;
  const far = way.to.node === node ? 'the pods' : `the pods of ${way.to.node}`;
  const gone = route === null || isDefault(route);
  const name = gone ? (facts.node(way.to.node ?? '')?.spec.podCIDR ?? way.to.address) : route.text.trim().split('\n')[0];
  const kernel = askedKernel(facts, node, way);
  return {
    state: 'broken',
    key: `${node} ${way.to.node} ${gone ? 'missing' : route.line}`,
    parts: () => ({
      title: `node ${node} ${what}${way.isReply && way.to.node !== node ? ', so that their answers are lost' : ''}`,
      where: refusedBy ? { kind: 'ip rule', name: refusedBy.text.trim(), node } : { kind: 'route', name: name ?? '', node },
      evidence: [
        ...(refusedBy
          ? [evidence(`node/${node}/ip-rule`, refusedBy.line)]
          : [evidence(`node/${node}/ip-route`, ...(route ? [route.line] : []))]),
        ...kernel,
        ...more,
      ],
      next: [`kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip route get ${way.to.address}`],
      fix: refusedBy
        ? [`take the rule away, at its source; by hand on ${node}, until then: ip rule del pref ${refusedBy.priority}`]
        : [
            `restart the CNI agent's pod on ${node}`,
            ...(gone || way.to.node === node ? [] : [`see who made this route; the right one leads to ${far}`]),
            ...byHand(facts, node, way),
          ],
    }),
  };
}

/** What `ip route get` answered for this way, where it was asked. */
function askedKernel(facts: Facts, node: string, way: Leg): EvidenceRef[] {
  const entry = facts.nodeNet(node).entry('route-get');
  const lines = entry?.stdout.split('\n') ?? [];
  const at = lines.findIndex((line) => line.startsWith(`k8snet-route ${way.from.address} ${way.to.address} `));
  const dev = /iif=(\S+)/.exec(lines[at] ?? '')?.[1];
  const command = `ip route get ${way.to.address}${dev && dev !== 'lo' ? ` from ${way.from.address} iif ${dev}` : ''}`;
  return entry && at >= 0 ? [{ command, on: `node ${node}`, lines: [{ number: at + 2, text: lines[at + 1] ?? '' }] }] : [];
}

function byHand(facts: Facts, node: string, way: Leg): string[] {
  const far = way.to.node;
  const cidr = far === null ? undefined : facts.node(far)?.spec.podCIDR;
  if (far === null || far === node || !cidr) return [];
  const links = facts.nodeNet(node).links();
  const tunnel = links.state === 'seen' ? links.value.find((link) => isTunnel(link) && link.name === 'flannel.1') : undefined;
  if (tunnel && publishedVtep(facts, far).backend === 'vxlan')
    return [`by hand on ${node}, until then: ip route replace ${cidr} via ${cidr.split('/')[0]} dev ${tunnel.name} onlink`];
  if (publishedVtep(facts, far).backend === 'host-gw')
    return [`by hand on ${node}, until then: ip route replace ${cidr} via ${addressesOfNode(facts, far)[0]}`];
  return [];
}
