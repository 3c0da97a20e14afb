import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { WatchRecord } from '../../../src/model/watch.ts';
import { renderCapture } from '../../../src/report/capture.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import type { Entry } from '../../../src/snapshot/entry.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { judgeCapture } from '../../../src/walk/capture/summary.ts';

const read = (name: string): Snapshot =>
  unpackSnapshot(readFileSync(new URL(`../../../fixtures/watches/${name}-nftables.tgz`, import.meta.url)));

function judged(snapshot: Snapshot) {
  const report = judgeCapture(snapshot);
  if (typeof report === 'string' || !report.watch) throw new Error('no watch');
  return { ...report, watch: report.watch };
}

function changed(snapshot: Snapshot, change: (record: WatchRecord) => WatchRecord): Snapshot {
  const entry = snapshot.entries.get('capture/watch') as Entry;
  const stdout = JSON.stringify(change(JSON.parse(entry.stdout) as WatchRecord));
  return { ...snapshot, entries: new Map(snapshot.entries).set(entry.key, { ...entry, stdout }) };
}

const plain = { color: false, width: 120, verbose: 0 };

describe('a watch of a real cluster', () => {
  it('one SYN of twenty dropped on n1: the first transmission is lost there, before any packet shows an endpoint', () => {
    const { losses, watch } = judged(read('flaky-one-in-20'));
    expect(losses).toMatchObject([
      {
        kind: 'lost',
        direction: 'request',
        tries: 1,
        where: { kind: 'node', names: ['n1'] },
        dropReason: { reason: 'NETFILTER_DROP', node: 'n1' },
      },
    ]);
    expect(watch).toMatchObject({ failed: 1, late: 0, ended: 'failure', failing: { result: 'repeated' }, good: { result: 'answered' } });
    expect(watch.failing?.endpoint).toBeNull();
    expect(watch.differs.join('\n')).toContain('no packet shows that the failing try was sent on');
    expect(watch.failing?.number).toBeLessThanOrEqual(20);
  });

  it('half a second of every five lost on n2: the node, its reason, and that the same endpoint answers others', () => {
    const { losses, watch } = judged(read('flaky-half-second'));
    expect(losses.length).toBeGreaterThan(0);
    for (const loss of losses)
      expect(loss).toMatchObject({
        kind: 'lost',
        direction: 'request',
        where: { kind: 'node', names: ['n2'] },
        dropReason: { reason: 'NETFILTER_DROP' },
      });
    expect(watch.failing?.node).toBe('n2');
    expect(watch.failing?.endpoint).toBe(watch.good?.endpoint);
    expect(watch.differs.join('\n')).toContain('endpoint: the same');
  });

  it('one endpoint of three dead: it fails always, the others never', () => {
    const { watch, losses } = judged(read('cni-backend-policy-drop'));
    const [first, ...others] = watch.endpoints;
    expect(first).toMatchObject({ node: 'n2' });
    expect(first?.failed).toBe(first?.tries);
    expect(others.every(({ failed, tries }) => failed === 0 && tries > 0)).toBe(true);
    expect(watch).toMatchObject({ failing: { node: 'n2', result: 'failed' } });
    expect(watch.good?.node).not.toBe('n2');
    expect(losses).toMatchObject([{ kind: 'lost', where: { kind: 'node', names: ['n2'] } }]);
    expect(losses[0]?.tries).toBe(first?.failed);
  });

  it('healthy: no loss, and what so few tries could have shown', () => {
    const report = judged(read('healthy'));
    expect(report).toMatchObject({
      tries: 5,
      answered: 5,
      losses: [],
      gaps: [],
      watch: { failed: 0, oneIn: 2, ended: 'tries', failing: null },
    });
    expect(renderCapture(report, 'head', plain)).toMatch(
      /5 tries over [\d.]+ s, none failed; a fault that hits one request in 2 by chance would have been seen with 95 %, and one that comes and goes if it came meanwhile/,
    );
  });
});

describe('what a watch does not claim', () => {
  it('a SYN sent again although its answer came is late, and no loss', () => {
    const healthy = read('healthy');
    const report = judged(
      changed(healthy, (record) => ({
        ...record,
        failed: 1,
        ended: 'failure',
        last: record.last.map((item, index) => (index === 2 ? { ...item, seconds: 1.2, result: 'repeated' } : item)),
      })),
    );
    expect(report).toMatchObject({ answered: 5, losses: [], watch: { failed: 0, late: 1, failing: null } });
  });

  it('a failed try without any capture is counted, and its place is not known', () => {
    const snapshot = read('cni-backend-policy-drop');
    const entries = new Map(
      [...snapshot.entries].map(([key, entry]): [string, Entry] => [
        key,
        key.endsWith('/pcap') ? { ...entry, exit: null, stdout: '', failure: { reason: 'unreachable', detail: 'switched off' } } : entry,
      ]),
    );
    const { losses, watch, gaps } = judged({ ...snapshot, entries });
    expect(watch.failed).toBeGreaterThan(0);
    expect(losses.map(({ kind }) => kind)).toEqual(['unknown']);
    expect(gaps.join('\n')).toContain('could not be told: the client was not captured in');
  });

  it('no try made: the tool is named, and nothing of the Service', () => {
    const none = changed(read('healthy'), (record) => ({
      ...record,
      tries: 3,
      notMade: 3,
      failed: 0,
      last: [],
      ended: 'tries',
      why: 'no tool',
    }));
    const report = judged(none);
    expect(report.watch).toMatchObject({ tries: 0, oneIn: null });
    expect(renderCapture(report, 'head', plain)).toContain('no try was made: no tool');
  });
});
