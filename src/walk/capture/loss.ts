import {
  type CaptureBackend,
  type LossPlace,
  type Outcome,
  type PathPoint,
  placeKey,
  placeText,
  type Sighting,
} from '../../model/capture-path.ts';
import { unansweredNeighbour } from './neighbours.ts';
import { type ExpectedPath, isAt } from './path.ts';
import type { CaptureInput } from './read.ts';

/**
 * Where a packet of a try, or its answer, was lost: behind the last device of the path that saw it. `what` names the packet in sentences.
 */
export function lossOf(
  input: CaptureInput,
  backend: CaptureBackend,
  path: ExpectedPath,
  requests: readonly Sighting[],
  replies: readonly Sighting[],
  what = 'the request',
): Outcome {
  const request = reach(path.request, requests);
  const reply = reach(path.reply, replies);
  const unseen = input.blind.find(({ place }) => place.node === backend.place?.node && place.kind === 'node');
  if (replies.length === 0 && request.missing) {
    const wrong = wrongWay(input, backend, request.furthest, requests);
    if (wrong) return lost('request', request.furthest, request.missing, wrong.where, wrong.says);
    const farNode = addressesOf(input, backend);
    const isLeaving = request.furthest?.role === 'tunnel' && request.missing.role === 'underlay';
    const asked = unansweredNeighbour(
      input.captures,
      request.missing.place,
      [backend.address, ...farNode],
      isLeaving ? 'underlay' : 'tunnel',
    );
    const said = says(request.furthest, request.missing, what, input, request.skipped);
    if (asked && farNode.includes(asked.target) && backend.place && backend.place.node !== request.missing.place.node)
      return lost(
        'request',
        request.furthest,
        request.missing,
        { kind: 'between', from: request.missing.place.node, to: backend.place.node, unseen: unseen !== undefined },
        `${said}; ${asked.says}`,
      );
    return lost(
      'request',
      request.furthest,
      request.missing,
      lossPlace(request.furthest, request.missing),
      asked ? `${said}; ${asked.says}` : said,
    );
  }
  const end = request.furthest?.place;
  if (replies.length === 0 && backend.place && !unseen && (!end || placeKey(end) !== placeKey(backend.place)))
    return {
      kind: 'unknown',
      why: `the request comes as far as ${request.furthest ? pointText(request.furthest) : 'nowhere'}, no answer is seen, and ${placeText(backend.place)} was not captured in, or not all of it`,
    };
  if (replies.length === 0 && unseen && request.furthest)
    return lost(
      'request',
      request.furthest,
      request.furthest,
      { kind: 'between', from: request.furthest.place.node, to: backend.place?.node ?? '?', unseen: true },
      `the request leaves node ${request.furthest.place.node} and no answer comes; node ${backend.place?.node} could not be captured on (${unseen.why}), so that it may be lost there as well`,
    );
  if (!reply.missing) return { kind: 'unknown', why: 'every device of the way was passed, and the client saw no answer' };
  const wrong = reply.furthest ? wrongWay(input, { ...backend, place: input.plan.client.place }, reply.furthest, replies) : undefined;
  if (wrong) return lost('reply', reply.furthest, reply.missing, wrong.where, wrong.says);
  if (!reply.furthest && backend.place)
    return lost(
      'reply',
      undefined,
      reply.missing,
      { kind: backend.place.kind === 'pod' ? 'pod' : 'node', place: backend.place },
      `the request comes into ${placeText(backend.place)}, which sends no answer`,
    );
  return lost(
    'reply',
    reply.furthest,
    reply.missing,
    lossPlace(reply.furthest, reply.missing),
    says(reply.furthest, reply.missing, 'the answer', input, reply.skipped),
  );
}

interface Reach {
  furthest: PathPoint | undefined;
  /** The first device after it that has to be passed; undefined = it came to the end. */
  missing: PathPoint | undefined;
  /** A device that had to be passed before the furthest, and was not. */
  skipped: PathPoint | undefined;
}

/** How far a packet came on a path. */
export function reach(points: readonly PathPoint[], sightings: readonly Sighting[]): Reach {
  const last = points.findLastIndex((point) => sightings.some((sighting) => isAt(point, sighting)));
  const isSeen = (point: PathPoint): boolean => sightings.some((sighting) => isAt(point, sighting));
  return {
    furthest: points[last],
    missing: points.slice(last + 1).find(({ needed }) => needed),
    skipped: points.slice(0, Math.max(0, last)).find((point) => point.needed && !isSeen(point)),
  };
}

/** Sent out of the node, but to where the other is not: past the tunnel, to another address of the underlay, or to a node that has nothing to do with it. */
function wrongWay(
  input: CaptureInput,
  backend: CaptureBackend,
  furthest: PathPoint | undefined,
  sightings: readonly Sighting[],
): { where: LossPlace; says: string } | undefined {
  if (furthest?.place.kind !== 'node' || furthest.role !== 'underlay' || furthest.direction !== 'out' || !backend.place) return undefined;
  const { node } = backend.place;
  const place = furthest.place;
  const out = sightings.filter((sighting) => isAt(furthest, sighting));
  const where: LossPlace = { kind: 'node', place };
  const stray = sightings.find((sighting) => sighting.place.node !== node && sighting.place.node !== place.node);
  if (stray) return { where, says: `node ${place.name} sends it to node ${stray.place.node}, and not to node ${node}` };
  const outer = out.find((sighting) => sighting.outer)?.outer;
  const address = input.plan.nodes.find(({ name }) => name === node)?.address;
  if (outer && address !== undefined && outer.destination !== address)
    return {
      where,
      says: `node ${place.name} sends it through the tunnel to ${outer.destination}, which is not node ${node} (${address})`,
    };
  const tunnelled = sightings.some(({ role, place: { node: at } }) => role === 'tunnel' && at === place.node);
  const others = input.captures.some(
    (capture) => placeKey(capture.place) === placeKey(place) && capture.devices.some(({ role }) => role === 'tunnel'),
  );
  if (!outer && !tunnelled && others && backend.place.kind === 'pod')
    return {
      where,
      says: `node ${place.name} sends it out of ${out[0]?.device} outside of the tunnel, addressed to ${out[0]?.destination}`,
    };
  return undefined;
}

/** Between the last device that saw it and the first that did not. A node between two pods, or a pod and another node, that was not captured in is `unseen`. */
export function lossPlace(furthest: PathPoint | undefined, missing: PathPoint): LossPlace {
  const from = furthest?.place ?? missing.place;
  const to = missing.place;
  if (placeKey(from) === placeKey(to)) return { kind: from.kind, place: from };
  if (from.node !== to.node) return { kind: 'between', from: from.node, to: to.node, unseen: from.kind === 'pod' || to.kind === 'pod' };
  const isLink = furthest?.role === 'veth' || missing.role === 'veth';
  if (isLink && from.kind !== to.kind) return { kind: 'pod-link', place: from.kind === 'pod' ? from : to };
  return { kind: 'node', place: { kind: 'node', name: to.node, node: to.node } };
}

export function says(furthest: PathPoint | undefined, missing: PathPoint, what: string, input?: CaptureInput, skipped?: PathPoint): string {
  if (!furthest) return `${what} was not seen at ${pointText(missing)}`;
  const gap = input?.captures.find(({ place, gaps }) => gaps !== undefined && placeKey(place) === placeKey(missing.place))?.gaps;
  return `${what} was last seen at ${pointText(furthest)}, and not at ${pointText(missing)}${skipped ? `; it passed ${pointText(skipped)} by` : ''}${gap ? ` (${gap})` : ''}`;
}

/** `node n1, out of flannel.1`. */
export const pointText = ({ place, role, device, direction }: PathPoint): string => {
  const name =
    device ??
    {
      pod: 'its device',
      veth: "the pod's veth",
      bridge: 'a bridge',
      tunnel: 'a tunnel device',
      underlay: 'the device to other nodes',
      loopback: 'lo',
    }[role];
  return `${placeText(place)}, ${direction === 'in' ? 'in by' : 'out of'} ${name}`;
};

export const lost = (
  leg: 'request' | 'reply',
  lastSeen: PathPoint | undefined,
  firstUnseen: PathPoint,
  where: LossPlace,
  text: string,
): Outcome => ({
  kind: 'lost',
  leg,
  lastSeen,
  firstUnseen,
  where,
  says: text,
});

const addressesOf = (input: CaptureInput, backend: CaptureBackend): string[] =>
  input.plan.nodes.filter(({ name }) => name === backend.place?.node).map(({ address }) => address);
