import { readFileSync } from 'node:fs';
import { type Check, type CheckResult, type Fault, runCheck } from '../../../src/checks/check.ts';
import { checks } from '../../../src/checks/index.ts';
import { createFacts, type Facts } from '../../../src/facts/facts.ts';
import type { EvidenceRef } from '../../../src/model/evidence.ts';
import type { Reason } from '../../../src/model/observed.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import type { Entry } from '../../../src/snapshot/entry.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { judgeFacts } from '../../../src/tree/judge.ts';

/** A real recording of fixtures/bundles (how it was made stands in NAME.origin.json). */
export const readBundle = (name: string): Snapshot =>
  unpackSnapshot(readFileSync(new URL(`../../../fixtures/bundles/${name}.tgz`, import.meta.url)));

/** The same recording as if the entries that match had not been collected. */
export const without = (snapshot: Snapshot, pattern: RegExp): Snapshot => changeEntries(snapshot, pattern, () => null);

/** The same recording as if reading these entries had failed. */
export const failing = (snapshot: Snapshot, pattern: RegExp, reason: Reason): Snapshot =>
  changeEntries(snapshot, pattern, (entry) => ({ ...entry, exit: null, stdout: '', failure: { reason, detail: `as if ${reason}` } }));

/** The same recording with another text in these entries. */
export const edited = (snapshot: Snapshot, pattern: RegExp, edit: (text: string) => string): Snapshot =>
  changeEntries(snapshot, pattern, (entry) => ({ ...entry, stdout: edit(entry.stdout) }));

function changeEntries(snapshot: Snapshot, pattern: RegExp, change: (entry: Entry) => Entry | null): Snapshot {
  const touched = [...snapshot.entries.values()].filter((entry) => pattern.test(entry.key));
  if (touched.length === 0) throw new Error(`no entry matches ${pattern}`);
  const entries = [...snapshot.entries.values()].flatMap((entry) => (pattern.test(entry.key) ? (change(entry) ?? []) : entry));
  return { ...snapshot, entries: new Map(entries.map((entry) => [entry.key, entry])) };
}

export const resultOf = (check: Check, snapshot: Snapshot): CheckResult => runCheck(check, createFacts(snapshot));

/** The faults that a check finds; fails the test when it finds none. */
export function faultsOf(check: Check, snapshot: Snapshot): [Fault, ...Fault[]] {
  const result = resultOf(check, snapshot);
  const [first, ...rest] = result.state === 'fail' ? result.faults : [];
  if (!first) throw new Error(`${check.meta.slug} finds no fault: ${JSON.stringify(result)}`);
  return [first, ...rest];
}

/** The quoted lines of a fault, as a report prints them. */
export const quoted = (snapshot: Snapshot, fault: Fault): string[] => fault.evidence.flatMap((reference) => linesOf(snapshot, reference));

function linesOf(snapshot: Snapshot, reference: EvidenceRef): string[] {
  if (!('entry' in reference)) return reference.lines.map((line) => line.text);
  const lines = snapshot.entries.get(reference.entry)?.stdout.split('\n');
  if (!lines) throw new Error(`evidence points to ${reference.entry}, which is not in the snapshot`);
  return reference.lines.map((number) => lines[number - 1] ?? `(no line ${number})`);
}

/** Probes of the recording that a fault says it breaks, without the size probes. */
export const broken = (facts: Facts, fault: Fault): string[] =>
  facts.probes.filter((probe) => fault.breaks(probe)).map((probe) => probe.id);

/** The verdict of all checks together: layer and check of the root. */
export function verdictOf(snapshot: Snapshot): { status: string; layer: string | null; slug: string | null } {
  const judgement = judgeFacts(createFacts(snapshot), checks);
  return {
    status: judgement.status,
    layer: judgement.layer,
    slug: judgement.findings.find((finding) => finding.severity === 'fault')?.meta.slug ?? null,
  };
}
