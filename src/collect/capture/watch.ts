import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { type CapturePlan, type MarkedTry, placeKey } from '../../model/capture-path.ts';
import type { WatchEnd, WatchedTry, WatchRecord, WatchRequest } from '../../model/watch.ts';
import type { Entry } from '../../snapshot/entry.ts';
import { clientNamespace, clientPod, toNamespaces } from '../flow.ts';
import { execScript } from '../node-pod.ts';
import type { Plan } from '../plan.ts';
import { functionsOf } from '../prelude.ts';
import { buildScript } from '../script.ts';
import { execFailure } from '../session.ts';
import { tryLimit } from './probes.ts';
import { type CaptureDeps, filterOf, isHttp, planEntry, snapLengthOf } from './round.ts';
import { letScriptsLeave } from './running.ts';
import { wasSentAgain } from './sent-again.ts';
import { openStream, type Stream } from './stream.ts';
import { createTally, type Tally } from './tally.ts';
import { probeLoop } from './watch-probe.ts';

/** What is kept of every capture: the longest that a try may take, its beginning, and some before it to compare with. */
const keptSeconds = 15;
/** After the first failing try the captures go on for so long: tries that began with it come to their end. */
const settleSeconds = 2;
/** More is not moved from the nodes in one watch. */
const mostBytes = 64 * 1024 * 1024;
/** For what starts and ends around the tries. */
const spareSeconds = 60;
const lookMilliseconds = 100;

/**
 * Sends tries until one fails, so many were made, or the time is over, while every capture runs, and keeps of all of them only the last seconds. Returns what
 * captureRound does, for the tries of those seconds, and `capture/watch`: how the whole of it went.
 */
export async function watchRound(plan: Plan, watched: CapturePlan, request: WatchRequest, deps: CaptureDeps): Promise<Entry[]> {
  const streamOptions = {
    filter: filterOf(watched),
    snapLength: snapLengthOf(watched),
    seconds: request.seconds + spareSeconds,
    keptSeconds,
  };
  const streams = watched.places.map((place) => openStream(plan, place, { ...streamOptions, drops: place.kind === 'node' }, deps));
  await Promise.all(streams.map((stream) => stream.listening));
  const record = await sendTries(plan, watched, request, streams, deps);
  const seen = (await Promise.all(streams.map((stream) => stream.end()))).flat();
  await letScriptsLeave(deps.signal);
  const entry = (key: string, stdout: string): Entry => ({ ...planEntry, key, exit: 0, stdout });
  const said = record.last.map((item) => `k8snet-try ${item.sourcePort} rc=0 cs=${Math.round(item.seconds * 100)}\n${item.said}\n`);
  return [
    entry('capture/plan', JSON.stringify({ ...watched, tries: record.last.map((item) => toMarked(item, watched)) })),
    entry('capture/watch', JSON.stringify(record)),
    entry('capture/probe', said.join('')),
    ...seen,
  ];
}

const toMarked = ({ sourcePort, target }: WatchedTry, watched: CapturePlan): MarkedTry => ({
  stage: watched.tries[0]?.stage ?? 'service',
  protocol: watched.tries[0]?.protocol ?? 'TCP',
  sourcePort,
  target,
  full: false,
});

async function sendTries(
  plan: Plan,
  watched: CapturePlan,
  request: WatchRequest,
  streams: readonly Stream[],
  deps: CaptureDeps,
): Promise<WatchRecord> {
  const { place } = watched.client;
  const client = streams.find((stream) => placeKey(stream.place) === placeKey(place));
  const kind = watched.tries[0]?.protocol === 'UDP' ? 'dns' : isHttp(plan) ? 'http' : 'connect';
  const nonce = randomBytes(8).toString('hex');
  const targets = [...new Map(watched.tries.map(({ target }) => [`${target.address}:${target.port}`, target])).values()];
  const tally = createTally({
    nonce,
    kind,
    targets,
    keptSeconds,
    wasSentAgain: (port) => client !== undefined && wasSentAgain(client.file(), port),
    onFailure: () => {
      for (const stream of streams) stream.hold();
    },
  });
  const bytes = (): number => streams.reduce((sum, stream) => sum + stream.received(), 0);
  const session = deps.sessions.get(place.node);
  if (!session) return tally.record('broken', request, bytes(), deps.failure(place.node)?.detail ?? 'the client could not be reached');
  const pod = clientPod(plan);
  const ports = { first: watched.tries[0]?.sourcePort ?? 0, last: watched.tries.at(-1)?.sourcePort ?? 0 };
  const loop = probeLoop({ nonce, ns: clientNamespace(plan), kind, domain: plan.domain, targets, ports, request });
  const functions = functionsOf(session.tier, toNamespaces(pod ? [pod] : []), loop);
  const input = new PassThrough();
  input.write(`${buildScript([], functions, nonce).script}\n`);
  const run = execScript(deps.kubectl, session, input, (request.seconds + spareSeconds) * 1000, tally.feed, false);
  let hasEnded = false;
  void run.finally(() => {
    hasEnded = true;
  });
  const reasonToEnd = (): WatchEnd | undefined =>
    deps.signal.aborted ? 'interrupted' : (endOf(tally, request, bytes()) ?? (hasEnded ? 'broken' : undefined));
  let ended = reasonToEnd();
  for (; ended === undefined; ended = reasonToEnd()) {
    await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
    tally.look();
    deps.progress(tally.progress(request));
  }
  input.end('end\n');
  const failure = execFailure(await run);
  return tally.record(ended, request, bytes(), ended === 'broken' ? (failure?.detail ?? 'the tries ended before their time') : null);
}

function endOf(tally: Tally, request: WatchRequest, bytes: number): WatchEnd | undefined {
  const failedAt = tally.failedAt();
  if (failedAt !== undefined) return tally.seconds() > failedAt + settleSeconds ? 'failure' : undefined;
  if (tally.isOver()) return 'tries';
  if (bytes > mostBytes) return 'bytes';
  return tally.seconds() > request.seconds + tryLimit ? 'time' : undefined;
}
