import type { Flow, Trace } from '../../src/model/trace.ts';
import { tunnel } from './build.ts';
import type { Probed, Seen } from './lab.ts';
import type { Plan } from './plan.ts';

/** The walk against the kernel, for one topology. */
export interface Verdict {
  result: 'agrees' | 'wrong' | 'insufficient';
  /** Where the packet was last: what both have to name. */
  walk: string;
  kernel: string;
  /** For a wrong one: what only one of the two has. */
  differs: string[];
}

export function flowOf({ flow }: Plan, sourcePort: number): Flow {
  const { from } = flow;
  const port = flow.protocol === 'icmp' ? undefined : flow.port;
  return {
    from: sourceOf(from),
    to: { kind: 'address', address: flow.to, port },
    protocol: flow.protocol,
    ...(flow.protocol === 'icmp' ? {} : { sourcePort }),
    length: flow.length,
    packet: 'first',
  };
}

/**
 * Compares every device that the walk says the packet passes with every device that a capture saw it on, and whether the answer came. What the
 * walk can't tell is insufficient, unless it claims a device that saw nothing.
 */
export function compare(traces: readonly Trace[], probed: Probed): Verdict {
  const verdicts = traces.map((trace) => compareWay(trace, probed));
  // Where a rule throws dice, the packet took one of the ways.
  return (
    (['agrees', 'insufficient', 'wrong'] as const).flatMap((result) => verdicts.filter((verdict) => verdict.result === result))[0] ?? noWay
  );
}

const noWay: Verdict = { result: 'wrong', walk: 'no way', kernel: '', differs: [] };

function compareWay(trace: Trace, probed: Probed): Verdict {
  const predicted = passesOf(trace);
  const seen = withoutFloods(probed.seen, predicted);
  const missing = predicted.filter((pass) => !seen.includes(pass));
  const extra = seen.filter(
    (pass) => !predicted.includes(pass) && !isDetour(pass, predicted) && !isForgotten(pass, trace) && !isCopy(pass, predicted, probed.seen),
  );
  const walk = `${predicted.at(-1) ?? 'nowhere'}: ${trace.disposition}`;
  const kernel = `${seen.at(-1) ?? 'nowhere'}: ${probed.answer}`;
  const sameEnd = (trace.disposition === 'delivered') === (probed.answer === 'delivered');
  const differs = [...missing.map((pass) => `walk only: ${pass}`), ...extra.map((pass) => `kernel only: ${pass}`)];
  if (trace.disposition === 'insufficient-info') return { result: missing.length > 0 ? 'wrong' : 'insufficient', walk, kernel, differs };
  return { result: sameEnd && differs.length === 0 ? 'agrees' : 'wrong', walk, kernel, differs };
}

function sourceOf(from: Plan['flow']['from']): Flow['from'] {
  if ('outside' in from) return { kind: 'outside', address: from.outside };
  return 'pod' in from ? { kind: 'pod', namespace: 'default', name: from.pod.name } : { kind: 'node', name: from.node.name };
}

const passesOf = ({ hops }: Trace): string[] => [
  ...new Set(
    hops.flatMap(({ place, direction, steps }) =>
      steps.flatMap(({ passes }) => (passes ? [`${place.name} ${passes.device} ${passes.direction} ${direction}`] : [])),
    ),
  ),
];

const nameOf = ({ place, device, direction, flow }: Seen): string => `${place} ${device} ${direction} ${flow}`;

/**
 * A frame that br_netfilter redirects to another port after DNAT goes out by the bridge device itself while the neighbour entry of its new destination
 * is not fresh (br_nf_pre_routing_finish_bridge): the same way, with one more device on it.
 */
function isDetour(pass: string, predicted: readonly string[]): boolean {
  const [place = '', device = '', direction = '', flow = ''] = pass.split(' ');
  if (device !== 'cni0' || direction !== 'out') return false;
  const cameByPort = predicted.some((known) => known.startsWith(`${place} veth`) && known.endsWith(`in ${flow}`));
  return cameByPort && !predicted.includes(`${place} cni0 in ${flow}`);
}

/** A bridge forgets what was behind a port that went down, and floods it: through a tunnel that is another port, too, to nodes where nobody takes it. */
function isForgotten(pass: string, { hops }: Trace): boolean {
  const [place = '', device = '', direction = ''] = pass.split(' ');
  const died = hops.at(-1);
  if (died?.steps.at(-1)?.kind !== 'bridge' || !/^n\d$/.test(place)) return false;
  return device === tunnel || (device === 'eth0' && (direction === 'out') === (place === died.place.name));
}

/**
 * A tunnel that does not know behind which far end a frame's goal is sends a copy to each (vxlan_xmit): its node's device sends more than one, and the
 * copies come to nodes that the frame's own way does not lead to.
 */
function isCopy(pass: string, predicted: readonly string[], seen: readonly Seen[]): boolean {
  const [place = '', device = '', direction = '', flow = ''] = pass.split(' ');
  if (!/^n\d$/.test(place) || direction !== 'in' || (device !== 'eth0' && device !== tunnel)) return false;
  if (predicted.some((known) => known.startsWith(`${place} `) && known.endsWith(` ${flow}`))) return false;
  const isSentTwice = (known: string): boolean => seen.filter((one) => nameOf(one) === known).length > 1;
  return predicted.some((known) => known.endsWith(` eth0 out ${flow}`) && isSentTwice(known));
}

/**
 * A flooded frame is seen on ports that do not lead to its goal, and behind them as one for another machine: the wire between the nodes floods what is
 * for a MAC address that nobody has, a bridge what it has not learnt.
 */
function withoutFloods(seen: readonly Seen[], predicted: readonly string[]): string[] {
  const floods = seen.filter((one) => one.forOther && one.device === 'eth0' && !predicted.includes(nameOf(one)));
  const ports = new Set(floods.map(({ place }) => `veth${place.slice(1)}`));
  const isFlood = (one: Seen): boolean =>
    floods.includes(one) || (one.direction === 'out' && ports.has(one.device) && !predicted.includes(nameOf(one)));
  return [...new Set(seen.filter((one) => !isFlood(one)).map(nameOf))];
}
