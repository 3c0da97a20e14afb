import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { type CapturePlace, placeKey } from '../../model/capture-path.ts';
import type { Entry } from '../../snapshot/entry.ts';
import { toNamespaces } from '../flow.ts';
import { execScript } from '../node-pod.ts';
import type { Plan } from '../plan.ts';
import { prelude, setup } from '../prelude.ts';
import { buildScript, readScriptOutput } from '../script.ts';
import { execFailure } from '../session.ts';
import { createPacketRing } from './ring.ts';
import { type CaptureDeps, nsOf, podsAt, ranOn, startMilliseconds } from './round.ts';
import { captureCommand, packetSections, streamSetup } from './script.ts';

/** A capture that runs until it is ended, and of which the last seconds are kept. */
export interface Stream {
  place: CapturePlace;
  /** Resolves when it listens, can't, or has not in time. */
  listening: Promise<void>;
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
    const failure = { reason: 'not-collected' as const, detail: deps.failure(place.node)?.detail ?? 'captures need a node pod' };
    const entries = [packets, ...sections.map((section) => base(section.key, section.command))].map((entry) => ({ ...entry, failure }));
    return { ...shared, listening: Promise.resolve(), end: () => Promise.resolve(entries) };
  }
  const nonce = randomBytes(8).toString('hex');
  const functions = {
    prelude: prelude('node-pod'),
    setup: [
      setup('node-pod', toNamespaces(podsAt(plan, [place]))),
      streamSetup({ nonce, filter, snapLength, ns: nsOf(plan, place), drops, seconds }),
    ].join('\n'),
  };
  const input = new PassThrough();
  input.write(`${buildScript(sections, functions, nonce).script}\n`);
  let isLate = false;
  let begin = (): void => {};
  const listening = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const timer = setTimeout(() => {
    isLate = !ring.isListening();
    begin();
  }, startMilliseconds);
  const onOutput = (chunk: Uint8Array): void => {
    ring.feed(chunk);
    if (ring.isListening()) begin();
  };
  const run = execScript(deps.kubectl, session, input, (seconds + 20) * 1000, onOutput, false);
  void run.finally(() => {
    clearTimeout(timer);
    begin();
  });
  const end = async (): Promise<Entry[]> => {
    input.end('end\n');
    const result = await run;
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
    const pcap: Entry = isLate
      ? { ...packets, failure: { reason: 'timeout', detail: 'its capture did not listen in time' } }
      : ring.isListening()
        ? { ...packets, exit: 0, stdout: Buffer.from(ring.file()).toString('base64') }
        : { ...packets, failure: failure ?? { reason: 'tool-failed', detail: why || 'its capture did not begin' } };
    return [pcap, ...said];
  };
  return { ...shared, listening, end };
}
