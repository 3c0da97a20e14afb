import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryDirectory } from '../../temporary.ts';
import { listen } from '../access.ts';
import type { Rule } from '../api-proxy.ts';
import {
  adminKubeconfig,
  closeAll,
  diagnose,
  diagnoseThrough,
  expectHealthy,
  expectUnknown,
  nodePodsLeft,
  proxyWith,
  reason,
  skipped,
  start,
} from './run.ts';

/** A copy of the administrator's kubeconfig, changed. */
async function kubeconfigWith(
  change: (file: { clusters: { cluster: { server: string } }[]; users: { user: Record<string, string> }[] }) => void,
) {
  const file = parse(readFileSync(await adminKubeconfig(), 'utf8'));
  change(file);
  const path = join(temporaryDirectory(), 'kubeconfig');
  writeFileSync(path, JSON.stringify(file), { mode: 0o600 });
  return path;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const service: Rule = { method: 'GET', path: /\/services\/my-service$/, give: { kind: 'hang' } };
const everything: Rule = { path: /./, give: { kind: 'hang' } };

describe.skipIf(reason !== undefined)(`the API server${skipped}`, () => {
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(closeAll);

  it('is down: says so with its address, in JSON and in text', async () => {
    const port = await closedPort();
    const kubeconfig = await kubeconfigWith(({ clusters }) => {
      for (const { cluster } of clusters) cluster.server = `https://127.0.0.1:${port}`;
    });
    const run = await diagnose({ KUBECONFIG: kubeconfig });
    expectUnknown(run, new RegExp(`the API server could not be asked: 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
    const text = await start(['diagnose', 'my-service'], { KUBECONFIG: kubeconfig }).ended;
    expect(text.exit).toBe(3);
    expect(text.stdout).toMatch(/^UNKNOWN: .*the API server could not be asked/m);
    // kubectl's own words, where kubectl reads (here because of the impersonation).
    const byKubectl = await diagnose({ KUBECONFIG: kubeconfig }, ['--as', 'somebody']);
    expectUnknown(byKubectl, /the API server could not be asked: The connection to the server .* was refused/);
  });

  it('does not know us (401)', async () => {
    const kubeconfig = await kubeconfigWith(({ users }) => {
      for (const item of users) item.user = { token: 'of-yesterday' };
    });
    const run = await diagnose({ KUBECONFIG: kubeconfig });
    expectUnknown(run, /the API server could not be asked: Unauthorized \(HTTP 401/);
    expect(run.report.coverage.access).toBe('api');
  });

  it('throttles (429): waits as long as it says, and reads all the same', async () => {
    const rule: Rule = { method: 'GET', path: /^\/api\/v1\/nodes\?/, give: { kind: 'status', code: 429, retryAfterSeconds: 1 }, times: 3 };
    const run = await diagnoseThrough([rule]);
    expectHealthy(run);
    const asked = run.proxy.requests().filter(({ path }) => path.startsWith('/api/v1/nodes?'));
    expect(asked.map(({ got }) => got)).toEqual(['status', 'status', 'status', undefined]);
  });

  it('throttles without end: gives up within its limit and says what was not read', async () => {
    const rule: Rule = { method: 'GET', path: /^\/api\/v1\/nodes\?/, give: { kind: 'status', code: 429, retryAfterSeconds: 1 } };
    const run = await diagnoseThrough([rule], ['--request-timeout', '3s']);
    expect(run.exit).toBe(0);
    expect(run.report.coverage.lost).toContainEqual('nodes: not read (the proxy answers 429)');
  });

  it('has an error of its own (500): asked once more, then unknown', async () => {
    const rule: Rule = { ...service, give: { kind: 'status', code: 500 } };
    const run = await diagnoseThrough([rule]);
    expectUnknown(run, /Service default\/my-service could not be read: the proxy answers 500 \(HTTP 500/);
    expect(run.proxy.requests().filter(({ got }) => got === 'status').length).toBe(2);
    expectHealthy(await diagnoseThrough([{ ...rule, times: 1 }]));
  });

  it.each(['clean', 'cut'] as const)('gives half an object (%s): asked once more, then unknown, never absent', async (ending) => {
    const run = await diagnoseThrough([{ ...service, give: { kind: 'half', ending } }]);
    expectUnknown(run, /Service default\/my-service could not be read: the answer to \S+ (is not whole JSON|broke off)/);
    expectHealthy(await diagnoseThrough([{ ...service, give: { kind: 'half', ending }, times: 1 }]));
  });

  it('gives half a list of endpoints: nothing is claimed about endpoints', async () => {
    const rule: Rule = { method: 'GET', path: /namespaces\/default\/endpointslices\?/, give: { kind: 'half', ending: 'clean' } };
    const run = await diagnoseThrough([rule]);
    expect(run.report.findings).toEqual([]);
    expect(run.exit).toBe(0);
    expect(run.report.coverage.lost.join()).toMatch(/endpointslices of default: not read \(the answer is not whole JSON/);
  });

  it('never answers: the limit of one request ends it', async () => {
    const run = await diagnoseThrough([everything], ['--request-timeout', '2s']);
    expectUnknown(run, /the API server could not be asked: the API server gave no answer to \S+ within 2 s/);
    expect(run.seconds).toBeLessThan(20);
  });

  it('never answers kubectl, which reads for impersonation: the same limit', async () => {
    const run = await diagnoseThrough([everything], ['--request-timeout', '2s', '--as', 'admin', '--as-group', 'system:masters']);
    expectUnknown(run, /the API server could not be asked: /);
    expect(run.seconds).toBeLessThan(30);
  });

  it('never answers: the limit of the run ends it, with a report', async () => {
    const run = await diagnoseThrough([everything], ['--timeout', '3s']);
    expectUnknown(run, /out of time after 3 s \(--timeout\)/);
    expect(run.report.coverage.lost).toContain('the run was ended after 3 s (--timeout)');
    expect(run.seconds).toBeLessThan(15);
  });

  it('cleanup says that it could not look, and never that there is nothing', async () => {
    const forbidden = await proxyWith([{ method: 'GET', path: /^\/api\/v1\/pods/, give: { kind: 'status', code: 403 } }]);
    const run = await start(['cleanup'], { KUBECONFIG: forbidden.kubeconfig }).ended;
    expect(run).toMatchObject({ exit: 3, stdout: '' });
    expect(run.stderr).toMatch(/^k8snet: the pods could not be listed: the proxy answers 403/);
  });
});
