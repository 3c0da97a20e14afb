import type { Counter, MovedCounter } from '../../model/capture-counters.ts';
import { type CapturePlace, type CapturePlan, type FollowedTry, type LossPlace, placeKey, placeText } from '../../model/capture-path.ts';
import type { Entry } from '../../snapshot/entry.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { counterOfReason } from './counter-meanings.ts';
import { counterOutputs, countersOf } from './counter-readings.ts';
import { transmissions } from './drops.ts';

export interface CounterResult {
  /** Strongest first; what counts ends of packets before what only shows that something was lost. */
  moved: MovedCounter[];
  gaps: string[];
}

/**
 * The counters of every watched namespace that moved while the probes were under way. Each was read three times: before an idle interval, after it, and after
 * the probes; a difference counts where it is more than what the idle interval, scaled to the time of the probes, lets expect.
 */
export function readCounters(snapshot: Snapshot, plan: CapturePlan): CounterResult {
  const results = plan.places.map((place) => movedAt(snapshot, place));
  const moved = results.flatMap((result) => result.moved);
  return {
    moved: moved.sort((a, b) => Number(b.ends) - Number(a.ends) || b.by - b.idle - (a.by - a.idle)),
    gaps: results.flatMap((result) => result.gaps),
  };
}

function movedAt(snapshot: Snapshot, place: CapturePlace): CounterResult {
  const at = (reading: number, name: string): Entry | undefined => snapshot.entries.get(`${placeKey(place)}/counters-${reading}/${name}`);
  const times = [0, 1, 2].map((reading) =>
    Number(snapshot.entries.get(`capture/node/${place.node}/counters-${reading}/at`)?.stdout.trim() || Number.NaN),
  );
  const [begin = Number.NaN, middle = Number.NaN, end = Number.NaN] = times;
  const scale = (end - middle) / (middle - begin);
  const texts = counterOutputs.map((name) => [name, [0, 1, 2].map((reading) => textOf(at(reading, name)))] as const);
  const missing = [0, 1, 2].map((reading) => at(reading, 'snmp')).find((entry) => entry && textOf(entry) === undefined);
  // Recordings from before there were counters have none, and lack nothing that was asked for.
  if (missing) return { moved: [], gaps: [`${placeText(place)}: its counters were not read: ${whyNot(missing)}`] };
  if (!Number.isFinite(scale) || scale <= 0) return { moved: [], gaps: [] };
  return {
    moved: texts.flatMap(([name, [before, idle, after]]) =>
      differences(name, { before, idle, after }, { scale, seconds: (end - middle) / 100 }).map((item) => ({ ...item, place })),
    ),
    gaps: [],
  };
}

const textOf = (entry: Entry | undefined): string | undefined =>
  !entry || entry.failure || entry.stdout === '' ? undefined : entry.stdout;

const whyNot = (entry: Entry): string => entry.failure?.detail ?? (entry.stderr.trim().split('\n').at(-1) || 'nothing came');

interface Texts {
  before: string | undefined;
  idle: string | undefined;
  after: string | undefined;
}

/** `scale`: the time of the probes in idle intervals; `seconds`: the same time. */
function differences(output: string, texts: Texts, length: { scale: number; seconds: number }): Omit<MovedCounter, 'place'>[] {
  if (texts.before === undefined || texts.idle === undefined || texts.after === undefined) return [];
  // Of most outputs nothing moved; neighbours are a state, and no difference.
  if (texts.idle === texts.after && output !== 'neigh') return [];
  const [first, second, third] = [texts.before, texts.idle, texts.after].map((text) => byName(countersOf(output, text)));
  if (!first || !second || !third) return [];
  return [...third].flatMap(([key, { value, seconds, ...counter }]) => {
    // ip leaves out some errors of devices while they are 0.
    const missing = counter.kind === 'device' ? 0 : undefined;
    const old = first.get(key)?.value ?? missing;
    const from = second.get(key)?.value ?? missing;
    if (counter.kind === 'neighbour') return value > 0 && (seconds ?? 0) <= length.seconds + 1 ? [{ ...counter, by: value, idle: 0 }] : [];
    // A rule that was not there before, or whose counter began anew, tells nothing.
    if (old === undefined || from === undefined || value < from || from < old) return [];
    const by = value - from;
    const expected = (from - old) * length.scale;
    return standsOut(by, expected, length.scale) ? [{ ...counter, by, idle: expected }] : [];
  });
}

/** Probes that time out take no more than these of the long idle intervals. */
const fairScale = 4;

/**
 * Twice the deviation of events that come by chance (Poisson); of what did not move at all while idle, more than two, or more where the idle interval was far
 * shorter than the probes: it may have missed what moves by itself.
 */
const standsOut = (by: number, expected: number, scale: number): boolean =>
  by - expected > 2 * Math.sqrt(expected + Math.max(1, scale / fairScale) ** 2);

/** Two rules of a chain may have the same words. */
function byName(counters: readonly Counter[]): Map<string, Counter> {
  const found = new Map<string, Counter>();
  for (const counter of counters) {
    let key = counter.name;
    while (found.has(key)) key += '+';
    found.set(key, counter);
  }
  return found;
}

/** A rule is the most exact witness, a queue of the whole machine the least. */
const exactness: Readonly<Record<Counter['kind'], number>> = {
  rule: 0,
  policy: 0,
  neighbour: 0,
  conntrack: 1,
  protocol: 1,
  device: 2,
  qdisc: 2,
  softnet: 3,
};

/**
 * The counter that agrees about a loss: at the place of the loss, of packets that end there, and moved at least once for each lost try; of several, the one that
 * comes closest to the number of packets. Where the kernel gave a reason, only what counts that reason: a filter's drop is counted by rules alone.
 */
export function agreeingCounter(
  tries: readonly FollowedTry[],
  where: LossPlace,
  moved: readonly MovedCounter[],
  known: { reason: string | undefined; says: string },
): MovedCounter | undefined {
  const lost = transmissions(tries, where);
  const isFiltered = known.reason === 'NETFILTER_DROP';
  const own = counterOfReason[known.reason ?? ''];
  const fits = ({ kind, name }: MovedCounter): boolean => {
    if (kind === 'neighbour') return known.says.includes(name.split(' ')[1] ?? name);
    if (own) return own.test(name);
    return known.reason === undefined || isFiltered === (kind === 'rule' || kind === 'policy' || kind === 'conntrack');
  };
  const distance = ({ by, idle, kind }: MovedCounter): number =>
    (kind === 'neighbour' ? 0 : Math.abs(Math.log((by - idle) / lost))) + exactness[kind] / 4;
  const [best] = moved
    .filter(({ ends, place, by, idle, kind }) => ends && isThere(place, where, kind) && (kind === 'neighbour' || by - idle >= tries.length))
    .filter(fits)
    .sort((a, b) => distance(a) - distance(b));
  return best;
}

/** Between two nodes only their devices can have counted it. */
function isThere(place: CapturePlace, where: LossPlace, kind: Counter['kind']): boolean {
  if (where.kind === 'between')
    return place.kind === 'node' && (place.name === where.from || place.name === where.to) && (kind === 'device' || kind === 'neighbour');
  if (where.kind === 'pod-link') return place.node === where.place.node;
  return placeKey(place) === placeKey(where.place);
}
