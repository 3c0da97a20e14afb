import { expect, it } from 'vitest';
import { type Outcome, runTopologies } from '../../scripts/topologies/run.ts';
import { describeAsRoot } from './namespace.ts';

/** Cases of a fixed seed with a defect of each sort; `npm run topologies` runs any number of others. */
const seed = 1;
const cases = 14;

const words = ({ index, defect, verdict }: Outcome): string =>
  `${seed}/${index} ${defect}: walk ${verdict.walk}; kernel ${verdict.kernel}; ${verdict.differs.join(', ')}`;

describeAsRoot('a real packet through random topologies with one defect', () => {
  it('passes the devices that the walk names, and ends where it says', { timeout: 240_000 }, async () => {
    const outcomes: Outcome[] = [];
    await runTopologies(seed, 0, cases, (outcome) => outcomes.push(outcome));
    expect(outcomes.filter(({ verdict }) => verdict.result === 'wrong').map(words)).toEqual([]);
    expect(outcomes.filter(({ verdict }) => verdict.result === 'agrees').length).toBeGreaterThanOrEqual(cases - 1);
    expect(new Set(outcomes.map(({ defect }) => defect)).size).toBeGreaterThan(cases / 2);
  });
});
