import type { TraceQuestion } from '../app/trace.ts';
import { UsageError } from '../collect/errors.ts';
import type { PathOptions } from '../collect/path-collector.ts';
import { isNamespaceName, isObjectName, isPort, parseFrom, parseTarget } from '../collect/target.ts';
import { parseAddress } from '../model/ip.ts';
import type { TraceReport } from '../schema/trace.ts';
import { readBundle, writeBundle } from './bundle-file.ts';
import { kubectlFlags, type NodeOptions } from './options.ts';
import { exitCodes, inWorld, isSignal, kubectlBinary, refuseTwoNamespaces, version } from './run.ts';
import { styleOf, writeOut } from './terminal.ts';

export interface TraceCommandOptions extends NodeOptions {
  from?: string;
  to?: string;
  udp?: boolean;
  sctp?: boolean;
  icmp?: boolean;
  reply?: boolean;
  sourcePort?: number;
  length?: number | 'full';
  record?: string;
  bundle?: string;
  output: 'text' | 'json' | 'mermaid';
  color: 'auto' | 'always' | 'never';
}

/** `k8snet trace`: resolves to the exit code: 0 delivered, 1 ends before, 3 can't be told. */
export async function runTrace(words: string[], options: TraceCommandOptions): Promise<number> {
  const asked = { from: sourceOf(options.from), to: targetOf(words, options), namespace: options.namespace ?? null };
  const question = questionOf(options);
  if (options.bundle !== undefined) return traceBundle(options.bundle, asked, question, options);
  if (asked.to === null)
    throw new UsageError('no target: say where the packet goes, for example `k8snet trace --from pod/client svc/my-service`');
  const wanted = { ...asked, to: asked.to };
  const { trace } = await import('../app/trace.ts');
  return inWorld(options, options.output === 'text', async (world, stop) => {
    const { report, snapshot } = await trace(
      {
        ...wanted,
        question,
        nodeAccess: options.nodeAccess,
        image: options.image,
        nodePodNamespace: options.nodeNamespace,
        kubectl: kubectlBinary(),
        flags: kubectlFlags(options),
        version,
      },
      world,
    );
    if (isSignal(stop)) return null;
    if (stop.reason === 'timeout') report.coverage.lost.push(`the run was ended after ${options.timeout} s (--timeout)`);
    return async () => {
      if (options.record !== undefined) await writeBundle(options.record, snapshot);
      return print(report, options);
    };
  });
}

async function traceBundle(
  file: string,
  asked: { from: PathOptions['from']; to: PathOptions['to'] | null; namespace: string | null },
  question: TraceQuestion,
  options: TraceCommandOptions,
): Promise<number> {
  const [{ refuseAbsent, traceSnapshot }, snapshot] = await Promise.all([import('../app/trace.ts'), readBundle(file)]);
  refuseAbsent(snapshot, { ...asked, protocol: question.protocol });
  const { target, port } = snapshot.manifest.request;
  const to = asked.to ?? { kind: 'service' as const, namespace: target.namespace, name: target.name, port: port ?? undefined };
  return print(traceSnapshot(snapshot, { ...asked, to }, question), options);
}

/** `pod/x`, `deploy/x`, `node/x` as for diagnose, or an address outside of the cluster. */
function sourceOf(text: string | undefined): PathOptions['from'] {
  if (text === undefined) return null;
  if (parseAddress(text)) return { kind: 'outside', address: text };
  const parsed = parseFrom(text);
  if (!parsed.ok) throw new UsageError(parsed.sentence);
  return parsed.from;
}

/** `svc/b[:port]` (or NAME, as for diagnose), `pod/c[:port]`, `pod/namespace/c[:port]`, `IP[:port]`, `[IPv6]:port`. */
function targetOf(words: readonly string[], { to, namespace }: TraceCommandOptions): PathOptions['to'] | null {
  if (to !== undefined && words.length > 0) throw new UsageError(`two targets are given: ${words.join(' ')} and --to ${to}`);
  const given = to === undefined ? words : [to];
  const [text] = given;
  if (text === undefined) return null;
  const address = given.length === 1 ? addressOf(text) : null;
  if (address) return address;
  const pod = /^(?:po|pods?)\/(?:([^/:]+)\/)?([^/:]+)(?::(\d+))?$/.exec(text);
  if (pod) {
    const [, own, name = '', port] = pod;
    if (!isObjectName(name) || (own !== undefined && !isNamespaceName(own)) || (port !== undefined && !isPort(port)))
      throw new UsageError(`${text}: write pod/NAME:PORT or pod/NAMESPACE/NAME:PORT`);
    refuseTwoNamespaces(own ?? null, namespace);
    return { kind: 'pod', namespace: own ?? null, name, port: port === undefined ? undefined : Number(port) };
  }
  const parsed = parseTarget(given, 'trace');
  if (!parsed.ok) throw new UsageError(parsed.sentence);
  refuseTwoNamespaces(parsed.target.namespace, namespace);
  return { kind: 'service', namespace: parsed.target.namespace, name: parsed.target.name, port: parsed.target.port ?? undefined };
}

function addressOf(text: string): Extract<PathOptions['to'], { kind: 'address' }> | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([0-9.]+))(?::(\d+))?$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? text);
  if (address === undefined) return null;
  if (port !== undefined && !isPort(port)) throw new UsageError(`${text}: a port is a number from 1 to 65535`);
  return { kind: 'address', address: address.text, port: port === undefined ? undefined : Number(port) };
}

function questionOf(options: TraceCommandOptions): TraceQuestion {
  const chosen = (['udp', 'sctp', 'icmp'] as const).filter((name) => options[name]);
  if (chosen.length > 1) throw new UsageError(`one protocol at a time: --${chosen.join(' and --')} are given`);
  return {
    protocol: chosen[0] ?? 'tcp',
    packet: options.reply ? 'reply' : 'first',
    ...(options.sourcePort === undefined ? {} : { sourcePort: options.sourcePort }),
    ...(options.length === undefined ? {} : { length: options.length }),
  };
}

async function print(report: TraceReport, options: TraceCommandOptions): Promise<number> {
  const { renderTrace } = await import('../report/trace.ts');
  const text = await renderTrace(report, options.output, styleOf(options));
  await writeOut(text);
  return { delivered: exitCodes.healthy, lost: exitCodes.fault, unknown: exitCodes.unknown }[report.verdict.status];
}
