import { UsageError } from '../collect/errors.ts';
import { isObjectName, parseTarget } from '../collect/target.ts';
import type { VerifyReport } from '../schema/verify.ts';
import { readBundle, writeBundle } from './bundle-file.ts';
import { kubectlFlags, type NodeOptions } from './options.ts';
import { exitCodes, inWorld, isSignal, kubectlBinary, refuseTwoNamespaces, version } from './run.ts';
import { styleOf, writeOut } from './terminal.ts';

export interface VerifyCommandOptions extends NodeOptions {
  allNamespaces?: boolean;
  node?: string[];
  record?: string;
  bundle?: string;
  output: 'text' | 'json' | 'markdown';
  color: 'auto' | 'always' | 'never';
}

/** `k8snet verify`: resolves to the exit code: 0 as the API means, 1 a node differs, 3 could not tell. */
export async function runVerify(words: string[], options: VerifyCommandOptions): Promise<number> {
  const choice = { targets: targetsOf(words, options), nodes: options.node ?? [] };
  const bad = choice.nodes.find((name) => !isObjectName(name));
  if (bad !== undefined) throw new UsageError(`--node ${bad}: that is not the name of a node`);
  if (options.bundle !== undefined) return verifyBundle(options, options.bundle, choice);
  const { verify } = await import('../app/verify.ts');
  return inWorld(options, options.output === 'text', async (world, stop) => {
    const result = await verify(
      {
        ...choice,
        allNamespaces: options.allNamespaces ?? false,
        namespace: options.namespace ?? null,
        nodeAccess: options.nodeAccess,
        image: options.image,
        nodePodNamespace: options.nodeNamespace,
        limitMilliseconds: options.timeout * 1000,
        kubectl: kubectlBinary(),
        flags: kubectlFlags(options),
        version,
      },
      world,
    );
    if (isSignal(stop)) return null;
    if (stop.reason === 'timeout') result.report.coverage.lost.push(`the run was ended after ${options.timeout} s (--timeout)`);
    return async () => {
      if (options.record !== undefined) await writeBundle(options.record, result.snapshot);
      return print(result.report, options);
    };
  });
}

async function verifyBundle(
  options: VerifyCommandOptions,
  file: string,
  choice: { targets: ReturnType<typeof targetsOf>; nodes: string[] },
): Promise<number> {
  const [{ choiceOf, verifySnapshot }, snapshot] = await Promise.all([import('../app/verify.ts'), readBundle(file)]);
  const namespace = options.namespace ?? snapshot.manifest.request.target.namespace;
  const inNamespace = options.namespace === undefined || choice.targets.length > 0 ? {} : { namespace: options.namespace };
  const { report } = verifySnapshot(snapshot, { ...choiceOf(choice, namespace), ...inNamespace });
  const judged = new Set(report.nodes.map(({ name }) => name));
  const missing = choice.nodes.find((name) => !judged.has(name));
  if (missing !== undefined) throw new UsageError(`${file} holds nothing of node "${missing}"`);
  if (choice.targets.length > 0 && report.scope.services < choice.targets.length)
    throw new UsageError(
      `${file} does not hold all of ${choice.targets.map(({ name }) => `svc/${name}`).join(', ')} (namespace ${namespace}) with their EndpointSlices`,
    );
  return print(report, options);
}

/** Every word is a Service of its own; `svc/` is kubectl's prefix. */
function targetsOf(words: readonly string[], options: VerifyCommandOptions): { namespace: string | null; name: string }[] {
  if (options.allNamespaces && words.length > 0) throw new UsageError('name Services, or all with -A, not both');
  return words.map((word) => {
    const parsed = parseTarget([word], 'verify');
    if (!parsed.ok) throw new UsageError(parsed.sentence);
    const { name, namespace, port } = parsed.target;
    if (port !== null) throw new UsageError(`${word}: all ports of a Service are verified; leave the port away`);
    refuseTwoNamespaces(namespace, options.namespace);
    return { name, namespace };
  });
}

async function print(report: VerifyReport, options: VerifyCommandOptions): Promise<number> {
  const { renderVerify } = await import('../report/verify.ts');
  const text = await renderVerify(report, options.output, styleOf(options));
  await writeOut(text);
  return exitCodes[report.verdict.status];
}
