import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** One intermittent fault in one mode of kube-proxy, watched several times: a row of docs/watch-accuracy. */
export interface WatchRow {
  fault: string;
  mode: string;
  /** It hits one request in so many; null = nothing is broken. */
  oneIn: number | null;
  runs: number;
  found: number;
  /** Of the tries at which it was found. */
  median: number | null;
  largest: number | null;
  /** The try that failed first in each run; null = none did. */
  tries: (number | null)[];
  /** Tries after which a watch gave up. */
  mostTries: number;
  /** Tries after which the tool says that a fault as frequent would have been seen with 95 %, and how many runs found it within them. */
  enough: number | null;
  within: number | null;
  /** Runs that found the fault with its place, the kernel's reason and its endpoint; of a healthy cluster, those that found nothing. */
  right: number;
  wrong: string[];
}

export const readWatchAccuracy = (out: string): WatchRow[] =>
  existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as { rows: WatchRow[] }).rows : [];

/** Writes the rows to the JSON file, and beside it the same as a table to read. */
export function writeWatchAccuracy(out: string, rows: readonly WatchRow[]): void {
  const sorted = [...rows].sort((a, b) => a.fault.localeCompare(b.fault) || a.mode.localeCompare(b.mode));
  writeFileSync(out, `${JSON.stringify({ rows: sorted }, null, 1)}\n`);
  const broken = sorted.filter(({ oneIn }) => oneIn !== null);
  const sum = (of: (row: WatchRow) => number): number => broken.reduce((total, row) => total + of(row), 0);
  const lines = [
    '# Intermittent faults',
    '',
    'Made by `npm run watch-accuracy`: each fault was made in a real cluster (test/cluster) and looked for by `k8snet capture --watch`, 5 tries a second, several times. A run is right when it found the fault, named the place and the direction of the loss, the reason that the kernel gives, and the endpoint where it is one alone; on the healthy cluster, when it found nothing.',
    '',
    `"Enough" is the number of tries after which the tool says, where none failed, that a fault as frequent would have been seen with 95 %: ${sum(({ within }) => within ?? 0)} of ${sum(({ runs }) => runs)} runs found theirs within it.`,
    '',
    '| fault | kube-proxy | one request in | runs | found | at try: median | largest | enough | found within it | right |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...sorted.map(
      (row) =>
        `| ${row.fault} | ${row.mode} | ${row.oneIn ?? ''} | ${row.runs} | ${row.found} | ${row.median ?? ''} | ${row.largest ?? ''} | ${row.enough ?? ''} | ${row.within ?? ''} | ${row.right} |`,
    ),
    '',
  ];
  writeFileSync(out.replace(/\.json$/, '.md'), lines.join('\n'));
}
