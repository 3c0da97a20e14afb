import { randomBytes } from 'node:crypto';
import { type CapturePlace, placeKey } from '../../model/capture-path.ts';
import type { Entry } from '../../snapshot/entry.ts';
import { toNamespaces } from '../flow.ts';
import type { Plan } from '../plan.ts';
import { functionsOf } from '../prelude.ts';
import { buildScript, readScriptOutput } from '../script.ts';
import { execFailure } from '../session.ts';
import { createPacketRing } from './ring.ts';
import { type CaptureDeps, nsOf, podsAt, ranOn } from './round.ts';
import { startScript, withoutNodePod } from './running.ts';
import { captureCommand, packetSections, streamSetup } from './script.ts';

/** A capture that runs until it is ended, and of which the last seconds are kept. */
export interface Stream {
  place: CapturePlace;
  /** Resolves when it listens, can't, or has not in time. */
  listening: Promise<unknown>;
  hold: () => void;
  /** The kept packets as a capture file. */
  file: () => Uint8Array;
  received: () => number;
  /** Ends the capture; what it brought as entries of a snapshot: `…/pcap` (base64), `…/tcpdump`, `…/ip-link`, of a node also `…/drops`. */
  end: () => Promise<Entry[]>;
}

export interface StreamOptions {
  filter: string;
  snapLength: number;
  /** After these it ends by itself. */
  seconds: number;
  keptSeconds: number;
  drops: boolean;
}

/** One exec for each place: the packets are its standard output, as they come. */
export function openStream(plan: Plan, place: CapturePlace, options: StreamOptions, deps: CaptureDeps): Stream {
  const { filter, snapLength, seconds, keptSeconds, drops } = options;
  const ring = createPacketRing(keptSeconds * 1000, () => performance.now());
  const key = placeKey(place);
  const [, ...sections] = packetSections(place.node, [{ key, ns: nsOf(plan, place) }], drops, snapLength);
  const base = (name: string, command: string) => ({ key: name, command, on: ranOn(place), exit: null, stdout: '', stderr: '' });
  const packets = { ...base(`${key}/pcap`, `${captureCommand(snapLength)} -w - FILTER`) };
  const shared = { place, hold: ring.hold, file: ring.file, received: ring.received };
  const session = deps.sessions.get(place.node);
  if (session?.tier !== 'node-pod') {
    const failure = withoutNodePod(deps.failure(place.node));
    const entries = [packets, ...sections.map((section) => base(section.key, section.command))].map((entry) => ({ ...entry, failure }));
    return { ...shared, listening: Promise.resolve(), end: () => Promise.resolve(entries) };
  }
  const nonce = randomBytes(8).toString('hex');
  const namespaces = toNamespaces(podsAt(plan, [place]));
  const stream = streamSetup({ nonce, filter, snapLength, ns: nsOf(plan, place), drops, seconds });
  const { script } = buildScript(sections, functionsOf('node-pod', namespaces, stream), nonce);
  const running = startScript(deps.kubectl, session, script, {
    limitMilliseconds: (seconds + 20) * 1000,
    isListening: ring.isListening,
    onOutput: ring.feed,
    isKept: false,
  });
  const { listening } = running;
  const end = async (): Promise<Entry[]> => {
    running.end('end');
    const result = await running.result;
    const failure = execFailure(result);
    const outputs = readScriptOutput(sections, nonce, ring.tail());
    const said = sections.map((section): Entry => {
      const output = outputs.get(section.key);
      return { ...base(section.key, section.command), ...output, ...(failure && output?.failure ? { failure } : {}) };
    });
    const why = said
      .find((entry) => entry.key === `${key}/tcpdump`)
      ?.stdout.trim()
      .split('\n')
      .at(-1);
    const pcap: Entry =
      (await listening) === 'late'
        ? { ...packets, failure: { reason: 'timeout', detail: 'its capture did not listen in time' } }
        : ring.isListening()
          ? { ...packets, exit: 0, stdout: Buffer.from(ring.file()).toString('base64') }
          : { ...packets, failure: failure ?? { reason: 'tool-failed', detail: why || 'its capture did not begin' } };
    return [pcap, ...said];
  };
  return { ...shared, listening, end };
}
