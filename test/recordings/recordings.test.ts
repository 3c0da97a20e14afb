import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFacts } from '../../src/facts/facts.ts';
import { toSnapshot } from './adapter.ts';
import { readRecordings } from './recording.ts';
import { readTruth } from './truths.ts';
import { judgeRecording } from './verdicts.ts';

const directory = fileURLToPath(new URL('../../../shared/recordings/', import.meta.url));
const recordings = existsSync(directory) ? readRecordings(directory) : [];

describe.skipIf(recordings.length === 0)('recordings of real clusters (skipped where ../shared/recordings is missing)', () => {
  it('judges each as its truth says', () => {
    const wrong = recordings.map(judgeRecording).filter((verdict) => !verdict.right);
    expect(wrong).toEqual([]);
  });

  it('finds nothing at all in the healthy ones, not even a note', () => {
    const healthy = recordings.filter((recording) => readTruth(recording.truth).slug === null);
    expect(healthy.length).toBeGreaterThan(0);
    expect(healthy.map((recording) => judgeRecording(recording).findings)).toEqual(healthy.map(() => []));
  });

  it('turns the recorded requests of the client into probes that are understood', () => {
    for (const recording of recordings) {
      const facts = createFacts(toSnapshot(recording));
      expect(facts.client.node, recording.name).toBe('n1');
      expect(
        facts.probes.filter((probe) => probe.unknown !== null && probe.stage !== 'payload'),
        recording.name,
      ).toEqual([]);
      expect([...new Set(facts.probes.map((probe) => probe.stage))], recording.name).toEqual(expect.arrayContaining(['name', 'service']));
    }
  });

  it('leaves out what was not recorded, instead of making it up', () => {
    for (const recording of recordings) {
      const { entries } = toSnapshot(recording);
      expect(
        [...entries.keys()].filter((key) => /^pod\/.*\/(iptables-save|sysctl|ip-link)$|^probe\/node\//.test(key)),
        recording.name,
      ).toEqual([]);
    }
  });
});

describe('readTruth', () => {
  it('knows no check for a cause that the table does not have', () => {
    expect(() => readTruth('cni|moonlight|n1')).toThrow('no check is known');
  });
});
