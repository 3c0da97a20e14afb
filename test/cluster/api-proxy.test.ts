import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterExec, clusterPaths, type Relay, startRelay, whyNoCluster } from './access.ts';
import { type ApiProxy, type Rule, startApiProxy } from './api-proxy.ts';

const reason = whyNoCluster();
const { kubectl } = clusterPaths();
let relay: Relay;
const proxies: ApiProxy[] = [];

/** Runs kubectl from this host through a proxy with these rules. */
async function through(rules: Rule[], ...args: string[]) {
  return await run(kubectl, rules, args);
}

async function run(program: string, rules: Rule[], args: string[]) {
  const proxy = await startApiProxy({ kubeconfig: relay.kubeconfig, rules });
  proxies.push(proxy);
  const result = await execa(program, args, {
    reject: false,
    timeout: 20_000,
    env: { KUBECONFIG: proxy.kubeconfig, KUBECACHEDIR: `${proxy.kubeconfig}.cache` },
  });
  return { ...result, requests: proxy.requests() };
}

const podList = { method: 'GET', path: /^\/api\/v1\/namespaces\/default\/pods\?/ };
const exec = ['exec', 'client', '--', 'sh', '-c'] as const;

describe.skipIf(reason !== undefined)(`the API proxy${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(async () => {
    relay = await startRelay();
  });
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await relay.close();
  });

  it('passes what no rule names: lists, watches, exit codes and standard input', async () => {
    expect((await through([], 'get', 'pod', 'client', '-o', 'name')).stdout).toBe('pod/client');
    expect((await through([], 'wait', '--for=condition=Ready', 'pod/client')).stdout).toContain('condition met');
    expect(await through([], ...exec, 'echo out; echo err >&2; exit 7')).toMatchObject({
      stdout: 'out',
      exitCode: 7,
      stderr: expect.stringContaining('err'),
    });
    const long = await through([], ...exec, 'head -c 3000000 /dev/zero | tr "\\0" x');
    expect(long.stdout.length).toBe(3_000_000);
  });

  it('logs every request, and what it got', async () => {
    const { requests } = await through([{ ...podList, give: { kind: 'status', code: 403 } }], 'get', 'pods');
    expect(requests).toContainEqual({ method: 'GET', path: '/api/v1/namespaces/default/pods?limit=500', got: 'status' });
    expect(requests.filter(({ got }) => got === undefined).length).toBeGreaterThan(0);
  });

  it.each([
    [401, 'the proxy answers 401|must be logged in|Unauthorized'],
    [403, 'Forbidden'],
    [409, 'Conflict'],
    [500, 'InternalError'],
  ] as const)('answers %i', async (code, words) => {
    const { exitCode, stderr } = await through([{ ...podList, give: { kind: 'status', code } }], 'get', 'pods');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(words));
  });

  it('throttles with 429 and Retry-After, which kubectl obeys', async () => {
    const rule: Rule = { ...podList, give: { kind: 'status', code: 429, retryAfterSeconds: 1 }, times: 2 };
    const { exitCode, requests, durationMs } = await through([rule], 'get', 'pods');
    expect(exitCode).toBe(0);
    expect(requests.filter(({ path }) => path.includes('/pods?')).map(({ got }) => got)).toEqual(['status', 'status', undefined]);
    expect(durationMs).toBeGreaterThan(2000);
  });

  it.each(['clean', 'cut'] as const)(
    'gives half an object (%s): kubectl prints a whole, empty list and only its exit code tells',
    async (ending) => {
      const { exitCode, stdout, stderr } = await through([{ ...podList, give: { kind: 'half', ending } }], 'get', 'pods', '-o', 'json');
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ kind: 'List', items: [] });
      expect(stderr).toMatch(/unexpected (end of JSON|EOF)/);
    },
  );

  it('never answers', async () => {
    const { exitCode, stderr } = await through([{ ...podList, give: { kind: 'hang' } }], 'get', 'pods', '--request-timeout=2s');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/[Tt]imeout|deadline/);
  });

  it('loses the exit code of an exec: kubectl ends with 0', async () => {
    expect(await through([{ exec: true, give: { kind: 'drop-status' } }], ...exec, 'echo out; exit 9')).toMatchObject({
      stdout: 'out',
      exitCode: 0,
    });
  });

  it('cuts an exec stream', async () => {
    const rule: Rule = { exec: true, give: { kind: 'cut-stream', afterBytes: 100_000 } };
    const { exitCode, stdout } = await through([rule], ...exec, 'head -c 3000000 /dev/zero | tr "\\0" x');
    expect(exitCode).toBe(1);
    expect(stdout.length).toBeLessThanOrEqual(100_000);
  });

  it('passes and cuts SPDY, which kubectl 1.29 uses: a cut stream ends with 0 there', async () => {
    const passed = await run(`${kubectl}-1.29`, [], [...exec, 'echo out; exit 7']);
    expect(passed).toMatchObject({ stdout: 'out', exitCode: 7 });
    expect(passed.requests).toContainEqual(
      expect.objectContaining({ method: 'POST', path: expect.stringContaining('/pods/client/exec?') }),
    );
    const rule: Rule = { exec: true, give: { kind: 'cut-stream', afterBytes: 100_000 } };
    const cut = await run(`${kubectl}-1.29`, [rule], [...exec, 'head -c 3000000 /dev/zero | tr "\\0" x']);
    expect(cut.exitCode).toBe(0);
    expect(cut.stdout.length).toBeLessThan(100_000);
  });

  it('serves client-node', async () => {
    const proxy = await startApiProxy({
      kubeconfig: relay.kubeconfig,
      rules: [{ path: /\/services/, give: { kind: 'status', code: 403 } }],
    });
    proxies.push(proxy);
    const config = new KubeConfig();
    config.loadFromFile(proxy.kubeconfig);
    const api = config.makeApiClient(CoreV1Api);
    const { items } = await api.listNamespacedPod({ namespace: 'default' });
    expect(items.map(({ metadata }) => metadata?.name)).toContain('client');
    await expect(api.listNamespacedService({ namespace: 'default' })).rejects.toMatchObject({ code: 403 });
  });

  it('refuses an exec with the API server own words', async () => {
    const { exitCode, stderr } = await through([], 'exec', '--as=nobody', 'client', '--', 'true');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('User "nobody" cannot');
  });
});

describe.skipIf(reason !== undefined)(`clusterExec${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  it('runs a command where KUBECONFIG leads to the API server', async () => {
    expect(await clusterExec(['kubectl', 'get', 'pod', 'client', '-o', 'name'])).toMatchObject({ stdout: 'pod/client', exitCode: 0 });
  });
});
