import { existsSync } from 'node:fs';
import { z } from 'zod';
import { ClusterError, UsageError } from './errors.ts';
import type { Kubectl } from './kubectl.ts';
import { createKubectlReader } from './kubectl-reader.ts';
import { parseDuration } from './options.ts';
import type { ClusterReader } from './reader.ts';

const viewSchema = z.looseObject({
  'current-context': z.string().optional(),
  clusters: z
    .array(
      z.looseObject({
        name: z.string(),
        cluster: z.looseObject({
          server: z.string().optional(),
          'proxy-url': z.string().optional(),
          'insecure-skip-tls-verify': z.boolean().optional(),
        }),
      }),
    )
    .nullish(),
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ namespace: z.string().optional() }) })).nullish(),
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z.looseObject({
          exec: z.looseObject({ command: z.string(), interactiveMode: z.string().optional() }).optional(),
          tokenFile: z.string().optional(),
          as: z.string().optional(),
          'as-groups': z.array(z.string()).nullish(),
          'as-uid': z.string().optional(),
          'as-user-extra': z.unknown().optional(),
          'auth-provider': z.unknown().optional(),
        }),
      }),
    )
    .nullish(),
});

export interface Connection {
  reader: ClusterReader;
  /** Namespace of the context, or null. */
  namespace: string | null;
  server: string;
}

const readLimitMilliseconds = 15_000;

/**
 * Resolves the kubeconfig as kubectl does (`kubectl config view --minify --flatten`: merged files, precedence, inlined certificates), and takes
 * the reader that can use it.
 * @throws UsageError when kubectl is missing or the kubeconfig can't be used (exit code 2), ClusterError when kubectl gave no answer (3)
 */
export async function connect(
  kubectl: Kubectl,
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv,
  prefer: 'auto' | 'client' | 'kubectl' = 'auto',
): Promise<Connection> {
  // Takes a while to load, and so does kubectl to answer.
  const client = prefer === 'kubectl' ? undefined : import('./client-reader.ts');
  client?.catch(() => undefined);
  const result = await kubectl.run(['config', 'view', '--minify', '--flatten', '--raw', '-o', 'json'], { limitMilliseconds: 15_000 });
  if (result.failure?.reason === 'timeout' || (result.failure && result.exit === null && result.failure.reason === 'tool-failed'))
    throw new ClusterError(`kubectl gave no answer when asked for the kubeconfig: ${result.failure.detail}`);
  if (result.failure?.reason === 'interrupted') throw new ClusterError('interrupted while kubectl was asked for the kubeconfig');
  if (result.failure) throw new UsageError(kubeconfigSentence(kubectl.binary, result.failure, kubeconfigFiles(kubectl, environment)));
  const text = Buffer.from(result.stdout).toString('utf8');
  const parsed = viewSchema.safeParse(parseJson(text));
  const cluster = parsed.success ? parsed.data.clusters?.[0]?.cluster : undefined;
  if (!parsed.success || !cluster?.server)
    throw new UsageError('the kubeconfig names no cluster: set KUBECONFIG, or give --kubeconfig and --context');
  refuseGroupsAlone(parsed.data, kubectl);
  const namespace = parsed.data.contexts?.[0]?.context.namespace ?? null;
  const base = { namespace, server: cluster.server };
  const limit = limitOf(kubectl.flags.requestTimeout);
  const kubectlReader = () => createKubectlReader(kubectl, limit);
  if (prefer === 'kubectl' || (prefer === 'auto' && needsKubectl(parsed.data, kubectl, environment)))
    return { ...base, reader: kubectlReader() };
  try {
    const loaded = await client;
    return { ...base, reader: loaded ? loaded.createClientReader(text, limit, signal) : kubectlReader() };
  } catch (error) {
    if (prefer === 'client') throw error;
    return { ...base, reader: kubectlReader() };
  }
}

/** kubectl refuses groups without a user to impersonate; of another --user than the context's the kubeconfig may name one. */
function refuseGroupsAlone(view: z.infer<typeof viewSchema>, { flags }: Kubectl): void {
  const groups = flags.asGroup ?? [];
  if (groups.length === 0 || flags.as !== undefined || flags.user !== undefined || view.users?.[0]?.user.as) return;
  throw new UsageError(`--as-group ${groups[0]} needs --as: a group is impersonated together with a user`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** 0 means no limit to kubectl, and our own limit to us. A timer holds at most 2^31 milliseconds. */
const limitOf = (requestTimeout: string | undefined): number =>
  Math.min(parseDuration(requestTimeout ?? '') || readLimitMilliseconds, 86_400_000);

/**
 * What client-node 1.4 does otherwise than kubectl: impersonation of groups, token files, relative and interactive exec plug-ins, HTTPS_PROXY,
 * plain http and auth providers (measured, docs/adr/002-reading-the-api.md).
 */
function needsKubectl(view: z.infer<typeof viewSchema>, kubectl: Kubectl, environment: NodeJS.ProcessEnv): boolean {
  const cluster = view.clusters?.[0]?.cluster;
  const user = view.users?.[0]?.user;
  const impersonates =
    kubectl.flags.as !== undefined ||
    (kubectl.flags.asGroup ?? []).length > 0 ||
    user?.['as-groups'] ||
    user?.['as-uid'] ||
    user?.['as-user-extra'];
  const plugin =
    user?.exec && ((!user.exec.command.startsWith('/') && user.exec.command.includes('/')) || user.exec.interactiveMode === 'Always');
  const proxied = (environment.HTTPS_PROXY ?? environment.https_proxy ?? '') !== '' && cluster?.['proxy-url'] === undefined;
  // `kubectl config view --minify` follows --context and leaves --cluster and --user aside.
  const elsewhere = kubectl.flags.cluster !== undefined || kubectl.flags.user !== undefined;
  return Boolean(
    elsewhere ||
      impersonates ||
      plugin ||
      proxied ||
      user?.tokenFile ||
      user?.['auth-provider'] ||
      cluster?.['proxy-url'] ||
      cluster?.server?.startsWith('http://'),
  );
}

/** The kubeconfig files that were named and are not there. */
function kubeconfigFiles(kubectl: Kubectl, environment: NodeJS.ProcessEnv): string[] {
  const named = kubectl.flags.kubeconfig === undefined ? (environment.KUBECONFIG ?? '').split(':') : [kubectl.flags.kubeconfig];
  return named.filter((file) => file !== '' && !existsSync(file));
}

function kubeconfigSentence(binary: string, failure: { reason: string; detail: string }, absent: readonly string[]): string {
  if (failure.reason === 'not-installed')
    return `kubectl is needed and was not found (${binary}): install it, or name it by K8SNET_KUBECTL`;
  if (absent.length > 0) return `there is no kubeconfig file ${absent.join(', ')}`;
  if (/unknown flag/.test(failure.detail)) return `kubectl is too old (${failure.detail}): k8snet needs 1.27 or later`;
  return `kubectl can't use the kubeconfig: ${failure.detail}`;
}
