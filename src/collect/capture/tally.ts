import type { WatchEnd, WatchedTry, WatchRecord, WatchRequest } from '../../model/watch.ts';
import { readLoop, type TryKind } from './watch-probe.ts';

export interface TallyOptions {
  nonce: string;
  kind: TryKind;
  targets: readonly { address: string; port: number }[];
  keptSeconds: number;
  /** Whether the client's capture shows that the first packet from this port was sent more than once. */
  wasSentAgain: (sourcePort: number) => boolean;
  onFailure: () => void;
}

/** Counts the tries of a watch from what its loop prints, and keeps the last seconds of them. */
export interface Tally {
  feed: (chunk: Uint8Array) => void;
  /** Holds the tries that took long against the capture, which may come later than their end does. To be called again and again. */
  look: () => void;
  /** Since it was made. */
  seconds: () => number;
  /** When the first failing try was known, in those seconds. */
  failedAt: () => number | undefined;
  /** All tries were made and have ended, and of none it is still open whether it failed. */
  isOver: () => boolean;
  progress: (request: WatchRequest) => string;
  record: (ended: WatchEnd, request: WatchRequest, bytes: number, why: string | null) => WatchRecord;
}

/** A try that took so long (seconds) may have been answered only after its first packet was sent again (RFC 6298: after one second). */
const suspicious = 0.9;

/** Seconds by which the client's capture may come after what the tool says: they take different ways. */
const captureLag = 2;

export function createTally({ nonce, kind, targets, keptSeconds, wasSentAgain, onFailure }: TallyOptions): Tally {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const counts = { tries: 0, failed: 0, notMade: 0 };
  let last: WatchedTry[] = [];
  let pending = '';
  let isOver = false;
  let unreached: string | undefined;
  let failedAt: number | undefined;
  let suspects: { item: WatchedTry; until: number }[] = [];

  const fail = (): void => {
    counts.failed += 1;
    if (failedAt === undefined) onFailure();
    failedAt ??= seconds();
  };

  const look = (): void => {
    const repeated = suspects.filter(({ item }) => wasSentAgain(item.sourcePort));
    for (const { item } of repeated) {
      item.result = 'repeated';
      fail();
    }
    suspects = suspects.filter((suspect) => !repeated.includes(suspect) && suspect.until > seconds());
  };

  const take = (item: ReturnType<typeof readLoop>['tries'][number]): void => {
    counts.tries += 1;
    if (item.result === 'not-made') {
      counts.notMade += 1;
      unreached ??= item.said;
      return;
    }
    const target = targets[(item.number - 1) % targets.length] ?? { address: '', port: 0 };
    const oldest = failedAt === undefined ? seconds() - keptSeconds + 1 : 0;
    const began = Math.max(0, seconds() - item.seconds);
    const watched: WatchedTry = { ...item, target, began, result: item.result };
    last = [...last.filter((one) => one.began >= oldest), watched];
    if (item.result === 'failed') fail();
    else if (item.seconds >= suspicious) suspects.push({ item: watched, until: seconds() + captureLag });
  };

  return {
    feed: (chunk) => {
      const text = pending + Buffer.from(chunk).toString('utf8');
      const end = text.lastIndexOf('\n') + 1;
      pending = text.slice(end);
      const said = readLoop(text.slice(0, end), nonce, kind);
      isOver ||= said.isOver;
      unreached ??= said.unreached;
      for (const item of said.tries) take(item);
      look();
    },
    look,
    seconds,
    failedAt: () => failedAt,
    isOver: () => isOver && suspects.length === 0,
    progress: (request) => `try ${counts.tries} of ${request.tries}${counts.failed > 0 ? `: ${counts.failed} failed` : ''}`,
    record: (ended, { perSecond }, bytes, why) => ({
      // A try that came to its end while the others were waited for may have failed as well.
      ended: counts.failed > 0 && ended !== 'interrupted' ? 'failure' : ended,
      why: unreached ?? why,
      ...counts,
      seconds: Math.round(seconds() * 10) / 10,
      perSecond,
      bytes,
      // Interrupted, the captures have no end: what they did not bring home says nothing.
      last: ended === 'interrupted' ? [] : last,
    }),
  };
}
