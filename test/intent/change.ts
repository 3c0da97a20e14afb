import { readFileSync } from 'node:fs';
import { verifySnapshot } from '../../src/app/verify.ts';
import type { VerifyReport } from '../../src/schema/verify.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';

/** A bundle of the real cluster. */
export const bundle = (name: string): Snapshot => unpackSnapshot(readFileSync(`fixtures/bundles/${name}.tgz`));

/** The same snapshot with some outputs changed. A change that changes nothing is an error of the test. */
export function changed(snapshot: Snapshot, changes: Readonly<Record<string, (text: string) => string>>): Snapshot {
  const entries = new Map(snapshot.entries);
  for (const [key, change] of Object.entries(changes)) {
    const entry = entries.get(key);
    if (entry === undefined) throw new Error(`the snapshot has no ${key}`);
    const stdout = change(entry.stdout);
    if (stdout === entry.stdout) throw new Error(`${key} is the same after the change`);
    entries.set(key, { ...entry, stdout });
  }
  return { ...snapshot, entries };
}

/** The same snapshot with other entries, or entries that failed. */
export const withEntries = (snapshot: Snapshot, more: readonly Entry[]): Snapshot => ({
  ...snapshot,
  entries: new Map([...snapshot.entries, ...more.map((entry) => [entry.key, entry] as const)]),
});

/** Lines that match are taken out. */
export const without =
  (pattern: RegExp) =>
  (text: string): string =>
    text
      .split('\n')
      .filter((line) => !pattern.test(line))
      .join('\n');

/** A line goes before the first one that matches. */
export const lineBefore =
  (pattern: RegExp, line: string) =>
  (text: string): string => {
    const lines = text.split('\n');
    const at = lines.findIndex((item) => pattern.test(item));
    return at < 0 ? text : [...lines.slice(0, at), line, ...lines.slice(at)].join('\n');
  };

export const report = (snapshot: Snapshot): VerifyReport => verifySnapshot(snapshot).report;

/** `severity kind node from: why` of every finding. */
export const said = (snapshot: Snapshot): string[] =>
  report(snapshot).findings.map(({ severity, kind, node, from, why }) => `${severity} ${kind} ${node} ${from.join('+')}: ${why}`);
