import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeSnapshot } from '../../src/app/diagnose.ts';
import type { Report } from '../../src/schema/report.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import { withWitnesses } from '../../src/tree/captures.ts';

const file = new URL('../../fixtures/captures/cni-tc-drop-nftables.tgz', import.meta.url);
const { report } = judgeSnapshot(unpackSnapshot(readFileSync(file)));

/** The report as if its only fault named another place. */
function naming(where: Report['findings'][number]['where'], slug = 'forward-drop'): Report {
  const [first] = report.findings;
  if (!first) throw new Error('no finding');
  const verdict = { ...report.verdict, confidence: 'medium' as const };
  return withWitnesses({ ...report, verdict, findings: [{ ...first, id: 'CNI999', slug, where }] });
}

/** The report as if packets were lost between the nodes. */
function lostBetween(base: Report, quiet = true): Report {
  const { capture } = base;
  if (!capture) throw new Error('no capture');
  const losses = capture.losses.map((loss) => ({
    ...loss,
    where: { kind: 'between' as const, names: ['n1', 'n2'] },
    counter: null,
    dropReason: null,
  }));
  return { ...base, capture: { ...capture, losses, counters: quiet ? [] : capture.counters } };
}

describe('what captures say about findings', () => {
  it('is no second witness of what rests on them', () => {
    expect(report.findings[0]?.slug).toBe('packets-lost-on-node');
    expect(report.witnesses).toMatchObject([{ agreement: 'alone', says: expect.stringContaining("what the node's tables do not show") }]);
  });

  it.each([
    { name: 'closed-iptables', advice: '`ss -lun` in that pod' },
    { name: 'dropped-nftables', advice: '`k8snet trace --udp` follows it' },
  ])('of UDP, for which no table was walked, does not send away from the tables: $name', ({ name, advice }) => {
    const recording = readFileSync(new URL(`../../fixtures/captures-udp/${name}.tgz`, import.meta.url));
    const { witnesses } = judgeSnapshot(unpackSnapshot(recording)).report;
    expect(witnesses).toMatchObject([{ agreement: 'alone', says: expect.stringContaining(advice) }]);
  });

  it('agrees with what names the same node, with the reason and the counter, and raises confidence', () => {
    const { witnesses, verdict } = naming({ kind: 'rule', name: '-A FORWARD -j DROP', node: 'n2' });
    expect(witnesses).toHaveLength(1);
    expect(witnesses?.[0]?.agreement).toBe('same-place');
    expect(witnesses?.[0]?.says).toMatch(
      /^captures see the requests of 6 tries end on node n2 \(the kernel calls it TC_INGRESS, and node n2 counts it \(flannel\.1 clsact .* \+\d+\)\), where CNI999 says$/,
    );
    expect(verdict.confidence).toBe('high');
  });

  it('says where another place is named, and lowers confidence', () => {
    const { witnesses, verdict } = naming({ kind: 'route', name: '10.244.2.0/24', node: 'n1' });
    expect(witnesses?.[0]).toMatchObject({ agreement: 'elsewhere' });
    expect(witnesses?.[0]?.says).toContain('and CNI999 names node n1: one of the two is another fault, or not the cause');
    expect(verdict.confidence).toBe('low');
  });

  it('sends outside of the nodes what leaves one and does not come to the other, while their counters stand still', () => {
    const unexplained = naming({ kind: 'network', name: 'n1 <-> n3' }, 'pod-traffic-lost-unexplained');
    const { witnesses } = withWitnesses(lostBetween(unexplained));
    expect(witnesses?.[0]?.agreement).toBe('alone');
    expect(witnesses?.[0]?.says).toMatch(
      /end between node n1 and node n2, in this direction: .*; no counter of lost packets moved on node n1 or node n2 meanwhile; look outside of the nodes/,
    );
    expect(withWitnesses(lostBetween(unexplained, false)).witnesses?.[0]?.says).not.toContain('no counter');
    const named = withWitnesses(lostBetween(naming({ kind: 'network', name: 'n1 -> n2 udp 8472' })));
    expect(named.witnesses?.[0]?.agreement).toBe('same-place');
  });

  it('says that nothing was lost where a finding of the pod network has it otherwise', () => {
    const { capture } = report;
    if (!capture) throw new Error('no capture');
    const answered = withWitnesses({
      ...naming({ kind: 'Node', name: 'n2', node: 'n2' }),
      capture: { ...capture, answered: capture.tries, losses: [] },
    });
    expect(answered.witnesses).toEqual([
      { agreement: 'silent', says: expect.stringContaining('all 14 captured tries came through: what CNI999') },
    ]);
    expect(answered.verdict.confidence).toBe('high');
  });

  it('says nothing without captures', () => {
    const { capture: _, witnesses: __, ...plain } = report;
    expect(withWitnesses(plain)).toEqual(plain);
  });
});
