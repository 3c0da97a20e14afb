import { expect, it } from 'vitest';
import { type Outcome, runTopologies } from '../../scripts/topologies/run.ts';
import { describeAsRoot } from './namespace.ts';

/** Cases of a fixed seed with a defect of each sort; `npm run topologies` runs any number of others. */
const seed = 1;
const cases = 14;

/** Cases that were once wrong. */
const found = [
  { name: 'a router between nodes knows no tunnel addresses', of: 2028, at: 102 },
  { name: 'a tunnel sends a frame to all far ends where it knows no better', of: 2028, at: 268 },
  { name: 'a VXLAN device learns from the request where the answer goes', of: 3001, at: 17 },
  { name: 'an answer to a ping is cut into fragments', of: 3001, at: 255 },
];

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

  it.each(found)('$name', { timeout: 60_000 }, async ({ of, at }) => {
    const outcomes: Outcome[] = [];
    await runTopologies(of, at, 1, (outcome) => outcomes.push(outcome));
    expect(outcomes.map(({ verdict }) => ({ result: verdict.result, differs: verdict.differs }))).toEqual([
      { result: 'agrees', differs: [] },
    ]);
  });
});
