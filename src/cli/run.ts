import type { DiagnoseOptions, DiagnosisResult } from '../app/diagnose.ts';
import { ClusterError, UsageError } from '../collect/errors.ts';
import { parseFrom, parseTarget } from '../collect/target.ts';
import { defaultImage } from '../model/node-image.ts';
import { cleanText } from '../report/sanitize.ts';
import type { Report } from '../schema/report.ts';
import { BundleError } from '../snapshot/archive.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { readBundle, readNamed, writeBundle } from './bundle-file.ts';
import { type CollectingOptions, type DiagnoseCommandOptions, type KubectlOptions, kubectlFlags } from './options.ts';
import { styleOf, writeOut } from './terminal.ts';
import { exitCodeOf, openWorld, type Stop } from './world.ts';

declare const K8SNET_VERSION: string;
export const version: string = typeof K8SNET_VERSION === 'string' ? K8SNET_VERSION : '0.0.0-dev';

export const exitCodes = { healthy: 0, fault: 1, usage: 2, unknown: 3 } as const;

/** `k8snet diagnose`: resolves to the exit code. */
export async function runDiagnose(words: string[], options: DiagnoseCommandOptions): Promise<number> {
  if (options.printImages) return printImages(options);
  if (options.bundle !== undefined) return diagnoseBundle(words, options, options.bundle);
  const collect = toDiagnoseOptions(words, options, 'diagnose');
  if (options.dryRun) return printDryRun(collect, 'diagnose');
  const { diagnose, reportWithoutCluster } = await import('../app/diagnose.ts');
  const started = new Date();
  return inWorld(options, options.output === 'text', async (world, stop) => {
    let result: DiagnosisResult | { report: Report; snapshot: null };
    try {
      result = await diagnose(collect, world);
    } catch (error) {
      if (!(error instanceof ClusterError) || isSignal(stop)) throw error;
      const told =
        stop.reason === 'timeout' ? new ClusterError(`out of time after ${options.timeout} s (--timeout): ${error.message}`) : error;
      told.contextNamespace = error.contextNamespace;
      result = { report: reportWithoutCluster(collect, told, started), snapshot: null };
    }
    if (isSignal(stop)) return null;
    if (stop.reason === 'timeout') result.report.coverage.lost.push(`the run was ended after ${options.timeout} s (--timeout)`);
    return async () => {
      if (options.record !== undefined && result.snapshot) await writeBundle(options.record, result.snapshot);
      else if (options.record !== undefined)
        process.stderr.write(`k8snet: ${cleanText(options.record)} was not written: nothing could be collected\n`);
      await printReport(result.report, options);
      return exitCodes[result.report.verdict.status];
    };
  });
}

/** `k8snet record`: collects everything and writes it. */
export async function runRecord(words: string[], options: CollectingOptions & { file?: string }): Promise<number> {
  if (options.printImages) return printImages(options);
  const collect = { ...toDiagnoseOptions(words, options, 'record'), everything: true };
  if (options.dryRun) return printDryRun(collect, 'record');
  const { record } = await import('../app/diagnose.ts');
  return inWorld(options, true, async (world, stop) => {
    const snapshot = await record(collect, world);
    if (isSignal(stop)) return null;
    return async () => {
      const file = options.file ?? `k8snet-${collect.target.name}-${new Date().toISOString().replace(/[:.]/g, '').slice(0, 15)}.tgz`;
      await writeBundle(file, snapshot);
      await writeOut(`${file}: ${snapshot.entries.size} entries; judge it with: k8snet diagnose --bundle ${file}\n`);
      return snapshot.manifest.access.lost.length > 0 ? exitCodes.unknown : exitCodes.healthy;
    };
  });
}

/** `k8snet cleanup`. */
export async function runCleanup(options: KubectlOptions & { olderThan: number }): Promise<number> {
  const { cleanup } = await import('../app/cleanup.ts');
  return inWorld({ ...options, timeout: 60 }, false, async (world) => {
    const result = await cleanup(
      {
        kubectl: kubectlBinary(),
        flags: kubectlFlags(options),
        namespace: options.namespace ?? null,
        olderThanSeconds: options.olderThan,
      },
      world,
    );
    const lines = [
      ...result.deleted.map((pod) => `deleted ${pod}`),
      ...result.kept.map((pod) => `kept ${pod}: younger than --older-than`),
      ...result.failed.map(({ pod, detail }) => `could not delete ${pod}: ${detail}`),
      ...(result.deleted.length + result.kept.length + result.failed.length === 0 ? ['no node pods of k8snet were found'] : []),
    ];
    return async () => {
      await writeOut(`${lines.join('\n')}\n`);
      return result.failed.length > 0 ? exitCodes.unknown : exitCodes.healthy;
    };
  });
}

/** `k8snet explain`. */
export async function runExplain(idOrSlug: string | undefined, options: { color: 'auto' | 'always' | 'never' }): Promise<number> {
  const [{ findExplanation, listChecks }, { renderExplanation }] = await Promise.all([
    import('../app/explain.ts'),
    import('../report/explain.ts'),
  ]);
  if (idOrSlug === undefined) {
    await writeOut(listChecks());
    return exitCodes.healthy;
  }
  const found = findExplanation(idOrSlug);
  if ('meta' in found) {
    await writeOut(renderExplanation(found.meta, styleOf({ ...options, verbose: 0 })));
    return exitCodes.healthy;
  }
  const near = found.near.map((meta) => `${meta.id} ${meta.slug}`).join(', ');
  throw new UsageError(`there is no check "${idOrSlug}"${near === '' ? '' : `; near ones: ${near}`}; \`k8snet explain\` lists them all`);
}

/** `k8snet parse`: what k8snet understood of an output that somebody pasted. 0 = all of it, 1 = not all, or it shows that it was cut, 2 = nothing. */
export async function runParse(file: string | undefined, options: { as?: string; output: string; kinds?: boolean }): Promise<number> {
  const [{ listKinds, parseText }, { parsedToJson, parsedToText }] = await Promise.all([
    import('../app/parse.ts'),
    import('../report/parsed.ts'),
  ]);
  if (options.kinds) {
    await writeOut(listKinds());
    return exitCodes.healthy;
  }
  if (file === undefined) throw new UsageError('name a file, or - for standard input');
  const text = decoded(await readNamed(file === '-' ? '/dev/stdin' : file));
  const outcome = parseText(text, options.as);
  if (!outcome.ok) throw new UsageError(outcome.sentence);
  await writeOut(options.output === 'json' ? parsedToJson(outcome.report) : parsedToText(outcome.report));
  return outcome.isAll ? exitCodes.healthy : exitCodes.fault;
}

/** Text of a file: UTF-8, or UTF-16 where its byte order mark says so, which is what `>` of Windows PowerShell writes. */
function decoded(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  return new TextDecoder(mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8').decode(bytes);
}

async function diagnoseBundle(words: string[], options: DiagnoseCommandOptions, file: string): Promise<number> {
  const [{ judgeSnapshot }, snapshot] = await Promise.all([import('../app/diagnose.ts'), readRecording(words, options.namespace, file)]);
  const { report } = judgeSnapshot(snapshot);
  await printReport(report, options);
  return exitCodes[report.verdict.status];
}

/** The recording in a file. @throws UsageError when it is of another Service or namespace than was asked for */
export async function readRecording(words: string[], namespace: string | undefined, file: string): Promise<Snapshot> {
  const snapshot = await readBundle(file);
  const { target } = snapshot.manifest.request;
  if (words.length > 0) {
    const asked = parseTarget(words);
    if (!asked.ok) throw new UsageError(asked.sentence);
    if (asked.target.name !== target.name)
      throw new UsageError(`${file} is a recording of svc/${target.name} in namespace ${target.namespace}, not of "${asked.target.name}"`);
    refuseTwoNamespaces(asked.target.namespace, namespace);
    refuseAnother(file, target.namespace, asked.target.namespace);
  }
  refuseAnother(file, target.namespace, namespace ?? null);
  return snapshot;
}

/** A recording is of one namespace; asked for another, it has no answer. */
function refuseAnother(file: string, recorded: string, asked: string | null): void {
  if (asked !== null && asked !== recorded) throw new UsageError(`${file} is a recording of namespace ${recorded}, not of ${asked}`);
}

export function toDiagnoseOptions(
  words: string[],
  options: CollectingOptions & { capture?: boolean },
  command: 'diagnose' | 'record' | 'capture',
): DiagnoseOptions {
  const target = parseTarget(words, command);
  if (!target.ok) throw new UsageError(target.sentence);
  const from = options.from === undefined ? null : parseFrom(options.from);
  if (from && !from.ok) throw new UsageError(from.sentence);
  if (target.target.port !== null && options.port !== undefined && target.target.port !== options.port)
    throw new UsageError(`two ports are given: ${target.target.port} and --port ${options.port}`);
  const namespace = options.namespace ?? null;
  refuseTwoNamespaces(target.target.namespace, options.namespace);
  return {
    target: { ...target.target, port: target.target.port ?? options.port ?? null },
    from: from?.ok ? from.from : null,
    namespace,
    nodeAccess: options.nodeAccess,
    image: options.image,
    nodePodNamespace: options.nodeNamespace,
    limitMilliseconds: options.timeout * 1000,
    everything: false,
    capture: options.capture === true,
    kubectl: kubectlBinary(),
    flags: kubectlFlags(options),
    version,
  };
}

/** A namespace in the name and another one by -n: which is meant can't be told. */
export function refuseTwoNamespaces(inName: string | null, byFlag: string | undefined): void {
  if (inName !== null && byFlag !== undefined && inName !== byFlag)
    throw new UsageError(`two namespaces are given: ${inName} in the name and -n ${byFlag}`);
}

export const kubectlBinary = (): string => process.env.K8SNET_KUBECTL || 'kubectl';
export const isSignal = (stop: Stop): boolean => stop.reason !== null && stop.reason !== 'timeout';

/** Runs work under signals and the time limit; what it returns is done after the spinner has gone. Null means that a signal ended it. */
export async function inWorld(
  options: { verbose: number; timeout: number },
  spinner: boolean,
  work: (world: Awaited<ReturnType<typeof openWorld>>['world'], stop: Stop) => Promise<(() => Promise<number>) | null>,
): Promise<number> {
  const { world, stop, close } = await openWorld({
    verbose: options.verbose,
    spinner: spinner && process.stderr.isTTY === true,
    timeoutSeconds: options.timeout,
  });
  let finish: (() => Promise<number>) | null;
  try {
    finish = await work(world, stop);
  } catch (error) {
    if (stop.reason !== null) {
      if (isSignal(stop)) process.stderr.write('k8snet: interrupted\n');
      else process.stderr.write(`k8snet: out of time after ${options.timeout} s (--timeout)\n`);
      return exitCodeOf(stop.reason);
    }
    throw error;
  } finally {
    close();
  }
  if (finish) return finish();
  process.stderr.write('k8snet: interrupted\n');
  return exitCodeOf(stop.reason ?? 'SIGINT');
}

async function printReport(report: Report, options: DiagnoseCommandOptions): Promise<void> {
  const { renderReport } = await import('../report/index.ts');
  const text = await renderReport(report, options.output, styleOf(options));
  await writeOut(text);
}

export async function printImages(options: { image: string }): Promise<number> {
  await writeOut(
    `${options.image}${options.image === defaultImage ? '  # the node pod; --image or K8SNET_IMAGE names another that has sh, iproute2, iptables, nftables, conntrack, dig, curl, nc, ping' : ''}\n`,
  );
  return exitCodes.healthy;
}

export async function printDryRun(options: DiagnoseOptions, command: 'diagnose' | 'record' | 'capture'): Promise<number> {
  const { dryRun } = await import('../app/dry-run.ts');
  await writeOut(dryRun(options, command));
  return exitCodes.healthy;
}

/** One sentence for the errors that have one; the exit code. */
export function explainError(error: unknown): { sentence: string; exit: number } {
  if (error instanceof UsageError || error instanceof BundleError) return { sentence: error.message, exit: exitCodes.usage };
  if (error instanceof ClusterError) return { sentence: error.message, exit: exitCodes.unknown };
  return { sentence: error instanceof Error ? error.message : String(error), exit: exitCodes.unknown };
}
