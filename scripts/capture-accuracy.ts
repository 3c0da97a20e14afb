import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { CaptureReport } from '../src/schema/capture-report.ts';
import { clusterExec } from '../test/cluster/access.ts';
import { type CaptureTruth, captureTruth, captureTruths, type Mark, markCapture } from '../test/cluster/capture-truth.ts';
import { readAccuracy, writeAccuracy } from './accuracy-table.ts';
import { argument } from './arguments.ts';
import { createLock } from './cluster-lock.ts';

/**
 * Breaks the real cluster in every way that loses packets and asks `k8snet capture` alone, to which no table of a node is known: is the place and the direction
 * of the loss right, and the kernel's reason, and the counter that agrees? Results go to docs/capture-accuracy.json, and to the rows of
 * docs/accuracy.json as `capture`, `dropReason` and `counters` (right, wrong, n/a). Where --lock names a file, its lock is held while faults are made
 * and mended, and given up now and then, so that others can use the cluster in between.
 *
 *   npm run capture-accuracy -- [--mode iptables|nftables] [--only ID,ID…] [--out docs/accuracy.json] [--bundles DIRECTORY] [--keep] [--lock FILE]
 */
interface Result {
  case: string;
  mode: string;
  capture: Mark;
  dropReason: Mark;
  counters: Mark;
  says: string;
}

const out = argument('out') ?? 'docs/accuracy.json';
const own = argument('own') ?? 'docs/capture-accuracy.json';
const only = argument('only')?.split(',') ?? Object.keys(captureTruths);
const prefix = process.env.PREFIX ?? 'k8snet';
process.env.PREFIX = prefix;

const cluster = (mode: string, args: string[]) =>
  execa('test/cluster/cluster.sh', args, { reject: false, timeout: 600_000, env: { PREFIX: prefix, MODE: mode }, all: true });

async function capture(file: string | undefined): Promise<CaptureReport | string> {
  const record = file === undefined ? [] : ['--record', file];
  const result = await clusterExec(
    [process.execPath, 'bin/k8snet.js', 'capture', 'svc/my-service', '--from', 'pod/client', '-o', 'json', ...record],
    { timeout: 120_000 },
  );
  try {
    return (JSON.parse(result.stdout) as { capture: CaptureReport }).capture;
  } catch {
    return result.stderr.trim().split('\n').at(-1) ?? 'no report';
  }
}

async function measure(mode: string, id: string, truth: CaptureTruth): Promise<Result> {
  const broken = await cluster(mode, ['break', id]);
  const bundles = argument('bundles');
  if (bundles !== undefined) mkdirSync(bundles, { recursive: true });
  const file = bundles === undefined ? undefined : join(bundles, `${id}-${mode}.tgz`);
  const report = broken.exitCode === 0 ? await capture(file) : `break failed: ${String(broken.all).slice(-300)}`;
  const mended = await cluster(mode, ['mend', id]);
  if (mended.exitCode !== 0) await cluster(mode, ['heal']);
  if (typeof report === 'string') return { case: id, mode, capture: 'wrong', dropReason: 'n/a', counters: 'n/a', says: report };
  if (file !== undefined) {
    const how = `test/cluster (Kubernetes 1.36, kube-proxy in ${mode} mode, flannel vxlan): fault ${id}, k8snet capture --record`;
    writeFileSync(
      file.replace(/\.tgz$/, '.origin.json'),
      `${JSON.stringify({ how, recorded: new Date().toISOString().slice(0, 10), fault: id }, null, 2)}\n`,
    );
  }
  const says = report.losses
    .map(
      (loss) =>
        `${loss.tries} x ${loss.kind} ${loss.direction} ${loss.where?.kind} ${loss.where?.names.join('+')}: ${loss.says} [${loss.dropReason?.reason ?? ''}] [${loss.counter ? `${loss.counter.place} ${loss.counter.name} +${loss.counter.by}` : ''}]`,
    )
    .join('; ');
  return { case: id, mode, ...markCapture(truth, report), says };
}

/** Results of a run that took some of the faults stay beside those of another. */
function save(results: readonly Result[]): void {
  const known = existsSync(own) ? (JSON.parse(readFileSync(own, 'utf8')) as { rows: Result[] }).rows : [];
  const kept = known.filter((row) => !results.some((result) => result.case === row.case && result.mode === row.mode));
  const rows = [...kept, ...results].sort((a, b) => a.case.localeCompare(b.case) || a.mode.localeCompare(b.mode));
  writeFileSync(own, `${JSON.stringify({ rows }, null, 1)}\n`);
  if (!existsSync(out)) return;
  writeAccuracy(
    out,
    readAccuracy(out).map((row) => {
      const result = rows.find((item) => item.case === row.case && item.mode === row.mode);
      return result ? { ...row, capture: result.capture, dropReason: result.dropReason, counters: result.counters } : row;
    }),
  );
}

const faults = JSON.parse((await execa('test/cluster/cluster.sh', ['faults', '--json'])).stdout) as { id: string; modes: string[] }[];
const results: Result[] = [];
const lock = createLock(argument('lock'));
for (const mode of argument('mode')?.split(',') ?? ['iptables', 'nftables']) {
  const up = await cluster(mode, ['up']);
  if (up.exitCode !== 0 && !/up already/.test(String(up.all)))
    throw new Error(`the cluster did not come up: ${String(up.all).slice(-800)}`);
  for (const [id, truth] of Object.entries(captureTruths)) {
    if (!only.includes(id) || !faults.some((fault) => fault.id === id && fault.modes.includes(mode))) continue;
    await lock.take();
    const result = await measure(mode, id, captureTruth(id, mode) ?? truth);
    results.push(result);
    save(results);
    console.log(`${result.capture}  drop reason ${result.dropReason}  counters ${result.counters}  ${mode}  ${id}  ${result.says}`);
  }
  if (!process.argv.includes('--keep')) await cluster(mode, ['down']);
}
await lock.free();
type Column = 'capture' | 'dropReason' | 'counters';
const count = (key: Column, value: Mark): number => results.filter((result) => result[key] === value).length;
const column = (key: Column) => ({ right: count(key, 'right'), wrong: count(key, 'wrong'), notApplicable: count(key, 'n/a') });
const columns = { capture: column('capture'), dropReason: column('dropReason'), counters: column('counters') };
console.log(JSON.stringify({ faults: results.length, ...columns }));
process.exitCode = Object.values(columns).some(({ wrong }) => wrong > 0) ? 1 : 0;
