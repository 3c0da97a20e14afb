import { randomBytes } from 'node:crypto';
import { type CapturePlace, type CapturePlan, placeKey } from '../../model/capture-path.ts';
import type { Pod } from '../../schema/kubernetes.ts';
import type { Entry, RanOn } from '../../snapshot/entry.ts';
import { namespaceName, speaksOf, toNamespaces } from '../flow.ts';
import type { Kubectl } from '../kubectl.ts';
import type { Plan } from '../plan.ts';
import type { ReadFailure } from '../reader.ts';
import { readScriptOutput } from '../script.ts';
import { execFailure, type Session } from '../session.ts';
import type { CaptureTarget, IdleInterval } from './counters.ts';
import { captureFilter } from './filter.ts';
import { openProbe } from './marked-probe.ts';
import { letScriptsLeave, startScript, withoutNodePod } from './running.ts';
import { captureBounds, captureScript, captureSections, endWord, listeningMark, quietWord } from './script.ts';

export interface CaptureDeps {
  kubectl: Kubectl;
  /** Nodes that can be looked at, and why the others can't. */
  sessions: ReadonlyMap<string, Session>;
  failure: (node: string) => ReadFailure | null;
  signal: AbortSignal;
  progress: (text: string) => void;
}

/**
 * Captures on every node of the plan at once, sends the marked probe when all of them listen, and returns what was seen as entries of a snapshot:
 * `capture/plan`, `capture/probe`, and for each place `…/pcap` (base64), `…/tcpdump`, `…/ip-link`; for each node `…/drops`; of each, three readings of its
 * counters, `…/counters-0/snmp` and so on.
 */
export async function captureRound(plan: Plan, watched: CapturePlan, idle: IdleInterval, deps: CaptureDeps): Promise<Entry[]> {
  const nodes = [...new Set(watched.places.map((place) => place.node))];
  const filter = filterOf(watched);
  const captures = nodes.map((node) => startOnNode(plan, watched, { node, filter, idle }, deps));
  const client = deps.sessions.get(watched.client.place.node);
  const opened = client && openProbe(plan, watched, client, { on: ranOn(watched.client.place), http: isHttp(plan), kubectl: deps.kubectl });
  await Promise.all(captures.map((capture) => capture.listening));
  const late = captures.map((capture) => !capture.isListening());
  const probe = opened && !deps.signal.aborted ? await opened.send() : [];
  const word = isOverAtOnce(probe, watched) ? quietWord : endWord;
  for (const capture of captures) capture.end(word);
  const seen = await Promise.all(
    captures.map(async (capture, index) => {
      const entries = await capture.entries;
      return late[index] ? entries.map((entry) => (entry.failure ? entry : { ...entry, failure: notListening })) : entries;
    }),
  );
  await letScriptsLeave(deps.signal);
  return [{ ...planEntry, exit: 0, stdout: JSON.stringify(watched) }, ...probe, ...seen.flat()];
}

/** What every capture of a plan lets through. */
export const filterOf = (watched: CapturePlan): string =>
  captureFilter({
    protocol: watched.tries[0]?.protocol ?? 'TCP',
    ports: { first: watched.tries[0]?.sourcePort ?? 0, last: watched.tries.at(-1)?.sourcePort ?? 0 },
    datagrams: watched.tries[0]?.datagram === true,
    // The Service's own address too: where it is not translated, the source port may be all the same.
    backends: [
      ...watched.backends,
      ...watched.tries
        .filter(({ stage }) => stage === 'service')
        .slice(0, 1)
        .map(({ target }) => target),
    ],
  });

/** Bytes of each packet that are captured. */
export const snapLengthOf = ({ tries }: CapturePlan): number =>
  tries[0]?.protocol === 'UDP' && !tries[0].datagram ? captureBounds.dnsSnapLength : captureBounds.snapLength;

export const planEntry: Entry = {
  key: 'capture/plan',
  command: 'k8snet capture',
  on: { kind: 'api', name: 'plan' },
  exit: null,
  stdout: '',
  stderr: '',
};

/** The entry that says why nothing was captured. */
export const notCaptured = (detail: string): Entry => ({ ...planEntry, failure: { reason: 'unsupported', detail } });

/** Before a SYN is sent again for the first time (RFC 6298: after a second), nothing of a try can come late. */
function isOverAtOnce(probe: readonly Entry[], { tries }: CapturePlan): boolean {
  const ended = probe.flatMap(({ stdout }) => [...stdout.matchAll(/^k8snet-try \d+ rc=\d+ cs=(\d+)$/gm)]);
  return ended.length === tries.length && ended.every(([, centiseconds]) => Number(centiseconds) < 100);
}

/** Whether a request may be sent, and not only a connection opened. */
export const isHttp = (plan: Plan): boolean => plan.port !== undefined && speaksOf(plan.service, plan.port, plan) === 'http';

/** Its captures may have begun after the probe: what they did not see says nothing. */
const notListening: NonNullable<Entry['failure']> = { reason: 'timeout', detail: 'its captures did not listen in time' };

interface NodeCapture {
  /** Resolves when all captures of the node listen, or can't. */
  listening: Promise<unknown>;
  isListening: () => boolean;
  end: (word: string) => void;
  entries: Promise<Entry[]>;
}

function startOnNode(
  plan: Plan,
  watched: CapturePlan,
  { node, filter, idle }: { node: string; filter: string; idle: IdleInterval },
  deps: CaptureDeps,
): NodeCapture {
  const places = watched.places.filter((place) => place.node === node);
  const targets = places.map((place): CaptureTarget => ({ key: placeKey(place), ns: nsOf(plan, place) }));
  const wanted = { snapLength: snapLengthOf(watched), targets, backends: watched.backends, drops: true };
  const sections = captureSections(node, wanted);
  const session = deps.sessions.get(node);
  const on = (key: string): RanOn =>
    ranOn(places.find((place) => key.startsWith(`${placeKey(place)}/`)) ?? { kind: 'node', name: node, node });
  const failed = (reason: NonNullable<Entry['failure']>): Entry[] =>
    sections.map(({ key, command }) => ({ key, command, on: on(key), exit: null, stdout: '', stderr: '', failure: reason }));
  if (session?.tier !== 'node-pod') {
    return {
      listening: Promise.resolve(),
      isListening: () => true,
      end: () => {},
      entries: Promise.resolve(failed(withoutNodePod(deps.failure(node)))),
    };
  }
  const nonce = randomBytes(8).toString('hex');
  const script = captureScript(sections, toNamespaces(podsAt(plan, places)), { nonce, filter, idle, ...wanted });
  let said = '';
  const isListening = (): boolean => said.includes(listeningMark(nonce));
  const { listening, result, end } = startScript(deps.kubectl, session, script, {
    limitMilliseconds: (captureBounds.seconds + 20) * 1000,
    isListening,
    onOutput: (chunk) => {
      if (said.length < 4096) said += Buffer.from(chunk).toString('latin1');
    },
    isKept: true,
  });
  const entries = result.then((ended) => {
    const failure = execFailure(ended);
    const outputs = readScriptOutput(sections, nonce, ended.stdout);
    return sections.map(({ key, command }): Entry => {
      const output = outputs.get(key);
      if (!output)
        return {
          key,
          command,
          on: on(key),
          exit: null,
          stdout: '',
          stderr: '',
          failure: { reason: 'not-collected', detail: 'not reached' },
        };
      return { key, command, on: on(key), ...output, ...(failure && output.failure ? { failure } : {}) };
    });
  });
  return { listening, isListening, end, entries };
}

export const nsOf = (plan: Plan, place: CapturePlace): string => {
  const pod = place.kind === 'pod' ? plan.pods.get(`${place.namespace}/${place.name}`) : undefined;
  return pod ? namespaceName(pod) : 'host';
};

export const podsAt = (plan: Plan, places: readonly CapturePlace[]): Pod[] =>
  places.flatMap((place) => (place.kind === 'pod' ? (plan.pods.get(`${place.namespace}/${place.name}`) ?? []) : []));

export const ranOn = (place: CapturePlace): RanOn =>
  place.kind === 'node' ? { kind: 'node', name: place.name } : { kind: 'pod', namespace: place.namespace ?? '', name: place.name };
