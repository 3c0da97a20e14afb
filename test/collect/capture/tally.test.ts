import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTally } from '../../../src/collect/capture/tally.ts';

const nonce = '0123456789abcdef';
const request = { tries: 10, seconds: 60, perSecond: 5 };
const said = (number: number, hundredths: number, words = 'HTTP/1.0 200 OK'): Uint8Array =>
  Buffer.from(`@@k8snet:${nonce}:try:${number}:${61_000 + number}:0:${hundredths}:${words}\n`);
const over = Buffer.from(`@@k8snet:${nonce}:over\n`);

/** A tally, the ports whose SYN the capture shows twice (it may come to know of them later), and how often a failure was told. */
function start() {
  const again = new Set<number>();
  const onFailure = vi.fn();
  const targets = [{ address: '10.96.0.1', port: 80 }];
  const tally = createTally({ nonce, kind: 'http', targets, keptSeconds: 15, wasSentAgain: (port) => again.has(port), onFailure });
  return { tally, again, onFailure };
}

describe('createTally', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('a try that took a second is held against the capture until that can be sure to have come', () => {
    const { tally, again, onFailure } = start();
    tally.feed(said(0, 3));
    tally.feed(said(1, 102));
    expect(tally.failedAt()).toBeUndefined();
    vi.advanceTimersByTime(800);
    again.add(61_001);
    tally.look();
    expect(tally.failedAt()).toBeCloseTo(0.8, 3);
    expect(onFailure).toHaveBeenCalledTimes(1);
    const { failed, last } = tally.record('failure', request, 0, null);
    expect(failed).toBe(1);
    expect(last.map(({ result }) => result)).toEqual(['answered', 'repeated']);
  });

  it('is not over while one is open, and takes it for answered when nothing came', () => {
    const { tally, onFailure } = start();
    tally.feed(Buffer.concat([said(0, 102), over]));
    expect(tally.isOver()).toBe(false);
    vi.advanceTimersByTime(2100);
    tally.look();
    expect(tally.isOver()).toBe(true);
    expect(onFailure).not.toHaveBeenCalled();
    expect(tally.record('tries', request, 0, null)).toMatchObject({ tries: 1, failed: 0, last: [{ result: 'answered' }] });
  });

  it('a try without an answer has failed at once', () => {
    const { tally } = start();
    tally.feed(said(0, 300, 'nc: connect to 10.96.0.1 port 80 (tcp) timed out: Operation now in progress'));
    expect(tally.failedAt()).toBe(0);
    expect(tally.record('failure', request, 0, null)).toMatchObject({ failed: 1, last: [{ result: 'failed' }] });
  });
});
