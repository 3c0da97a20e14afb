import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Mark } from '../test/cluster/capture-truth.ts';

/** What a diagnosis said: the layer of the root, the checks of its faults, the exit code. */
export interface Said {
  layer: string | null;
  id: string[];
  exit: number;
}
/** What a fault's diagnosis has to say. */
export interface Expected {
  truth: { layer: string; check: string; where: string }[];
  expect: 'finding' | 'note' | 'healthy' | 'watch';
}
/** One fault in one mode of kube-proxy: a row of docs/accuracy. */
export interface Row {
  case: string;
  mode: string;
  expected: { layer: string | null; id: string[] };
  got: Said;
  mended: { exit: number; findings: string[] };
  right: boolean;
  seconds: number;
  /** Whether the verdict is right with `--capture`, too. */
  withCapture?: Mark;
  /** What a capture alone said of the place, the kernel of the reason, and which counter agreed (npm run capture-accuracy). */
  capture?: Mark;
  dropReason?: Mark;
  counters?: Mark;
  /** Of a recording: where the walk alone ends, what verify blames, and whether the root finding quotes the deciding line (npm run walk-accuracy). */
  walk?: Mark;
  intent?: Mark;
  quoted?: Mark;
}
/** Whether a diagnosis names the layer and the checks of a fault, and nothing else. */
export function isRight(fault: Expected, said: Said, findings: { slug: string; severity: string }[]): boolean {
  if (fault.expect === 'healthy') return said.exit === 0 && said.id.length === 0;
  if (fault.expect === 'note')
    return (
      said.exit === 0 && fault.truth.every(({ check }) => findings.some((finding) => finding.slug === check && finding.severity === 'note'))
    );
  // One cause in several places (a tunnel MTU on every node) is several findings of one check.
  const wanted = [...new Set(fault.truth.map(({ check }) => check))].sort();
  return (
    said.exit === 1 &&
    fault.truth.some(({ layer }) => layer === said.layer) &&
    JSON.stringify([...new Set(said.id)].sort()) === JSON.stringify(wanted)
  );
}

/** The rows that a file holds; none when it is not there yet. */
export const readAccuracy = (out: string): Row[] =>
  existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as { rows: Row[] }).rows : [];

/** Writes the rows to the JSON file, and beside it the same as a table to read. */
export function writeAccuracy(out: string, rows: readonly Row[]): void {
  const sorted = [...rows].sort((a, b) => a.case.localeCompare(b.case) || a.mode.localeCompare(b.mode));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify({ rows: sorted }, null, 1)}\n`);
  const right = sorted.filter((row) => row.right).length;
  const times = sorted.map((row) => row.seconds).sort((a, b) => a - b);
  const lines = [
    '# Accuracy',
    '',
    'Made by `npm run accuracy`: each fault was made in a real cluster (test/cluster), diagnosed by the built CLI through real kubectl, mended, and diagnosed again.',
    `${right} of ${sorted.length} rows are right. A row is right when the layer and every check named are those of the truth, no other fault is named, and the mended cluster is healthy with exit 0. Median time of a diagnosis: ${times[Math.floor(times.length / 2)] ?? 0} s on 2 cores that also run the three nodes.`,
    '',
    '"with capture" is of `npm run accuracy -- --capture`: whether `diagnose --capture` says the same; empty where it was not made. Three columns are of `npm run capture-accuracy`: the hop and direction that a capture alone named, tables withheld, the drop reason of the kernel, and the counter that agrees; empty where it was not made, n/a where the kernel has none. The last three are of `npm run walk-accuracy`, made from the recordings of the diagnoses: the place and the line on which the walk through the tables alone ends, what `verify` blames of the rules, and whether the root finding quotes the deciding line; n/a where the cause stands in no table.',
    '',
    '| fault | kube-proxy | expected | said | exit | mended | right | seconds | with capture | capture | drop reason | counters | walk | intent | quoted |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...sorted.map(
      (row) =>
        `| ${row.case} | ${row.mode} | ${row.expected.id.join(', ') || 'healthy'} | ${row.got.id.join(', ') || 'no fault'} | ${row.got.exit} | exit ${row.mended.exit} | ${row.right ? 'yes' : '**no**'} | ${row.seconds} | ${row.withCapture ?? ''} | ${row.capture ?? ''} | ${row.dropReason ?? ''} | ${row.counters ?? ''} | ${row.walk ?? ''} | ${row.intent ?? ''} | ${row.quoted ?? ''} |`,
    ),
    '',
  ];
  writeFileSync(out.replace(/\.json$/, '.md'), lines.join('\n'));
}
