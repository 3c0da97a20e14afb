import { Agent, request } from 'node:https';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { isListPath, parseBody } from './kubectl-reader.ts';
import { type ClusterReader, type ReadFailure, type ReadResult, readAllPages } from './reader.ts';

/**
 * Reads through client-node's KubeConfig (certificates, tokens, exec credential plug-ins) and one kept-alive connection of our own: client-node's
 * generated API classes open a new TLS connection for each request and cost four times the start-up (docs/adr/002-reading-the-api.md).
 * @param config what `kubectl config view --minify --flatten --raw -o json` printed
 */
export function createClientReader(config: string, limitMilliseconds: number, signal: AbortSignal): ClusterReader {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(config);
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster');
  const server = new URL(cluster.server);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let options: Promise<object> | undefined;
  let requests = 0;
  const getOnce = async (path: string): Promise<ReadResult> => {
    requests += 1;
    // Asked for once: an exec plug-in would otherwise be started for every request.
    options ??= credentials(kubeConfig);
    try {
      const credential = await options;
      return await throttled(() => send(server, path, credential, agent, limitMilliseconds, signal), limitMilliseconds, signal);
    } catch (error) {
      return { ok: false, failure: { reason: 'unauthorized', detail: error instanceof Error ? error.message : String(error) } };
    }
  };
  return { name: 'client', requests: () => requests, get: (path) => (isListPath(path) ? readAllPages(getOnce, path) : getOnce(path)) };
}

type Answer = ReadResult & { retryAfterSeconds?: number };

/**
 * Waits as long as a 429 says, as client-go does (rest.Request: up to 10 times after Retry-After), within the limit of one read. API Priority and
 * Fairness answers a loaded server's clients so (kubernetes.io, "API Priority and Fairness").
 */
async function throttled(get: () => Promise<Answer>, limitMilliseconds: number, signal: AbortSignal): Promise<ReadResult> {
  const deadline = performance.now() + limitMilliseconds;
  for (let round = 0; ; round += 1) {
    const answer = await get();
    const { retryAfterSeconds } = answer;
    const wait = (retryAfterSeconds ?? 0) * 1000;
    if (answer.ok || retryAfterSeconds === undefined || round === 10 || signal.aborted || performance.now() + wait > deadline)
      return answer;
    await setTimeoutPromise(wait, undefined, { signal }).catch(() => {});
  }
}

async function credentials(kubeConfig: KubeConfig): Promise<object> {
  const options: Record<string, unknown> = {};
  await kubeConfig.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
  const { agent: _, ...rest } = options;
  return rest;
}

function send(server: URL, path: string, options: object, agent: Agent, limitMilliseconds: number, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (reason: ReadFailure['reason'], detail: string) => resolve({ ok: false, failure: { reason, detail } });
    const base = server.pathname.replace(/\/$/, '');
    const outgoing = request(
      {
        ...options,
        agent,
        host: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port || 443,
        path: `${base}${path}`,
        method: 'GET',
        headers: { ...((options as { headers?: Record<string, string> }).headers ?? {}), accept: 'application/json' },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', (error) => fail('truncated', `the answer to ${path} broke off: ${error.message}`));
        incoming.on('aborted', () => fail('truncated', `the answer to ${path} broke off`));
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 0;
          const result = judge(status, Buffer.concat(chunks).toString('utf8'), path);
          resolve(status === 429 ? { ...result, retryAfterSeconds: retryAfter(incoming.headers['retry-after']) } : result);
        });
      },
    );
    const timer = setTimeout(() => {
      fail('timeout', `the API server gave no answer to ${path} within ${limitMilliseconds / 1000} s`);
      outgoing.destroy();
    }, limitMilliseconds);
    const onAbort = () => {
      fail('interrupted', 'interrupted');
      outgoing.destroy();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.on('error', (error: NodeJS.ErrnoException) => fail('unreachable', `${server.host}: ${error.message}`));
    outgoing.on('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
    outgoing.end();
  });
}

/** Seconds; one when the header is missing or a date, which the API server does not send (RFC 9110, 10.2.3). */
const retryAfter = (header: string | undefined): number => (/^\d+$/.test(header ?? '') ? Number(header) : 1);

const statusReasons: Record<number, ReadFailure['reason']> = { 401: 'unauthorized', 403: 'forbidden', 404: 'not-found', 409: 'conflict' };

function judge(status: number, text: string, path: string): ReadResult {
  if (status >= 200 && status < 300) return parseBody(text, path);
  return {
    ok: false,
    failure: { reason: statusReasons[status] ?? 'tool-failed', detail: `${messageOf(text)} (HTTP ${status} for ${path})` },
  };
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not a Status object: the first line has to do.
  }
  return text.split('\n')[0]?.slice(0, 200) || 'no message';
}
