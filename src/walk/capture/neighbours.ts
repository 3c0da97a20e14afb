import { type CapturePlace, type DeviceRole, placeKey } from '../../model/capture-path.ts';
import type { PlaceCapture } from './read.ts';

/**
 * What a place asked its neighbours for (ARP) without an answer: one of the wanted addresses first, else any by a device of that role (a tunnel's addresses are in
 * no object of the API, and a wrong entry may name any).
 */
export function unansweredNeighbour(
  captures: readonly PlaceCapture[],
  place: CapturePlace,
  wanted: readonly string[],
  orAnyBy: DeviceRole = 'tunnel',
): { target: string; says: string } | undefined {
  const capture = captures.find((candidate) => placeKey(candidate.place) === placeKey(place));
  if (!capture) return undefined;
  const answered = new Set<string>();
  const asked: { target: string; device: PlaceCapture['devices'][number] }[] = [];
  for (const { body, device: index, direction } of capture.packets) {
    if (body.kind !== 'arp') continue;
    if (body.operation === 'reply' && body.sender !== undefined && direction !== 'Out') answered.add(body.sender);
    const device = capture.devices.find((candidate) => `#${candidate.index}` === index);
    if (body.operation === 'request' && body.target !== undefined && direction === 'Out' && device)
      asked.push({ target: body.target, device });
  }
  const open = asked.filter(({ target }) => !answered.has(target));
  const found = open.find(({ target }) => wanted.includes(target)) ?? open.find(({ device }) => device.role === orAnyBy);
  return (
    found && {
      target: found.target,
      says: `it asks who has ${found.target} by ${found.device.name}, and nobody answers`,
    }
  );
}
