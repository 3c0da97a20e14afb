import type { MovedCounter } from '../../model/capture-counters.ts';
import { type FollowedTry, type LossPlace, placeText } from '../../model/capture-path.ts';
import type { WatchRecord } from '../../model/watch.ts';
import type { CaptureReport } from '../../schema/capture-report.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { betweenNodes } from './between.ts';
import { agreeingCounter, readCounters } from './counters.ts';
import { dropReason } from './drops.ts';
import { followTries } from './follow.ts';
import { pointText } from './loss.ts';
import { type CaptureInput, readCapture } from './read.ts';
import { timelineOf } from './timeline.ts';
import { hasFailed, judgeWatch, readWatch, toldOf, watchGaps } from './watch.ts';

type Loss = CaptureReport['losses'][number];

/** What a snapshot's captures tell; a string says why they tell nothing. */
export function judgeCapture(snapshot: Snapshot): CaptureReport | string {
  const input = readCapture(snapshot);
  if (typeof input === 'string') return input;
  const record = readWatch(snapshot);
  const followed = followTries(input, record && toldOf(record));
  return record ? watched(input, record, followed) : once(snapshot, input, followed);
}

/** Tries that were made all at once: each of them counts. */
function once(snapshot: Snapshot, input: CaptureInput, planned: readonly FollowedTry[]): CaptureReport {
  const followed = input.notSent === undefined ? planned : planned.filter((item) => wasSent(item, input));
  if (followed.length === 0)
    return {
      tries: 0,
      answered: 0,
      losses: [],
      counters: [],
      ...(input.notSent === undefined ? {} : { notTried: input.notSent }),
      ...scopeOf([], input),
      gaps: gapsOf(input),
    };
  const lost = followed.filter(({ outcome }) => outcome.kind !== 'answered' && outcome.kind !== 'arrived');
  const arrived = followed.filter(({ outcome }) => outcome.kind === 'arrived').length;
  const counters = readCounters(snapshot, input.plan);
  return {
    tries: followed.length,
    answered: followed.length - lost.length - arrived,
    ...(followed.some((item) => item.try.datagram) ? { arrived } : {}),
    losses: lossesOf(lost, followed, input, counters.moved),
    counters: counters.moved.map(({ place, ...counter }) => ({ place: placeText(place), ...toCounter(counter) })),
    ...scopeOf(followed, input),
    gaps: [...gapsOf(input), ...counters.gaps],
  };
}

/** Of a probe that was cut off: what is neither told of nor seen was never sent. */
const wasSent = ({ try: { sourcePort }, sightings }: FollowedTry, { said }: CaptureInput): boolean =>
  said.has(sourcePort) || sightings.length > 0;

/** Tries that went on until one failed: of most of them only the number is known. Counters would have counted minutes of other traffic. */
function watched(input: CaptureInput, record: WatchRecord, followed: readonly FollowedTry[]): CaptureReport {
  const watch = judgeWatch(record, followed);
  const lost = followed.filter((item) => hasFailed(record, item));
  return {
    tries: watch.tries,
    answered: watch.tries - watch.failed,
    losses: lossesOf(lost, followed, input, []),
    counters: [],
    ...scopeOf(followed, input),
    gaps: record.ended === 'interrupted' ? [] : [...gapsOf(input), ...watchGaps(record, input)],
    watch,
  };
}

function lossesOf(
  lost: readonly FollowedTry[],
  followed: readonly FollowedTry[],
  input: CaptureInput,
  moved: readonly MovedCounter[],
): Loss[] {
  const groups = new Map<string, FollowedTry[]>();
  for (const item of lost) {
    const key = groupKey(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()].map((items) => toLoss(items, followed, input, moved)).sort((a, b) => b.tries - a.tries);
}

/** Tries to the same endpoint that were lost at the same place are one loss. */
function groupKey({ outcome, backend }: FollowedTry): string {
  if (!('where' in outcome)) return outcome.kind;
  return [outcome.kind, outcome.leg, placeOf(outcome.where).names.join(' '), backend?.address ?? ''].join('|');
}

function toLoss(
  items: readonly FollowedTry[],
  followed: readonly FollowedTry[],
  input: CaptureInput,
  moved: readonly MovedCounter[],
): Loss {
  const first = items[0] as FollowedTry;
  const { outcome } = first;
  const to = new Set(
    items.flatMap(({ try: { target }, backend }) => [
      `${target.address}:${target.port}`,
      ...(backend ? [`${backend.address}:${backend.port}`] : []),
    ]),
  );
  const shared = { tries: items.length, to: [...to], timeline: timelineOf(first) };
  if (!('where' in outcome))
    return {
      ...shared,
      kind: 'unknown',
      direction: null,
      where: null,
      says:
        outcome.kind === 'unknown'
          ? outcome.why
          : 'it was given up, though an answer came to the client: too late, or not one that was understood',
      lastSeen: null,
      firstUnseen: null,
      dropReason: null,
      counter: null,
    };
  const isLost = outcome.kind === 'lost';
  const reason = dropReason(items, outcome.where, input.drops) ?? null;
  const counter = agreeingCounter(items, outcome.where, moved, { reason: reason?.reason, says: outcome.says });
  const cause = reason?.reason ?? counter?.name;
  const { where, says } = (isLost ? betweenNodes(outcome, first, followed, input, cause) : undefined) ?? outcome;
  return {
    ...shared,
    kind: outcome.kind,
    direction: outcome.leg,
    where: placeOf(where),
    says,
    lastSeen: isLost && outcome.lastSeen ? pointText(outcome.lastSeen) : null,
    firstUnseen: isLost ? pointText(outcome.firstUnseen) : null,
    dropReason: reason,
    counter: counter ? { place: placeText(counter.place), ...toCounter(counter) } : null,
  };
}

const toCounter = ({ kind, name, by, idle, line, meaning, ends }: Omit<MovedCounter, 'place'>) => ({
  kind,
  name,
  by,
  idle: Math.round(idle * 10) / 10,
  line,
  meaning: meaning ?? null,
  ends,
});

const placeOf = (where: LossPlace): { kind: LossPlace['kind']; names: string[] } =>
  where.kind === 'between'
    ? { kind: 'between', names: [where.from, where.to] }
    : { kind: where.kind, names: where.place.kind === 'pod' ? [placeText(where.place), where.place.node] : [where.place.name] };

const scopeOf = (followed: readonly FollowedTry[], { captures }: CaptureInput): Pick<CaptureReport, 'tried' | 'watched'> => ({
  tried: [
    ...new Set(
      followed.map(
        ({ try: { protocol, target } }) =>
          `${protocol} ${target.address.includes(':') ? `[${target.address}]` : target.address}:${target.port}`,
      ),
    ),
  ],
  watched: captures.map(({ place }) => placeText(place)),
});

function gapsOf(input: CaptureInput): string[] {
  return [
    ...input.blind.map(({ place, why }) => `${placeText(place)} was not captured in: ${why}`),
    ...input.captures.flatMap(({ place, gaps }) => (gaps === undefined ? [] : [`${placeText(place)}: ${gaps}`])),
    ...input.noDrops.map(({ node, why }) => `node ${node}: the kernel's drop reasons could not be read: ${why}`),
  ];
}
