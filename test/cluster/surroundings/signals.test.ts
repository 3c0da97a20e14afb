import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApiProxy, Rule } from '../api-proxy.ts';
import { processesWhere } from '../leftovers.ts';
import { adminKubeconfig, closeAll, mustKubectl, nodePodsLeft, proxyWith, reason, refusingService, skipped, start, until } from './run.ts';

const nodePod = /\/namespaces\/kube-system\/pods\/k8snet-/;
const service = 'surroundings-refuses';

interface Stage {
  name: string;
  rule: Rule;
  target: string;
  /** Whether a node pod is there at that stage. */
  pod: boolean;
}

/** Each stage is held by a request that is never answered, so that the signal comes exactly then. */
const stages: Stage[] = [
  {
    name: 'while the API is read',
    rule: { method: 'GET', path: /\/endpointslices\?/, give: { kind: 'hang' } },
    target: 'my-service',
    pod: false,
  },
  {
    name: 'while a node pod starts',
    rule: { method: 'GET', path: new RegExp(`${nodePod.source}[^/]+$`), give: { kind: 'hang' } },
    target: 'my-service',
    pod: true,
  },
  { name: 'while the script runs', rule: { exec: true, path: nodePod, give: { kind: 'hang' } }, target: 'my-service', pod: true },
  {
    name: 'in the second round',
    rule: { exec: true, path: /\/pods\/k8snet-n[23]-/, give: { kind: 'hang' } },
    target: service,
    pod: true,
  },
];

const held = (proxy: ApiProxy): Promise<boolean> => until('the stage', () => proxy.requests().some(({ got }) => got === 'hang'));

const listPods = async (): Promise<string[]> =>
  (await mustKubectl(['get', 'pods', '-A', '-l', 'app.kubernetes.io/managed-by=k8snet', '-o', 'name'])).split('\n').filter(Boolean);

/** Processes that were started with this kubeconfig in their environment. */
const processesOf = (kubeconfig: string): string[] => processesWhere('environ', (text) => text.includes(`KUBECONFIG=${kubeconfig}\0`));

describe.skipIf(reason !== undefined)(`a signal${skipped}`, () => {
  beforeAll(() => refusingService(service));
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(async () => {
    await mustKubectl(['delete', 'service', service, '--ignore-not-found']);
    await closeAll();
  });

  const cases = stages.flatMap((stage) => [
    { ...stage, signal: 'SIGINT' as const, exit: 130 },
    { ...stage, signal: 'SIGTERM' as const, exit: 143 },
  ]);
  it.each(cases)('$signal $name: exit code $exit, no half report, nothing left behind', async ({ rule, target, pod, signal, exit }) => {
    const proxy = await proxyWith([rule]);
    const run = start(['diagnose', target, '--from', 'pod/client'], { KUBECONFIG: proxy.kubeconfig });
    await held(proxy);
    if (pod) expect(await listPods()).not.toEqual([]);
    const sent = performance.now();
    run.kill(signal);
    const ended = await run.ended;
    expect(ended).toMatchObject({ exit, signal: null, stdout: '', stderr: 'k8snet: interrupted\n' });
    expect(performance.now() - sent).toBeLessThan(15_000);
    expect(processesOf(proxy.kubeconfig)).toEqual([]);
  });

  it('SIGHUP (the terminal has gone): 129, and the pods are deleted', async () => {
    const proxy = await proxyWith([{ exec: true, give: { kind: 'hang' } }]);
    const run = start(['diagnose', 'my-service', '--from', 'pod/client'], { KUBECONFIG: proxy.kubeconfig });
    await held(proxy);
    run.kill('SIGHUP');
    expect(await run.ended).toMatchObject({ exit: 129, stdout: '' });
  });

  it('a second Ctrl-C ends it at once, also what it had started; cleanup sweeps what stayed', async () => {
    const proxy = await proxyWith([
      { exec: true, give: { kind: 'hang' } },
      { method: 'DELETE', give: { kind: 'hang' } },
    ]);
    const run = start(['diagnose', 'my-service', '--from', 'pod/client'], { KUBECONFIG: proxy.kubeconfig });
    await held(proxy);
    run.kill('SIGINT');
    await until('the deletion', () => proxy.requests().some(({ method }) => method === 'DELETE'));
    const again = performance.now();
    run.kill('SIGINT');
    expect(await run.ended).toMatchObject({ exit: 130, stdout: '' });
    expect(performance.now() - again).toBeLessThan(3000);
    await until('the end of every kubectl', () => processesOf(proxy.kubeconfig).length === 0, 5000);
    expect(await listPods()).toHaveLength(1);
    await cleanUp();
  });

  it('kill -9 leaves a pod; cleanup keeps young ones when asked, and sweeps it else', async () => {
    const proxy = await proxyWith([{ exec: true, give: { kind: 'hang' } }]);
    const run = start(['diagnose', 'my-service', '--from', 'pod/client'], { KUBECONFIG: proxy.kubeconfig });
    await held(proxy);
    run.kill('SIGKILL');
    expect(await run.ended).toMatchObject({ exit: null, signal: 'SIGKILL' });
    expect(await listPods()).toHaveLength(1);
    const kept = await start(['cleanup', '--older-than', '1h'], { KUBECONFIG: await adminKubeconfig() }).ended;
    expect(kept).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^kept kube-system\/k8snet-n1-[0-9a-f]{8}: younger than --older-than\n$/),
    });
    expect(await listPods()).toHaveLength(1);
    await cleanUp();
  });

  it('a cluster that can not be asked to delete: says which pod is left, and how to delete it', async () => {
    const proxy = await proxyWith([{ method: 'DELETE', give: { kind: 'status', code: 403 } }]);
    const run = await start(['diagnose', 'my-service', '--from', 'pod/client'], { KUBECONFIG: proxy.kubeconfig }).ended;
    expect(run.exit).toBe(0);
    expect(run.stderr).toMatch(
      /warning: node pod kube-system\/(k8snet-n1-\w+) could not be deleted \(.*\); it ends by itself after 150 s, or: kubectl delete pod -n kube-system \1/,
    );
    await cleanUp();
  });
});

async function cleanUp(): Promise<void> {
  const swept = await start(['cleanup'], { KUBECONFIG: await adminKubeconfig() }).ended;
  expect(swept).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^deleted kube-system\/k8snet-n1-[0-9a-f]{8}\n$/) });
  expect(await nodePodsLeft()).toEqual([]);
  const nothing = await start(['cleanup'], { KUBECONFIG: await adminKubeconfig() }).ended;
  expect(nothing).toMatchObject({ exit: 0, stdout: 'no node pods of k8snet were found\n' });
}
