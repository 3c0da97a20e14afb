import {
  type CaptureBackend,
  type CapturePlan,
  type FollowedTry,
  type MarkedTry,
  type Outcome,
  type PacketPart,
  type PathPoint,
  placeKey,
  placeText,
  type Sighting,
} from '../../model/capture-path.ts';
import { lossOf, lossPlace, lost, reach, says } from './loss.ts';
import { unansweredNeighbour } from './neighbours.ts';
import { type ExpectedPath, expectedPath, isAt } from './path.ts';
import type { CaptureInput } from './read.ts';
import { firstTransmission, sightingsOf } from './sightings.ts';

/** How a try ended, as far as that is known from its tool; `repeated`: only its first transmission is followed. */
export type Told = ReadonlyMap<number, 'answered' | 'failed' | 'repeated'>;

/**
 * Follows every marked try through the captures: to which endpoint it went, who saw it, and where it or its answer was lost. A pure function of what was captured
 * and of the devices that have to be passed; no routing table, rule or entry of anything is looked at.
 * `told` is by source port.
 */
export function followTries(input: CaptureInput, told: Told = new Map()): FollowedTry[] {
  const marked = new Set(input.plan.tries.map(({ sourcePort }) => sourcePort));
  const seen = input.plan.tries.map((item) => {
    const sightings = sightingsOf(input.captures, item, marked);
    return { item, sightings: told.get(item.sourcePort) === 'repeated' ? firstTransmission(sightings) : sightings };
  });
  // Where one try was seen to go into a tunnel, so must the others to other nodes.
  const tunnels = new Set(
    seen.flatMap(({ sightings }) => sightings.filter(({ role }) => role === 'tunnel').map(({ place }) => place.node)),
  );
  return seen.map(({ item, sightings }) => follow(input, item, sightings, tunnels, told.get(item.sourcePort) === 'failed'));
}

function follow(
  input: CaptureInput,
  item: MarkedTry,
  sightings: readonly Sighting[],
  tunnels: ReadonlySet<string>,
  hasFailed: boolean,
): FollowedTry {
  const { plan } = input;
  const backend = backendOf(plan, item, sightings);
  const path = expectedPath(input, backend ?? { address: '', port: 0, place: null }, tunnels);
  const order = (sighting: Sighting): number => {
    const points = path[sighting.leg];
    const at = points.findIndex((point) => isAt(point, sighting));
    return (sighting.leg === 'request' ? 0 : 100) + (at < 0 ? 99 : at);
  };
  const sorted = sightings
    .map((sighting) => ({ sighting, order: order(sighting) }))
    .sort((a, b) => a.order - b.order || a.sighting.at - b.sighting.at)
    .map(({ sighting }) => sighting);
  return { try: item, backend, sightings: sorted, outcome: outcomeOf(input, item, backend, sorted, path, hasFailed) };
}

/** The endpoint that the target is, or that a request was rewritten to. */
function backendOf(plan: CapturePlan, item: MarkedTry, sightings: readonly Sighting[]): CaptureBackend | undefined {
  const addressed = new Set([
    `${item.target.address}:${item.target.port}`,
    ...sightings.filter(({ leg }) => leg === 'request').map(({ destination }) => destination),
  ]);
  return plan.backends.find(({ address, port }) => addressed.has(`${address}:${port}`));
}

function outcomeOf(
  input: CaptureInput,
  item: MarkedTry,
  backend: CaptureBackend | undefined,
  sightings: readonly Sighting[],
  path: ExpectedPath,
  hasFailed: boolean,
): Outcome {
  const { plan } = input;
  const isCaptured = (key: string): boolean => input.captures.some(({ place }) => placeKey(place) === key);
  if (input.notSent !== undefined) return { kind: 'unknown', why: `the probe was cut off: ${input.notSent}` };
  if (!isCaptured(placeKey(plan.client.place)))
    return {
      kind: 'unknown',
      why: `${placeText(plan.client.place)} could not be captured in, so that nothing tells whether the probe left it`,
    };
  const ofNode = ofNodeClient(input, item, sightings);
  if (ofNode && !(hasFailed && ofNode.kind === 'answered')) return ofNode;
  const [start] = path.request;
  const of = (...parts: PacketPart[]): Sighting[] => sightings.filter(({ part }) => parts.includes(part));
  const atClient = (part: PacketPart): Sighting[] =>
    of(part).filter((sighting) => placeKey(sighting.place) === placeKey(plan.client.place) && sighting.direction === 'in');
  const target = `${item.target.address}:${item.target.port}`;
  if (of('syn').length === 0 && start) {
    const said = input.said.get(item.sourcePort);
    if (said === undefined || connected.test(said)) return { kind: 'unknown', why: 'the try was made, and the captures missed it' };
    // Words of the script itself, and of no tool.
    if (/^k8snet: /m.test(said)) return { kind: 'unknown', why: `the try was not made: ${lastLine(said)}` };
    return lost(
      'request',
      undefined,
      start,
      { kind: 'pod', place: plan.client.place },
      `${placeText(plan.client.place)} sends nothing${said === '' ? '' : ` (${lastLine(said)})`}`,
    );
  }
  if (atClient('syn-ack').some(({ source }) => source === target)) return afterHandshake(input, backend, of, atClient, path, hasFailed);
  if (atClient('syn-ack').length > 0) return untranslated(plan, path, atClient('syn-ack')[0] as Sighting, target);
  const refusal = refusalOf(input, backend, of('reset', 'icmp-error'));
  if (refusal) return refusal;
  const clientNode = plan.client.place.node;
  const isWatched = input.captures.some(({ place, isLossy }) => place.kind === 'node' && place.name === clientNode && !isLossy);
  if (!backend && !isWatched) return { kind: 'unknown', why: `node ${clientNode} could not be captured on, or not all of it` };
  if (!backend) return withoutBackend(plan, of('syn'), path, target);
  const outcome = lossOf(input, backend, path, of('syn'), of('syn-ack', 'reset'));
  return item.datagram ? unansweredDatagram(outcome, backend) : outcome;
}

/** No answer is owed: where none was seen anywhere, the request came through, if that was seen. */
function unansweredDatagram(outcome: Outcome, { address, place }: CaptureBackend): Outcome {
  if (outcome.kind !== 'lost' || outcome.leg !== 'reply' || outcome.lastSeen !== undefined) return outcome;
  return place
    ? { kind: 'arrived' }
    : { kind: 'unknown', why: `it is sent on to ${address}, which is no pod that could be captured in, and no answer is seen` };
}

/**
 * What a node itself sends to a Service is translated before its devices show it, and answers after they did: its tool is the better witness of an answer, and
 * where no packet with the try's own port is seen, or none that is translated back, nothing is known.
 */
function ofNodeClient({ plan, said }: CaptureInput, item: MarkedTry, sightings: readonly Sighting[]): Outcome | undefined {
  const target = `${item.target.address}:${item.target.port}`;
  const answers = sightings.filter(({ part }) => part === 'syn-ack');
  if (plan.client.place.kind !== 'node' || answers.some(({ source }) => source === target)) return undefined;
  if (connected.test(said.get(item.sourcePort) ?? '')) return { kind: 'answered' };
  const isFollowed = sightings.some(({ part }) => part === 'syn') && answers.length === 0;
  if (item.stage !== 'service' || isFollowed) return undefined;
  return {
    kind: 'unknown',
    why: "a node's own packets to a Service are translated before a device shows them, and this try was not recognised",
  };
}

/** Words of OpenBSD's nc and of curl for a connection that stands, the beginning of an answer, dig's words for one, and our own for one to a datagram. */
const connected = /succeeded!|Connected to|HTTP\/\d|status: [A-Z]+|answer of \d+ bytes/;

/** The connection stands; data may still be lost on the way (by its size). */
function afterHandshake(
  input: CaptureInput,
  backend: CaptureBackend | undefined,
  of: (...parts: PacketPart[]) => Sighting[],
  atClient: (part: PacketPart) => Sighting[],
  path: ExpectedPath,
  hasFailed: boolean,
): Outcome {
  const isOver = of('request-data').length === 0 || atClient('reply-data').length > 0;
  if (isOver || !backend) return { kind: 'answered' };
  const outcome = lossOf(input, backend, path, of('request-data'), of('reply-data'), "the request's data");
  // An application that reads and never writes has lost nothing on the way; where an answer was waited for in vain, that is what failed.
  return outcome.kind === 'lost' && outcome.where.kind === 'pod' && !hasFailed ? { kind: 'answered' } : outcome;
}

function untranslated(plan: CapturePlan, path: ExpectedPath, answer: Sighting, target: string): Outcome {
  const node = plan.client.place.node;
  const last = path.reply.findLast((point) => isAt(point, answer)) ?? path.reply.at(-1);
  return last
    ? lost(
        'reply',
        last,
        last,
        { kind: 'node', place: { kind: 'node', name: node, node } },
        `the answer comes to the client from ${answer.source}, where it was sent to ${target}: node ${node} does not translate it back`,
      )
    : { kind: 'unknown', why: 'the answer is not translated back' };
}

/** Refused with a reset or an ICMP error: by the farthest from the client of those that saw the refusal. */
function refusalOf(
  { plan, captures }: CaptureInput,
  backend: CaptureBackend | undefined,
  refusals: readonly Sighting[],
): Outcome | undefined {
  const reached = refusals.filter(({ place, direction }) => placeKey(place) === placeKey(plan.client.place) && direction === 'in');
  if (reached.length === 0) return undefined;
  const first = refusals[0] as Sighting;
  const { place } = first;
  const word = first.part === 'reset' ? 'a TCP reset' : `ICMP ${first.icmp ?? 'error'} from ${first.source}`;
  // Who has it come in passes it on: it was made beyond, by something that was not captured in.
  if (refusals.some((sighting) => sighting.direction === 'in' && placeKey(sighting.place) === placeKey(place))) {
    const from = place.kind === 'pod' ? 'its node, or beyond it' : 'beyond it';
    return { kind: 'unknown', why: `it is refused with ${word}, which comes into ${placeText(place)} from ${from}` };
  }
  const isClosed = first.icmp === 'port-unreachable' && backend?.place?.kind === 'pod' && placeKey(backend.place) === placeKey(place);
  const asked = first.icmp === 'host-unreachable' ? unansweredNeighbour(captures, place, backend ? [backend.address] : []) : undefined;
  return {
    kind: 'refused',
    leg: 'request',
    by: place,
    with: word,
    where: place.kind === 'pod' ? { kind: 'pod', place } : { kind: 'node', place },
    says: isClosed
      ? `it comes to ${placeText(place)}, which refuses it with ${word}: nothing listens on port ${backend.port} there, or a rule of the pod rejects it`
      : `${placeText(place)} refuses it with ${word}${asked ? `; ${asked.says}` : ''}`,
  };
}

/** No packet was rewritten to an endpoint: it is still addressed to the Service. */
function withoutBackend(plan: CapturePlan, syns: readonly Sighting[], path: ExpectedPath, target: string): Outcome {
  const { furthest, missing } = reach(path.request, syns);
  const node = { kind: 'node', name: plan.client.place.node, node: plan.client.place.node } as const;
  const left = syns.filter(({ place, direction, role }) => placeKey(place) === placeKey(node) && direction === 'out' && role !== 'veth');
  if (missing && placeKey(missing.place) !== placeKey(node))
    return lost('request', furthest, missing, lossPlace(furthest, missing), says(furthest, missing, 'the request'));
  if (missing && missing.role === 'veth')
    return lost('request', furthest, missing, lossPlace(furthest, missing), says(furthest, missing, 'the request'));
  const point: PathPoint = { place: node, role: 'underlay', device: undefined, direction: 'out', needed: true };
  const how =
    left.length > 0
      ? `node ${node.name} sends the request out of ${left[0]?.device} still addressed to ${target}: it was translated to no endpoint`
      : `the request comes to node ${node.name} addressed to ${target} and is not seen to leave it: it was translated to no endpoint that was watched, or dropped before`;
  return lost('request', furthest, point, { kind: 'node', place: node }, how);
}

const lastLine = (text: string): string => text.split('\n').at(-1)?.trim() ?? '';
