import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderCapture } from '../../src/report/capture.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { judgeCapture } from '../../src/walk/capture/summary.ts';
import { type CaptureTruth, captureTruth, markCapture } from '../cluster/capture-truth.ts';

const folder = new URL('../../fixtures/captures/', import.meta.url);
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.tgz'))
  .map((name) => {
    const origin = JSON.parse(readFileSync(new URL(name.replace('.tgz', '.origin.json'), folder), 'utf8')) as { fault: string };
    return {
      name,
      fault: origin.fault,
      truth: captureTruth(origin.fault, /-(\w+)\.tgz$/.exec(name)?.[1] ?? ''),
      snapshot: unpackSnapshot(readFileSync(new URL(name, folder))),
    };
  });
const broken = recorded.filter(({ fault }) => fault !== 'none');
const capturesOf = ({ entries }: Snapshot): string[] =>
  [...entries.values()].filter(({ key, failure }) => key.endsWith('/pcap') && !failure).map(({ key }) => key);

const plain = { color: false, width: 120, verbose: 0 };

/** The oldest recordings were made before counters were read. */
const hasCounters = ({ entries }: Snapshot): boolean => [...entries.keys()].some((key) => key.includes('/counters-2/'));

function judged(snapshot: Snapshot) {
  const report = judgeCapture(snapshot);
  if (typeof report === 'string') throw new Error(report);
  return report;
}

const change = (snapshot: Snapshot, key: string, entry: Partial<Entry>): Snapshot => {
  const entries = new Map(snapshot.entries);
  entries.set(key, { ...(entries.get(key) as Entry), ...entry });
  return { ...snapshot, entries };
};
const without = (snapshot: Snapshot, key: string): Snapshot =>
  change(snapshot, key, { exit: null, stdout: '', failure: { reason: 'unreachable', detail: 'switched off' } });

/** Where another place is named than the truth's, the sentence has to be about the way between nodes, one of which is it. */
function expectFair(truth: CaptureTruth | undefined, snapshot: Snapshot, key: string): void {
  const real = truth?.where ?? [];
  const report = judged(snapshot);
  expect(report.gaps.join('\n')).toMatch(/switched off|lost 700 packets/);
  for (const { kind, where, says } of report.losses) {
    const isFair =
      kind === 'unknown' ||
      real.some((place) =>
        place.kind === where?.kind
          ? place.names.every((name) => where.names.includes(name))
          : where?.kind === 'between' && place.names.some((name) => where.names.includes(name)),
      );
    expect(isFair, `${key}: ${kind} at ${where?.kind} ${where?.names.join(' and ')}: ${says}`).toBe(true);
  }
}

describe('captures of a real cluster', () => {
  it.each(broken)("$name: place and direction of the loss, and the kernel's reason", ({ fault, truth, snapshot }) => {
    if (!truth) throw new Error(`${fault} has no truth`);
    const report = judged(snapshot);
    const { capture, dropReason, counters } = markCapture(truth, report);
    expect({ capture, dropReason }, JSON.stringify(report.losses)).toMatchObject({ capture: 'right' });
    if (hasCounters(snapshot)) expect(counters, JSON.stringify(report.losses.map(({ counter }) => counter))).not.toBe('wrong');
    expect(dropReason, JSON.stringify(report.losses)).not.toBe('wrong');
  });

  // A place that was not captured in may hide where the packet was lost; it may never make another place guilty.
  it.each(broken)('$name: with any one capture missing, no other place is named', ({ truth, snapshot }) => {
    for (const key of capturesOf(snapshot)) expectFair(truth, without(snapshot, key), key);
  });

  it.each(broken)('$name: with any one capture that lost all its packets, no other place is named', ({ truth, snapshot }) => {
    for (const key of capturesOf(snapshot)) {
      const header = Buffer.from(snapshot.entries.get(key)?.stdout ?? '', 'base64').subarray(0, 24);
      const emptied = change(snapshot, key, { stdout: header.toString('base64') });
      const said = '0 packets captured\n700 packets received by filter\n700 packets dropped by kernel\n';
      expectFair(truth, change(emptied, key.replace(/pcap$/, 'tcpdump'), { stdout: said }), key);
    }
  });

  it('a probe that was never sent is no try and no loss, and is said to be none', () => {
    const [{ snapshot }] = recorded as [(typeof recorded)[number]];
    const report = judged(without(capturesOf(snapshot).reduce(without, snapshot), 'capture/probe'));
    expect(report).toMatchObject({ tries: 0, answered: 0, losses: [], notTried: 'switched off' });
    expect(renderCapture(report, 'head', plain)).toContain('\nnothing was tried: switched off\n');
  });

  it.each(recorded)('$name: without packets nothing is lost, it is not known', ({ snapshot }) => {
    const keys = capturesOf(snapshot);
    const blind = keys.reduce(without, snapshot);
    expect(judged(blind).losses.every(({ kind }) => kind === 'unknown')).toBe(true);
  });
});
