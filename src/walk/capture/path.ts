import {
  type CaptureBackend,
  type CapturePlace,
  type DeviceRole,
  type PathPoint,
  placeKey,
  type Sighting,
} from '../../model/capture-path.ts';
import type { CaptureInput } from './read.ts';

export interface ExpectedPath {
  request: PathPoint[];
  reply: PathPoint[];
}

/**
 * The devices that a request and its answer have to pass between a client and a backend, from the devices alone: no table is asked. Places that were not
 * captured in are left out, and so are the ends of a pod's link that no device of the node meets. `tunnelled`: nodes between which packets were seen in a tunnel.
 */
export function expectedPath(
  input: Pick<CaptureInput, 'plan' | 'captures' | 'devices'>,
  backend: CaptureBackend,
  tunnels: ReadonlySet<string>,
): ExpectedPath {
  const client = input.plan.client.place;
  const server = backend.place;
  const near = half(client, input, server !== null && server.node !== client.node, tunnels);
  const far = server ? half(server, input, server.node !== client.node, tunnels) : [];
  const turn = (points: readonly PathPoint[]): PathPoint[] =>
    points.toReversed().map((point) => ({ ...point, direction: point.direction === 'in' ? 'out' : 'in' }));
  return { request: [...near, ...turn(far)], reply: [...far, ...turn(near)] };
}

/** From a pod's (or a node's own) socket out of its node; on the same node, as far as the node's end of the pod's link. */
function half(
  from: CapturePlace,
  { captures, devices: known }: Pick<CaptureInput, 'captures' | 'devices'>,
  leaves: boolean,
  tunnels: ReadonlySet<string>,
): PathPoint[] {
  const node: CapturePlace = { kind: 'node', name: from.node, node: from.node };
  const devices = known.get(placeKey(node)) ?? [];
  const point = (place: CapturePlace, role: DeviceRole, direction: 'in' | 'out', device?: string, needed = true): PathPoint => ({
    place,
    role,
    device: device ?? onlyDevice(place, role),
    direction,
    needed,
  });
  const onlyDevice = (place: CapturePlace, role: DeviceRole): string | undefined => {
    const found = place.kind === 'node' ? devices.filter((device) => device.role === role) : [];
    return found.length === 1 ? found[0]?.name : undefined;
  };
  const points: PathPoint[] = [];
  if (from.kind === 'pod') {
    const own = known.get(placeKey(from))?.find(({ role }) => role === 'pod');
    const veth = own && devices.find(({ index, peerIndex, role }) => role === 'veth' && index === own.peerIndex && peerIndex === own.index);
    points.push(point(from, 'pod', 'out', own?.name));
    if (veth) points.push(point(node, 'veth', 'in', veth.name));
    if (devices.some(({ role }) => role === 'bridge')) points.push(point(node, 'bridge', 'in', undefined, false));
  }
  if (leaves) {
    points.push(point(node, 'tunnel', 'out', undefined, tunnels.has(from.node)));
    points.push(point(node, 'underlay', 'out'));
  }
  const at = (place: CapturePlace) => captures.find((capture) => placeKey(capture.place) === placeKey(place));
  // Where the capture itself lost packets, what it saw counts, and what it did not see does not.
  return points.filter(({ place }) => at(place)).map((item) => (at(item.place)?.isLossy ? { ...item, needed: false } : item));
}

export const isAt = (point: PathPoint, sighting: Sighting): boolean =>
  sighting.role === point.role &&
  sighting.direction === point.direction &&
  (point.device === undefined || point.device === sighting.device) &&
  placeKey(sighting.place) === placeKey(point.place);
