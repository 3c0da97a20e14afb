import { execa } from 'execa';
import { rarestSeen } from '../src/model/watch.ts';
import type { CaptureReport } from '../src/schema/capture-report.ts';
import { clusterExec } from '../test/cluster/access.ts';
import { markCapture } from '../test/cluster/capture-truth.ts';
import { createLock } from './cluster-lock.ts';
import { type WatchCase, watchCases } from './watch/cases.ts';
import { readWatchAccuracy, type WatchRow, writeWatchAccuracy } from './watch/table.ts';

/**
 * Makes each intermittent fault in the cluster that is up and watches again and again: was it found, at which try, and with the right witness? Beside that stands
 * the number of tries within which the tool's own statement ("a fault that hits one request in M by chance would have been seen with 95 %") has it found. Results go to
 * docs/watch-accuracy.json and .md; those of other faults and modes stay. Where --lock names a file, its lock is held while a fault is there.
 *
 *   npm run watch-accuracy -- [--runs 10] [--only ID,ID…] [--out docs/watch-accuracy.json] [--lock FILE] [--json]
 */
interface Run {
  /** The try that failed first; null = none did. */
  found: number | null;
  tries: number;
  seconds: number;
  /** Why what was found is not the fault that was made. */
  wrong: string[];
}

const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const runs = Number(argument('runs') ?? '10');
const out = argument('out') ?? 'docs/watch-accuracy.json';
const only = argument('only')?.split(',');
/** Runs between break and mend, after which others get the cluster. */
const atOnce = 5;

const cluster = (...args: string[]) => execa('test/cluster/cluster.sh', args, { reject: false, timeout: 300_000, all: true });

async function must(...args: string[]): Promise<string> {
  const { exitCode, all } = await cluster(...args);
  if (exitCode !== 0) throw new Error(`cluster.sh ${args.join(' ')} ended with ${exitCode}: ${all.slice(-300)}`);
  return all;
}

async function watch(item: WatchCase): Promise<Run> {
  const result = await clusterExec(
    [
      ...([process.execPath, 'bin/k8snet.js', 'capture', 'svc/my-service', '--from', 'pod/client', '-o', 'json'] as const),
      ...['--watch', String(item.mostTries)],
    ],
    { timeout: 240_000 },
  );
  const report = result.stdout === '' ? undefined : (JSON.parse(result.stdout) as { capture: CaptureReport }).capture;
  if (!report?.watch) return { found: null, tries: 0, seconds: 0, wrong: [result.stderr.trim().split('\n').at(-1) ?? 'no report'] };
  const { failing, tries, seconds, failed } = report.watch;
  const found = failed === 0 ? null : (failing?.number ?? tries);
  return { found, tries, seconds, wrong: failed === 0 ? [] : judge(item, report) };
}

function judge({ truth, endpoint }: WatchCase, report: CaptureReport): string[] {
  if (truth === undefined) return ['nothing is broken'];
  const { capture, dropReason } = markCapture(truth, report);
  const node = report.watch?.failing?.node ?? null;
  return [
    ...(capture === 'right' ? [] : [`place: ${report.losses.map(({ says }) => says).join('; ') || 'none'}`]),
    ...(dropReason === 'wrong' ? [`reason: ${report.losses.map((loss) => loss.dropReason?.reason ?? 'none').join(', ')}`] : []),
    ...(endpoint !== undefined && endpoint !== node ? [`endpoint: on ${node ?? 'no node'}`] : []),
  ];
}

/** Some runs between break and mend, under the lock. */
async function batch(item: WatchCase, count: number, lock: ReturnType<typeof createLock>): Promise<Run[]> {
  await lock.take();
  const done: Run[] = [];
  try {
    if (item.truth) await must('break', item.fault);
    for (let number = 0; number < count; number += 1) {
      const run = await watch(item);
      done.push(run);
      console.error(
        `${item.fault}: ${run.found === null ? `none of ${run.tries} failed` : `try ${run.found} failed`} ${run.wrong.join('; ')}`,
      );
    }
  } finally {
    const mended = item.truth ? await cluster('mend', item.fault) : undefined;
    if (mended && mended.exitCode !== 0) await cluster('heal');
    await lock.free();
  }
  return done;
}

function rowOf(item: WatchCase, mode: string, all: readonly Run[]): WatchRow {
  const found = all.flatMap((run) => run.found ?? []).sort((a, b) => a - b);
  const share = item.oneIn;
  const enough = share === undefined ? null : triesFor(share);
  return {
    fault: item.fault,
    mode,
    oneIn: share ?? null,
    runs: all.length,
    found: found.length,
    median: found[Math.floor((found.length - 1) / 2)] ?? null,
    largest: found.at(-1) ?? null,
    tries: all.map((run) => run.found),
    mostTries: item.mostTries,
    enough,
    within: enough === null ? null : found.filter((number) => number <= enough).length,
    right: all.filter((run) => run.wrong.length === 0 && (run.found !== null) === (item.truth !== undefined)).length,
    wrong: all.flatMap((run) => (run.wrong.length > 0 ? [run.wrong.join('; ')] : [])),
  };
}

/** So many tries without a failure, and the tool says that one in `share` would have been seen. */
function triesFor(share: number): number {
  for (let tries = 1; ; tries += 1) if ((rarestSeen(tries) ?? 0) >= share) return tries;
}

const mode = /MODE=(\w+)/.exec(await must('status'))?.[1] ?? 'unknown';
const lock = createLock(argument('lock'));
const rows: WatchRow[] = [];
for (const item of watchCases.filter(({ fault }) => !only || only.includes(fault))) {
  const all: Run[] = [];
  while (all.length < runs) all.push(...(await batch(item, Math.min(atOnce, runs - all.length), lock)));
  const row = rowOf(item, mode, all);
  rows.push(row);
  writeWatchAccuracy(out, [...readWatchAccuracy(out).filter((known) => known.fault !== row.fault || known.mode !== mode), row]);
}
console.log(JSON.stringify({ mode, rows }, null, process.argv.includes('--json') ? 0 : 2));
process.exitCode = rows.every((row) => row.right === row.runs) ? 0 : 1;
