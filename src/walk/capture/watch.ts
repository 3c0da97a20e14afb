import { type FollowedTry, placeKey, placeText, type Sighting } from '../../model/capture-path.ts';
import { rarestSeen, type WatchedTry, type WatchRecord } from '../../model/watch.ts';
import { watchRecordSchema } from '../../schema/capture.ts';
import type { CaptureReport } from '../../schema/capture-report.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Told } from './follow.ts';
import type { CaptureInput } from './read.ts';
import { timelineOf } from './timeline.ts';

type Watch = NonNullable<CaptureReport['watch']>;
type Side = NonNullable<Watch['failing']>;

/** How the tries of a watch went; undefined = the snapshot is of no watch. */
export function readWatch(snapshot: Snapshot): WatchRecord | undefined {
  const entry = snapshot.entries.get('capture/watch');
  if (!entry || entry.failure) return undefined;
  const parsed = watchRecordSchema.safeParse(JSON.parse(entry.stdout));
  return parsed.success ? parsed.data : undefined;
}

export const toldOf = ({ last }: WatchRecord): Told => new Map(last.map(({ sourcePort, result }) => [sourcePort, result]));

/** Whether a try of the last seconds has failed: not answered, or its first transmission was lost. One that was only late has lost nothing. */
export const hasFailed = (record: WatchRecord, { try: { sourcePort }, outcome }: FollowedTry): boolean => {
  const result = record.last.find((item) => item.sourcePort === sourcePort)?.result;
  return result === 'failed' || (result === 'repeated' && outcome.kind !== 'answered');
};

/** What the whole of a watch tells: of the tries of the last seconds, which the captures show, and of all by their number. */
export function judgeWatch(record: WatchRecord, followed: readonly FollowedTry[]): Watch {
  const { last, ended, why, tries, notMade, seconds, perSecond } = record;
  const made = tries - notMade;
  const late = last.filter((item) => item.result === 'repeated' && followedAs(item, followed)?.outcome.kind === 'answered');
  const failed = record.failed - late.length;
  const sides = last.flatMap((watched) => {
    const item = followedAs(watched, followed);
    return item ? [{ watched, item, isBad: hasFailed(record, item) }] : [];
  });
  const bad = sides.filter(({ isBad }) => isBad).toSorted((a, b) => a.watched.began - b.watched.began)[0];
  const good = bad && goodBeside(bad, sides);
  const [failing, beside] = [bad, good].map((side) => (side ? sideOf(side.watched, side.item) : null));
  return {
    tries: made,
    failed,
    late: late.length,
    notMade,
    seconds,
    perSecond,
    ended,
    why,
    oneIn: failed === 0 ? rarestSeen(made) : null,
    endpoints: endpointsOf(sides),
    failing: failing ?? null,
    good: beside ?? null,
    differs: failing && beside ? differences(failing, beside) : [],
  };
}

interface Followed {
  watched: WatchedTry;
  item: FollowedTry;
  isBad: boolean;
}

const followedAs = ({ sourcePort }: WatchedTry, followed: readonly FollowedTry[]): FollowedTry | undefined =>
  followed.find((item) => item.try.sourcePort === sourcePort);

/** The one to compare with: to the same endpoint where there is one, for then it is not the endpoint; of those the nearest in time. */
function goodBeside(bad: Followed, sides: readonly Followed[]): Followed | undefined {
  const distance = ({ watched }: Followed): number => Math.abs(watched.began - bad.watched.began);
  const isSame = ({ item }: Followed): boolean => endpointOf(item) !== null && endpointOf(item) === endpointOf(bad.item);
  const good = sides.filter((side) => !side.isBad && side.item.outcome.kind === 'answered').toSorted((a, b) => distance(a) - distance(b));
  return good.find(isSame) ?? good[0];
}

const endpointOf = ({ backend }: FollowedTry): string | null => (backend ? `${backend.address}:${backend.port}` : null);

function sideOf(watched: WatchedTry, item: FollowedTry): Side {
  const { number, began, seconds, result, sourcePort, target } = watched;
  return {
    number,
    began: round(began),
    seconds: round(seconds),
    result,
    sourcePort,
    target: `${target.address}:${target.port}`,
    endpoint: endpointOf(item),
    node: item.backend?.place?.node ?? null,
    path: pathOf(item.sightings),
    timeline: timelineOf(item),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

const pathOf = (sightings: readonly Sighting[]): string[] => [
  ...new Set(
    sightings.filter(({ leg, part }) => leg === 'request' && part === 'syn').map(({ place, device }) => `${placeText(place)} ${device}`),
  ),
];

/** Of every endpoint that tries of the last seconds were sent on to, how many of them failed. */
function endpointsOf(sides: readonly Followed[]): Watch['endpoints'] {
  const groups = new Map<string, Watch['endpoints'][number]>();
  for (const { item, isBad } of sides) {
    const endpoint = endpointOf(item);
    if (endpoint === null) continue;
    const known = groups.get(endpoint) ?? { endpoint, node: item.backend?.place?.node ?? null, tries: 0, failed: 0 };
    groups.set(endpoint, { ...known, tries: known.tries + 1, failed: known.failed + (isBad ? 1 : 0) });
  }
  return [...groups.values()].toSorted((a, b) => b.failed - a.failed || a.endpoint.localeCompare(b.endpoint));
}

function differences(failing: Side, good: Side): string[] {
  const isShorter = failing.path.every((device, index) => good.path[index] === device);
  return [
    failing.endpoint === null
      ? 'endpoint: no packet shows that the failing try was sent on to one'
      : failing.endpoint === good.endpoint
        ? `endpoint: the same, ${failing.endpoint}: what fails is not the endpoint as such`
        : `endpoint: ${failing.endpoint}, the good one ${good.endpoint ?? 'unknown'}`,
    ...(failing.node !== null && failing.node !== good.node ? [`node: ${failing.node}, the good one ${good.node ?? 'unknown'}`] : []),
    `source port: ${failing.sourcePort}, the good one ${good.sourcePort}`,
    ...(failing.endpoint === good.endpoint && !isShorter ? [`path: ${failing.path.join(', ')}; the good one ${good.path.join(', ')}`] : []),
    ...(failing.result === 'repeated' ? ['its first packet was lost, and came through when it was sent again a second later'] : []),
  ];
}

/** What the tries themselves leave open; the captures' own gaps are another thing. */
export function watchGaps({ notMade, why, ended }: WatchRecord, { plan, blind }: CaptureInput): string[] {
  const isBlind = blind.some(({ place }) => placeKey(place) === placeKey(plan.client.place));
  return [
    ...(isBlind ? ['a first packet that was lost and sent again could not be told: the client was not captured in'] : []),
    ...(notMade > 0 ? [`${notMade} tries were not made: ${why ?? 'their tool gave no reason'}`] : []),
    ...(ended === 'bytes' ? ['the watch was ended early: more packets came than are moved from the nodes'] : []),
  ];
}
