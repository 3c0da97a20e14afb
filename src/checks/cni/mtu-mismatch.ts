import type { Facts } from '../../facts/facts.ts';
import { isPassing, type ProbeResult } from '../../facts/probe-results.ts';
import { evidence } from '../../model/evidence.ts';
import { pathMtu } from '../../walk/path-mtu.ts';
import { defineCheck, type Fault, fail, fault, pass, skip } from '../check.ts';
import { legsOf } from './legs.ts';
import { deviceWhere, deviceWords, type SizeLoss, sizeLoss } from './mtu-paths.ts';

export const mtuMismatch = defineCheck({
  meta: {
    id: 'CNI020',
    slug: 'mtu-mismatch',
    layer: 'cni',
    title: 'Pods send larger packets than the way to other pods takes, and it works all the same',
    since: '0.1.0',
    explain: {
      what: "A device on the way between two pods takes less than the pods' own interfaces send, without breaking TCP: the sender is told and keeps to the smaller size (path MTU discovery), or the tunnel's packets are cut into fragments and put together again, or it is the receiving pod's own interface, which TCP is told of by the MSS of its SYN.",
      why: 'Each costs something and hangs by a thread. Path MTU discovery ends when someone filters ICMP; fragments halve the throughput and are the first thing that clouds and firewalls drop; large UDP and ICMP have no MSS.',
      confirm: [
        'ping -M do -s 1422 POD_IP   (From … Frag needed and DF set (mtu = 1400))',
        'ip route get POD_IP   (in the sender: cache expires 598sec mtu 1400)',
        'nstat -az IpFragCreates IpReasmOKs   (on the nodes, before and after a large transfer)',
      ],
      fix: [
        "Set the CNI's MTU to what the network carries, less the overhead (VXLAN 50, over IPv6 70, IPIP 20, WireGuard 60 or 80), and make the pods anew",
      ],
      notThis: [
        'Network card 1500, tunnel and pods 1450 is right for VXLAN: the difference is the overhead',
        "A pod's MTU below the tunnel's is safe, only wasteful",
        'Full-size packets that vanish while nobody tells the sender: a black hole (CNI016)',
      ],
      refs: ['https://www.rfc-editor.org/rfc/rfc1191', 'https://www.rfc-editor.org/rfc/rfc6691', 'https://www.rfc-editor.org/rfc/rfc4459'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const tried = facts.probesOf('payload').filter((probe) => isPassing(probe) && probe.payload);
    if (tried.length === 0) return skip('no full-size packet was seen to pass, or to be held back');
    const notes = new Map<string, Fault>();
    for (const probe of tried) {
      const found = probe.payload?.full ? inFragments(facts, probe) : heldBack(facts, probe);
      if (found && !notes.has(found.key)) notes.set(found.key, found.note);
    }
    return notes.size > 0
      ? fail(...notes.values())
      : pass("no device on the way is narrower than the pods' own", `ping -M do, ${tried.length} ways`);
  },
});

interface Found {
  /** The same on several ways is said once. */
  key: string;
  note: Fault;
}

/** Full-size packets pass, and the tables say that the tunnel's packets around them do so in pieces. */
function inFragments(facts: Facts, probe: ProbeResult): Found | undefined {
  const [leg] = legsOf(facts, probe);
  const size = probe.payload?.mtu ?? 0;
  const device = leg && pathMtu(facts, leg, size).narrow.find(({ answer }) => answer === 'fragments');
  if (!device) return undefined;
  const outer = size + device.around;
  return noteOf(`${device.device} ${device.mtu} fragments`, {
    title: `${deviceWords(device)} takes ${device.mtu} bytes, and the pods' ${size} are ${outer} in the tunnel: each is cut into two fragments, which arrive. A pod MTU of ${device.carries} would spare that`,
    where: deviceWhere(device, []),
    evidence: [...device.evidence, evidence(probe.id, ...probe.tries.flatMap(({ lines }) => lines))],
    fix: [`set the CNI's MTU to at most ${device.carries}, and make the pods anew`],
    probe,
  });
}

/** A full-size packet does not pass, and TCP is not hurt by it: the sender is told, or the far end's interface is the narrow one. */
function heldBack(facts: Facts, probe: ProbeResult): Found | undefined {
  const loss = sizeLoss(facts, probe);
  const { payload } = probe;
  if (!loss || !payload) return undefined;
  return payload.told ? told(loss) : ownInterface(loss);
}

function told({ probe, device, leg, largest }: SizeLoss): Found | undefined {
  const { payload } = probe;
  if (!payload?.told) return undefined;
  const { mtu, from, line } = payload.told;
  const narrow = device ? `${deviceWords(device)} takes ${device.mtu}` : `the way to ${leg.to.address} takes ${mtu ?? largest ?? 'fewer'}`;
  const by = from === undefined ? 'its own kernel has kept that' : `by ${from}${mtu === undefined ? '' : `, mtu ${mtu}`}`;
  const cached = payload.narrow?.cached;
  return noteOf(device ? `${device.device} ${device.mtu} told` : `${from} ${mtu} told`, {
    title: `pods send ${payload.mtu} bytes and ${narrow}; the sender is told (${by}) and keeps to ${largest ?? mtu ?? 'less'} bytes: path MTU discovery works`,
    where: device ? deviceWhere(device, []) : { kind: 'network', name: `the way to ${leg.to.address}` },
    evidence: [evidence(probe.id, line, ...(payload.narrow?.lines ?? []), ...(cached ? [cached.line] : [])), ...(device?.evidence ?? [])],
    fix: [`set the CNI's MTU to at most ${largest ?? mtu ?? 'what passes'}, so that nothing depends on ICMP getting through`],
    probe,
  });
}

function ownInterface({ probe, device, largest, leg }: SizeLoss): Found {
  const narrow = device ? `${deviceWords(device)} takes ${device.mtu}` : `the interface that has ${leg.to.address} takes less`;
  return noteOf(device ? `${device.device} ${device.mtu} own` : `${leg.to.address} own`, {
    title: `pods send ${probe.payload?.mtu} bytes and ${narrow}: TCP keeps to it, for its SYN says so (MSS); UDP and ICMP of more than ${largest} bytes vanish`,
    where: device ? deviceWhere(device, []) : { kind: 'network', name: `the way to ${leg.to.address}` },
    evidence: [
      evidence(probe.id, ...probe.tries.flatMap(({ lines }) => lines), ...(probe.payload?.narrow?.lines ?? [])),
      ...(device?.evidence ?? []),
    ],
    fix: ['give every pod of the cluster the same MTU: those made before a change of the CNI configuration have to be made anew'],
    probe,
  });
}

function noteOf(key: string, { probe, ...parts }: Pick<Fault, 'title' | 'where' | 'evidence' | 'fix'> & { probe: ProbeResult }): Found {
  const { origin, target, payload } = probe;
  const next =
    origin.kind === 'pod'
      ? [
          `kubectl debug -n ${origin.namespace} ${origin.name} -it --image=nicolaka/netshoot --profile=netadmin -- ping -M do -c 2 -s ${(payload?.mtu ?? 0) - 28} ${target}`,
        ]
      : [];
  return { key, note: fault({ ...parts, next, breaks: () => false, noteOnly: true }) };
}
