import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError, UsageError } from '../collect/errors.ts';
import { type WatchLength, watchBounds, watchRequest } from '../model/watch.ts';
import type { CaptureReport } from '../schema/capture-report.ts';
import type { Request } from '../snapshot/snapshot.ts';
import { writeBundle } from './bundle-file.ts';
import type { CollectingOptions } from './options.ts';
import { exitCodes, inWorld, isSignal, printDryRun, printImages, readRecording, toDiagnoseOptions } from './run.ts';
import { styleOf, writeOut } from './terminal.ts';
import { exitCodeOf } from './world.ts';

export interface CaptureCommandOptions extends CollectingOptions {
  record?: string;
  bundle?: string;
  pcap?: string;
  watch?: WatchLength;
  rate?: number;
  output: 'text' | 'json';
  color: 'auto' | 'always' | 'never';
}

/** `k8snet capture`: 0 = every try was answered, 1 = some were not, 3 = could not tell. A watch that a signal ended prints what it saw, and has the signal's code. */
export async function runCapture(words: string[], options: CaptureCommandOptions): Promise<number> {
  if (options.printImages) return printImages(options);
  if (options.bundle !== undefined) return captureBundle(words, options, options.bundle);
  if (options.rate !== undefined && !options.watch) throw new UsageError('--rate is the rate of --watch, which was not given');
  const watch = options.watch && watchRequest(options.watch, options.rate ?? watchBounds.usualPerSecond);
  const collect = { ...toDiagnoseOptions(words, options, 'capture'), ...(watch ? { watch } : {}) };
  if (options.dryRun) return printDryRun(collect, 'capture');
  if (options.pcap !== undefined) await makeDirectory(options.pcap);
  const { capture, captureFiles } = await import('../app/capture.ts');
  const timed = { ...options, timeout: options.timeout + (watch?.seconds ?? 0) };
  return inWorld(timed, options.output === 'text', async (world, stop) => {
    const { report, snapshot } = await capture(collect, world);
    // A watch that is interrupted tells what it saw until then.
    if (isSignal(stop) && (typeof report === 'string' || !report.watch?.tries)) return null;
    return async () => {
      if (options.record !== undefined) await writeBundle(options.record, snapshot);
      if (options.pcap !== undefined) await writeFiles(options.pcap, captureFiles(snapshot));
      if (typeof report === 'string') throw new ClusterError(`nothing was captured: ${report}`);
      if (report.notTried !== undefined && stop.reason === 'timeout') report.notTried = `out of time after ${timed.timeout} s (--timeout)`;
      const exit = await print(report, snapshot.manifest.request, options);
      return isSignal(stop) && stop.reason !== null ? exitCodeOf(stop.reason) : exit;
    };
  });
}

/** What the captures of a recording tell, as they did when it was made; the files too, where they are wanted. */
async function captureBundle(words: string[], options: CaptureCommandOptions, file: string): Promise<number> {
  const [{ captureFiles, captureOf }, snapshot] = await Promise.all([
    import('../app/capture.ts'),
    readRecording(words, options.namespace, file),
  ]);
  const report = captureOf(snapshot);
  if (report === undefined)
    throw new UsageError(`${file} holds no captures: it was recorded without --capture; k8snet diagnose --bundle judges it`);
  if (options.pcap !== undefined) {
    await makeDirectory(options.pcap);
    await writeFiles(options.pcap, captureFiles(snapshot));
  }
  if (typeof report === 'string') throw new ClusterError(`nothing was captured: ${report}`);
  return print(report, snapshot.manifest.request, options);
}

async function print(report: CaptureReport, { target, from }: Request, options: CaptureCommandOptions): Promise<number> {
  const { renderCapture } = await import('../report/capture.ts');
  const client = from.kind === 'Pod' ? `pod ${from.namespace}/${from.name}` : `node ${from.name}`;
  const json = { apiVersion: 'k8snet.dev/v1', kind: 'CaptureReport', target, from, capture: report };
  const text =
    options.output === 'json'
      ? `${JSON.stringify(json, null, 2)}\n`
      : renderCapture(report, `${client} -> svc/${target.name} in ${target.namespace}`, styleOf(options));
  await writeOut(text);
  const { watch } = report;
  if (report.losses.some(({ kind }) => kind !== 'unknown') || (watch?.failed ?? 0) > 0) return exitCodes.fault;
  return report.losses.length > 0 || report.tries === 0 || watch?.ended === 'broken' || watch?.ended === 'interrupted'
    ? exitCodes.unknown
    : exitCodes.healthy;
}

/** Before anything touches the cluster. Not recursively: below /proc, Node's recursive mkdir does not end. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(directory)).isDirectory()) throw error;
    });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(`--pcap: ${directory} can't be used: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

async function writeFiles(directory: string, files: readonly { name: string; bytes: Uint8Array }[]): Promise<void> {
  try {
    for (const { name, bytes } of files) await writeFile(join(directory, name), bytes);
  } catch (error) {
    throw new UsageError(`${directory} can't be written to: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
