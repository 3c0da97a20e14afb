import { readlinkSync, statSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { captureBounds } from '../../../src/collect/capture/script.ts';
import { clusterPaths } from '../access.ts';
import { processesWhere, traceInstances } from '../leftovers.ts';
import { adminKubeconfig, closeAll, mustKubectl, nodePodsLeft, proxyWith, reason, skipped, start, until } from './run.ts';

const nodes = ['n1', 'n2', 'n3'];
const { netns } = clusterPaths();

/** Captures that run in a pod or node of this cluster (other clusters of this machine may be captured in too), by process id. */
function captures(): string[] {
  const pods = podNamespaces();
  return processesWhere('cmdline', (text) => text.includes('LINUX_SLL2')).filter((pid) => {
    try {
      return pods.has(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      return false;
    }
  });
}

/** Network namespaces of the cluster's nodes; those of its pods are not listed anywhere, and a capture of a pod has one of its node beside it. */
const podNamespaces = (): Set<string> => new Set(nodes.map((node) => `net:[${statSync(netns.replace(/-cp$/, `-${node}`)).ino}]`));

/** What captures write, as far as it lies in the nodes' own /tmp. */
async function files(): Promise<string[]> {
  const prefix = netns.replace(/^.*\/|-cp$/g, '');
  const lists = nodes.map((node) =>
    execa('test/cluster/cluster.sh', ['node', node, 'sh', '-c', 'ls -d /tmp/k8snet-trace.* /tmp/k8snet.*/cap.* 2>/dev/null; true'], {
      env: { PREFIX: prefix },
    }),
  );
  return (await Promise.all(lists)).flatMap(({ stdout }) => stdout.split('\n').filter(Boolean));
}

const before: [string[], string[]] = reason === undefined ? await Promise.all([traceInstances(), files()]) : [[], []];

/** Trace instances of all clusters of this machine are in one list; one whose captures end later than those of here can is of a watch somewhere else. */
const isOfWatch = (name: string): boolean => Number(name.split('-')[1]) - Date.now() / 1000 > captureBounds.seconds + 2;

/** Nothing but what others had there already. */
async function expectNothingLeft(): Promise<void> {
  await until('the end of every capture', () => captures().length === 0, 8000);
  const areGone = async (): Promise<boolean> => (await traceInstances()).every((name) => before[0].includes(name) || isOfWatch(name));
  await until('the end of every trace instance', areGone, 8000);
  expect(await files()).toEqual(before[1]);
}

const words = ['capture', 'svc/my-service', '--from', 'pod/client', '-o', 'json'];
const underWay = () => until('the captures', () => captures().length > 0, 30_000);

describe.skipIf(reason !== undefined)(`a capture${skipped}`, () => {
  afterEach(expectNothingLeft);
  afterAll(closeAll);

  it('sees every try answered, from every place of its way, and leaves nothing', async () => {
    const run = await start(words, { KUBECONFIG: await adminKubeconfig() }).ended;
    expect(run, run.stderr).toMatchObject({ exit: 0, stderr: '' });
    const { capture } = JSON.parse(run.stdout);
    expect(capture).toMatchObject({ tries: 14, answered: 14, losses: [], gaps: [] });
    expect(await nodePodsLeft()).toEqual([]);
  });

  it('a node that can not be captured on is a gap, and no loss', async () => {
    const proxy = await proxyWith([{ exec: true, path: /\/pods\/k8snet-n2-/, give: { kind: 'status', code: 403 } }]);
    const run = await start(words, { KUBECONFIG: proxy.kubeconfig }).ended;
    const { capture } = JSON.parse(run.stdout);
    expect(capture).toMatchObject({ tries: 14, answered: 14, losses: [] });
    expect(capture.gaps.join('\n')).toContain('node n2 was not captured in');
    expect(await nodePodsLeft()).toEqual([]);
  });

  it.each([
    { signal: 'SIGINT', exit: 130 },
    { signal: 'SIGTERM', exit: 143 },
  ] as const)('$signal while it captures: no tcpdump, no trace instance, no pod', async ({ signal, exit }) => {
    const run = start(words, { KUBECONFIG: await adminKubeconfig() });
    await underWay();
    run.kill(signal);
    expect(await run.ended).toMatchObject({ exit, stdout: '' });
    expect(await nodePodsLeft()).toEqual([]);
  });

  it('kill -9 while it captures: the captures end by themselves, cleanup sweeps the pods, which have a deadline', async () => {
    const kubeconfig = await adminKubeconfig();
    const run = start(words, { KUBECONFIG: kubeconfig });
    await underWay();
    run.kill('SIGKILL');
    expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
    await until('the end of every capture', () => captures().length === 0, 8000);
    const left = JSON.parse(await mustKubectl(['get', 'pods', '-A', '-l', 'app.kubernetes.io/managed-by=k8snet', '-o', 'json'])) as {
      items: { spec: { activeDeadlineSeconds?: number } }[];
    };
    expect(await start(['cleanup'], { KUBECONFIG: kubeconfig }).ended).toMatchObject({ exit: 0 });
    expect(left.items).toHaveLength(3);
    expect(left.items.every(({ spec }) => (spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY) <= 150)).toBe(true);
    expect(await nodePodsLeft()).toEqual([]);
  });
});
