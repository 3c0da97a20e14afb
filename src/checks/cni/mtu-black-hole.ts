import type { Facts } from '../../facts/facts.ts';
import { isFailing, type ProbeResult } from '../../facts/probe-results.ts';
import { evidence } from '../../model/evidence.ts';
import { type CheckResult, cannotTell, defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { legsOf } from './legs.ts';
import { deviceWhere, deviceWords, filterOfIcmp, nodeOfDevice, type SizeLoss, sizeLoss } from './mtu-paths.ts';

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
        "Only the receiving pod's own interface is narrower: TCP keeps to it by the MSS of its SYN, and only large UDP and ICMP are lost (CNI020)",
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
    const lost = tried.filter(isFailing);
    return lost.length > 0 ? fail(...group(facts, lost)) : withoutLoss(facts, probes, tried);
  },
});

function withoutLoss(facts: Facts, probes: readonly ProbeResult[], tried: readonly ProbeResult[]): CheckResult {
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
}

const isBack = (facts: Facts, probe: ProbeResult, other: ProbeResult): boolean =>
  legsOf(facts, probe).some((leg) =>
    legsOf(facts, other).some((way) => way.from.address === leg.to.address && way.to.address === leg.from.address),
  );

/** Losses with one cause: the same device with the same MTU, on each node that has it so (one setting, made once for all), or the same two nodes. */
type Group = [SizeLoss, ...SizeLoss[]];

function group(facts: Facts, lost: readonly ProbeResult[]): Fault[] {
  const groups = new Map<string, Group>();
  for (const probe of lost) {
    const loss = sizeLoss(facts, probe);
    if (!loss) continue;
    const { device, leg } = loss;
    const key = device
      ? `${device.by} ${device.device} ${device.mtu} ${device.answer}`
      : `between ${[leg.from.node, leg.to.node].sort().join(' ')}`;
    const known = groups.get(key);
    if (known) known.push(loss);
    else groups.set(key, [loss]);
  }
  return [...groups.values()].map((losses) => describe(facts, losses));
}

function describe(facts: Facts, losses: Group): Fault {
  const [{ device, leg, probe, largest }] = losses;
  const size = probe.payload?.mtu ?? 0;
  const nodes = [...new Set(losses.flatMap((loss) => (loss.device ? (nodeOfDevice(loss.device) ?? []) : [])))];
  const filter = filterOfIcmp(facts, losses[0]);
  const between =
    leg.from.node === leg.to.node ? `on node ${leg.from.node}` : `between nodes ${[leg.from.node, leg.to.node].sort().join(' and ')}`;
  const measured = largest === undefined ? '' : `; the largest that passes is ${largest} bytes`;
  const title = device
    ? `${deviceWords(device, nodes)} ${whatDeviceDoes(losses[0], filter?.text)}`
    : `packets of ${size} bytes vanish ${between}${directionOf(losses)} and nobody tells the sender, while small ones arrive: ${nobodyNarrow(losses[0])}`;
  const places = [...new Map(losses.flatMap((loss) => (loss.device ? [[nodeOfDevice(loss.device), loss.device] as const] : []))).values()];
  return fault({
    title: `${title}${measured}${slowly(facts, losses[0])}`,
    where: device
      ? deviceWhere(device, nodes)
      : { kind: 'network', name: between, ...(leg.from.node === null ? {} : { node: leg.from.node }) },
    evidence: [
      ...losses.slice(0, Math.max(2, Math.min(places.length, 4))).map(({ probe: one }) => evidence(one.id, ...linesOf(one))),
      ...places.flatMap((place) => place.evidence),
      ...(filter ? [filter.evidence] : []),
    ],
    next: nextSteps(losses[0], size),
    fix: [
      device
        ? `make the MTU of the pods at most ${device.mtu - device.around} (the CNI's configuration, then new pods), or that of ${device.by === 'route' ? 'the route' : device.device} at least ${size + device.around}`
        : largest === undefined
          ? `find the largest packet that passes (ping -M do -s SIZE), set the CNI's MTU to it less the overhead, and make the pods anew`
          : `set the CNI's MTU to at most ${largest} (what passes, the tunnel's overhead already taken off), and make the pods anew`,
      ...(filter ? ['let ICMP "fragmentation needed" (type 3 code 4) pass'] : []),
    ],
    breaks: (other) => losses.some((loss) => loss.probe.id === other.id),
  });
}

/** The full size, the sizes on either side of what passes, and the far node's word that a full-size packet came so far. */
const linesOf = ({ tries, payload }: ProbeResult): number[] => {
  const reach = payload?.narrow?.reach;
  const all = [
    ...tries.flatMap((item) => item.lines),
    ...(payload?.narrow?.lines ?? []),
    ...(reach && reach.full !== null ? [reach.line] : []),
  ];
  return all.sort((a, b) => a - b);
};

/** What a full-size packet meets at the device. */
function whatDeviceDoes({ device, probe }: SizeLoss, filter: string | undefined): string {
  const size = probe.payload?.mtu ?? 0;
  const wrapped = device && device.around > 0 ? `, which are ${size + device.around} in the tunnel` : '';
  if (device?.answer === 'fragments')
    return `takes ${device.mtu} bytes and the pods send ${size}${wrapped}: they are cut into fragments, and the fragments do not arrive`;
  return `takes ${device?.mtu} bytes and the pods send ${size}${wrapped}; the sender is not told${filter ? ` (${filter})` : ''}: full-size packets vanish`;
}

const nobodyNarrow = ({ path }: SizeLoss): string =>
  path.isWhole
    ? "the network there carries less than the nodes' devices say"
    : `no device that was read is narrower, and not all were (${path.why})`;

/** Said only where it was seen on each of the losses. */
function directionOf(losses: Group): string {
  if (!losses.every((loss) => loss.directionSeen)) return '';
  const ways = [...new Set(losses.map(({ leg }) => `${leg.from.node} to ${leg.to.node}`))];
  return ways.length === 1 ? `, from ${ways[0]} only,` : ' both ways';
}

/** net.ipv4.tcp_mtu_probing of the sender: TCP finds a smaller size by itself when a full one is lost several times (RFC 4821). */
function slowly(facts: Facts, { leg }: SizeLoss): string {
  const settings = leg.from.pod ? facts.podNet(leg.from.pod).sysctls() : undefined;
  const entry = settings?.state === 'seen' ? settings.value.find(({ path }) => path === 'net/ipv4/tcp_mtu_probing') : undefined;
  const value = entry?.state === 'value' ? entry.value : '0';
  return value === '0' ? '' : ` (TCP of ${leg.from.address} gets through after seconds, by tcp_mtu_probing=${value})`;
}

function nextSteps({ probe, leg, device }: SizeLoss, size: number): string[] {
  const { origin, target } = probe;
  const node = (device && nodeOfDevice(device)) ?? leg.from.node;
  return [
    ...(origin.kind === 'pod'
      ? [
          `kubectl debug -n ${origin.namespace} ${origin.name} -it --image=nicolaka/netshoot --profile=netadmin -- ping -M do -c 2 -s ${size - 28} ${target}`,
        ]
      : []),
    `kubectl debug node/${node} -it --image=nicolaka/netshoot --profile=sysadmin -- ip -d link`,
  ];
}
