import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomCase } from '../../scripts/differential/generate/case.ts';
import { type Lab, makeLab } from '../../scripts/differential/lab.ts';
import { type Compared, runCase } from '../../scripts/differential/run.ts';
import { found } from './differential-found.ts';
import { describeAsRoot } from './namespace.ts';

/** `npm run differential` runs thousands; these are some of every kind, and all that once differed. */
const seeds = Array.from({ length: 60 }, (_, index) => 4_000_000 + index);

describeAsRoot('the walk and the kernel (real packets)', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await makeLab();
  });
  afterAll(() => lab?.remove());

  it.each(found)('$name', async ({ item, expected }) => {
    const result = await runCase(lab, item);
    expect(result).not.toHaveProperty('refused');
    const compared = 'refused' in result ? [] : result.compared;
    expect(compared.length).toBeGreaterThan(0);
    expect(compared.filter(({ is }) => is !== (expected ?? 'agree'))).toEqual([]);
  });

  it('agree on random rules and packets', async () => {
    const differing: (Compared & { seed: number })[] = [];
    const counts = { packets: 0, insufficient: 0, refusedByTools: 0 };
    for (const seed of seeds) {
      const result = await runCase(lab, randomCase(seed));
      if ('refused' in result) counts.refusedByTools++;
      else {
        counts.packets += result.compared.length;
        counts.insufficient += result.compared.filter(({ is }) => is === 'insufficient').length;
        differing.push(...result.compared.flatMap((compared) => (compared.is === 'differing' ? [{ ...compared, seed }] : [])));
      }
    }
    expect(differing).toEqual([]);
    expect(counts.packets).toBeGreaterThan(500);
    // What can't be told is said, but seldom: else the comparison would be about nothing.
    expect(counts.insufficient / counts.packets).toBeLessThan(0.05);
    expect(counts.refusedByTools).toBeLessThan(6);
  });
});
