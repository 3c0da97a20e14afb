import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rarestSeen, watchBounds, watchRequest } from '../../src/model/watch.ts';

describe('rarestSeen', () => {
  it.each([
    [1, 1],
    [58, 19],
    // The "rule of three": with 95 %, N tries without a failure rule out one in N/3.
    [300, 100],
    [3000, 1001],
  ])('%i tries without a failure rule out one in %i', (tries, oneIn) => {
    expect(rarestSeen(tries)).toBe(oneIn);
  });

  it('is what (1 - 1/M)^N says: that loss stays unseen in at most 5 % of all runs, and a rarer one in more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 36_000 }), (tries) => {
        const oneIn = rarestSeen(tries) ?? 0;
        expect((1 - 1 / oneIn) ** tries).toBeLessThanOrEqual(0.05 + 1e-9);
        expect((1 - 1 / (oneIn + 1)) ** tries).toBeGreaterThan(0.05 - 1e-9);
      }),
    );
  });

  it('says nothing of no tries', () => {
    expect(rarestSeen(0)).toBeNull();
  });
});

describe('watchRequest', () => {
  it('makes of a time as many tries as fit, and of tries a time that holds them with some to spare', () => {
    expect(watchRequest({ seconds: 90 }, 5)).toEqual({ tries: 450, seconds: 90, perSecond: 5 });
    expect(watchRequest({ tries: 60 }, 5)).toEqual({ tries: 60, seconds: 34, perSecond: 5 });
  });

  it('never goes beyond the longest time, whatever the number of tries', () => {
    expect(watchRequest({ tries: 9000 }, 1).seconds).toBe(watchBounds.mostSeconds);
  });
});
