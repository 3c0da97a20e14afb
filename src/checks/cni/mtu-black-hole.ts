import type { Facts } from '../../facts/facts.ts';
import { isFailing, type ProbeResult } from '../../facts/probe-results.ts';
import { type EvidenceRef, evidence } from '../../model/evidence.ts';
import type { Link } from '../../model/link.ts';
import { deviceTo, hopOf, type Leg } from '../../walk/leg.ts';
import { packetOf } from '../../walk/node-rules.ts';
import { describeDecision, walk } from '../../walk/passage-rules.ts';
import { cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { legsOf } from './legs.ts';

export const mtuBlackHole = defineCheck({
  meta: {
    id: 'CNI016',
    slug: 'mtu-black-hole',
    layer: 'cni',
    title: 'Full-size packets vanish, and nobody tells the sender',
    since: '0.1.0',
    explain: {
      what: 'Small packets between two pods arrive, packets of the full size of their interface vanish, and no ICMP "fragmentation needed" comes back from which the sender could learn. Connections open, short answers arrive, and a TLS handshake, a large answer or an upload hangs.',
      why: "The pods' MTU is larger than what the tunnel or the network between the nodes carries (a VPN, a cloud network of 1450 or 1460, a tunnel added later without the 50 bytes of VXLAN), and the ICMP is filtered, or the loss is on a switch that sends none.",
      confirm: [
        'ping -M do -s 1422 POD_IP   (from a pod with MTU 1450)',
        'ping -M do -s 1472 NODE_IP   (from node to node)',
        'ip link   (pod eth0, cni0, the tunnel, the network card)',
      ],
      fix: [
        "Set the CNI's MTU to what the network carries, less the overhead (VXLAN 50, over IPv6 70, IPIP 20, WireGuard 60 or 80), and make the pods anew",
        'Let ICMP type 3 code 4 pass',
        'As a crutch: net.ipv4.tcp_mtu_probing=1',
      ],
      notThis: [
        'The sender is told (`Frag needed … mtu = 1450`): path MTU discovery works, and a too large pod MTU is only wasteful',
        'Network card 1500, tunnel and pods 1450 is right for VXLAN: the difference is the overhead',
        'tracepath is no proof: it reports what routers tell, and these tell nothing',
      ],
      refs: [
        'https://www.rfc-editor.org/rfc/rfc2923',
        'https://www.rfc-editor.org/rfc/rfc4821',
        'https://docs.tigera.io/calico/latest/networking/configuring/mtu',
      ],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const probes = facts.probesOf('payload').filter((probe) => probe.payload !== undefined);
    const tried = probes.filter((probe) => probe.payload?.small && probe.payload.full !== null);
    const lost = tried.filter((probe) => isFailing(probe) && probe.payload?.full === false && probe.payload.told === null);
    if (lost.length > 0) return fail(...group(facts, lost));
    const narrowBack = tried.find((probe) => (probe.payload?.reassembled ?? 0) > 0 && !probes.some((other) => isBack(facts, probe, other)));
    if (narrowBack)
      return cannotTell(
        'not-collected',
        `answers from ${narrowBack.target} came in fragments: the way back is narrower, and was not tried from there`,
      );
    if (tried.length > 0)
      return pass(
        'full-size packets arrive, or their sender is told',
        `ping -M do, ${tried
          .map((probe) => `${probe.payload?.mtu} bytes to ${probe.target}`)
          .slice(0, 4)
          .join(', ')}`,
      );
    return probes.length > 0
      ? cannotTell('unsupported', 'no small echo request was answered, so that nothing can be said about large ones')
      : skip('no full-size packets were sent');
  },
});

const isBack = (facts: Facts, probe: ProbeResult, other: ProbeResult): boolean =>
  legsOf(facts, probe).some((leg) =>
    legsOf(facts, other).some((way) => way.from.address === leg.to.address && way.to.address === leg.from.address),
  );

interface Place {
  key: string;
  link: Link | undefined;
  node: string | null;
  far: string | null;
}

interface Group {
  /** The same device with the same MTU, on each node that has it so: one setting, made once for all. */
  places: [Place, ...Place[]];
  probes: ProbeResult[];
}

/** One fault for each narrow device; one for each pair of nodes where no device of theirs is narrower than the packet. */
function group(facts: Facts, lost: readonly ProbeResult[]): Fault[] {
  const groups = new Map<string, Group>();
  for (const probe of lost) {
    const [leg] = legsOf(facts, probe);
    if (!leg) continue;
    const place = narrowPlace(facts, leg, probe.payload?.mtu ?? 0);
    const known = groups.get(place.key);
    if (known) known.probes.push(probe);
    else groups.set(place.key, { places: [place], probes: [probe] });
    if (known && !known.places.some((other) => other.node === place.node)) known.places.push(place);
  }
  return [...groups.values()].map((found) => describe(facts, found));
}

/** Where a packet of this size gets stuck: the device of the sender's node, else somewhere behind it. */
function narrowPlace(facts: Facts, leg: Leg, size: number): Place {
  const hop = hopOf(facts, leg);
  const link = hop.state === 'seen' ? hop.value?.link : undefined;
  const { node } = leg.from;
  if (link?.mtu !== undefined && link.mtu < size) return { key: `${link.name} ${link.mtu}`, link, node, far: leg.to.node };
  const own = localDevice(facts, leg);
  if (own?.mtu !== undefined && own.mtu < size) return { key: `${own.name} ${own.mtu}`, link: own, node, far: leg.to.node };
  return { key: `between ${[node, leg.to.node].sort().join(' ')}`, link: undefined, node, far: leg.to.node };
}

const localDevice = (facts: Facts, leg: Leg): Link | undefined => {
  if (leg.from.node === null) return undefined;
  const net = facts.nodeNet(leg.from.node);
  const name = deviceTo(net, leg.to.address);
  const links = net.links();
  return links.state === 'seen' ? links.value.find((link) => link.name === name) : undefined;
};

function describe(facts: Facts, { places, probes }: Group): Fault {
  const [{ link, node, far }] = places;
  const nodes = places.map((place) => place.node).join(', ');
  const [first] = probes;
  const size = first?.payload?.mtu ?? 0;
  const lines = probes
    .slice(0, Math.max(2, Math.min(places.length, 4)))
    .map((probe) => evidence(probe.id, ...probe.tries.flatMap((item) => item.lines)));
  const filter = node === null ? null : filterOfIcmp(facts, node, first);
  const between = node === far ? `on node ${node}` : `between nodes ${node} and ${far}`;
  const title = link
    ? `${link.name} on node${places.length > 1 ? 's' : ''} ${nodes} takes ${link.mtu} bytes and the pods send ${size}; the sender is not told${filter ? ` (${filter.text})` : ''}: full-size packets vanish`
    : `packets of ${size} bytes vanish ${between} and nobody tells the sender, while small ones arrive: the network there carries less than the nodes' devices say`;
  const related = places.flatMap((place) => (place.link ? [evidence(`node/${place.node}/ip-link`, place.link.line)] : []));
  return fault({
    title,
    where: link
      ? {
          kind: 'link',
          name: `${link.name} mtu ${link.mtu}${places.length > 1 ? ` (on ${nodes})` : ''}`,
          ...(node === null ? {} : { node }),
        }
      : { kind: 'network', name: between, ...(node === null ? {} : { node }) },
    evidence: [...lines, ...related, ...(filter ? [filter.evidence] : [])],
    next: [
      ...(first?.origin.kind === 'pod'
        ? [
            `kubectl debug -n ${first.origin.namespace} ${first.origin.name} -it --image=nicolaka/netshoot --profile=netadmin -- ping -M do -c 2 -s ${size - 28} ${first.target}`,
          ]
        : []),
      `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip -d link`,
    ],
    fix: [
      link
        ? `make the MTU of the pods at most ${link.mtu} (the CNI's configuration, then new pods), or that of ${link.name} at least ${size}`
        : `find the largest packet that passes (ping -M do -s SIZE), set the CNI's MTU to it less the overhead, and make the pods anew`,
      ...(filter ? ['let ICMP "fragmentation needed" (type 3 code 4) pass'] : []),
    ],
    breaks: (probe) => probes.some(({ id }) => id === probe.id),
  });
}

/** The rule on the sender's node that keeps "fragmentation needed" from the pod, where there is one. */
function filterOfIcmp(facts: Facts, node: string, probe: ProbeResult | undefined): { text: string; evidence: EvidenceRef } | null {
  const source = facts.nodeAddress(node);
  const leg = probe ? legsOf(facts, probe)[0] : undefined;
  if (source === undefined || !leg) return null;
  const net = facts.nodeNet(node);
  const packet = { ...packetOf({ source, destination: leg.from.address, protocol: 'icmp' }, {}), icmpType: 3, icmpCode: 4 };
  const verdict = walk(
    { net, node, pod: undefined, kind: 'out', in: undefined, out: deviceTo(net, leg.from.address) },
    { ...packet, conntrack: { ...packet.conntrack, state: 'related' } },
  );
  if (verdict.state !== 'stopped') return null;
  return {
    text: `${describeDecision(verdict.stop.decision)} would drop the ICMP`,
    evidence: evidence(verdict.stop.entry, verdict.stop.decision.line),
  };
}
