import { checks } from '../../src/checks/index.ts';
import { createFacts } from '../../src/facts/facts.ts';
import { judgeFacts } from '../../src/tree/judge.ts';
import { toSnapshot } from './adapter.ts';
import type { Recording } from './recording.ts';
import { readTruth, type Truth } from './truths.ts';

export interface RecordingVerdict {
  name: string;
  right: boolean;
  expected: Truth;
  said: Truth & { summary: string };
  /** Every finding, notes too: `severity slug`. */
  findings: string[];
}

/** Judges a recording and holds the verdict against its truth: layer and check of the first finding, and no finding at all where it is healthy. */
export function judgeRecording(recording: Recording): RecordingVerdict {
  const expected = readTruth(recording.truth);
  const judgement = judgeFacts(createFacts(toSnapshot(recording)), checks);
  const root = judgement.findings.find((finding) => finding.severity === 'fault');
  const findings = judgement.findings.map((finding) => `${finding.severity} ${finding.meta.slug}`);
  const said = { layer: judgement.layer, slug: root?.meta.slug ?? null, summary: judgement.summary };
  const right =
    expected.slug === null
      ? judgement.status === 'healthy' && findings.length === 0
      : said.layer === expected.layer && said.slug === expected.slug;
  return { name: recording.name, right, expected, said, findings };
}
