import type { Received } from './agent.ts';
import type { Flow } from './case.ts';
import { deviceNames, devices } from './lab.ts';
import { endsText } from './predict.ts';
import { readFrame, readPacket, type Seen } from './read.ts';

/** What became of a packet: `out0 1.2.3.4:5>6.7.8.9:10`, `router …`, `icmp 3/3`, `reset`, or `gone`. */
export interface Observed {
  end: string;
  seen: Seen | undefined;
  device: (typeof deviceNames)[number] | undefined;
}

/** Finds a packet among all that came out. One that was delivered to the router may be answered by it as well, which is not the rules' doing. */
export function observe(flow: Flow, received: Received): Observed {
  const isOurs = (seen: Seen | undefined): seen is Seen => seen?.id === flow.id;
  const local = received.local.map(readPacket).find((seen) => isOurs(seen) && seen.refusal === undefined);
  if (local !== undefined) return { end: `router ${endsText(local)}`, seen: local, device: undefined };
  const frames = received.frames.flatMap(({ device, frame }) => {
    const seen = readFrame(frame);
    return isOurs(seen) ? [{ seen, device: deviceNames.find((name) => devices[name].peer === device) }] : [];
  });
  const passed = frames.find(({ seen }) => seen.refusal === undefined);
  if (passed !== undefined) return { end: `${passed.device} ${endsText(passed.seen)}`, ...passed };
  // A refusal of a refusal goes elsewhere.
  const refused = frames.find(({ seen }) => seen.destination === flow.source);
  return refused?.seen.refusal === undefined || flow.device === undefined
    ? { end: 'gone', seen: undefined, device: undefined }
    : { end: refused.seen.refusal, ...refused };
}

/**
 * Whether an end is one of those that were predicted; `*` stands for any number. Without a route the packet may be gone or refused: by what, is not
 * for the rules to say.
 */
export const isAmong = (end: string, predicted: readonly string[]): boolean =>
  (predicted.includes('unrouted') && (end === 'gone' || end.startsWith('icmp '))) || predicted.some((text) => isLike(end, text));

const isLike = (end: string, text: string): boolean =>
  text === end || (text.includes('*') && new RegExp(`^${text.replace(/[.>]/g, '\\$&').replaceAll('*', '[\\da-f.:]+')}$`).test(end));
