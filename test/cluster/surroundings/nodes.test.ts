import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  adminKubeconfig,
  apply,
  closeAll,
  diagnose,
  expectHealthy,
  expectHealthyBut,
  expectUnknown,
  freshNamespace,
  mustKubectl,
  nodePodsLeft,
  reason,
  skipped,
  until,
} from './run.ts';

const namespace = 'k8snet-nodes';
const environment = async () => ({ KUBECONFIG: await adminKubeconfig() });
const image = 'docker.io/nicolaka/netshoot:latest';

/** A pod whose container has removed its own shells before it sleeps: what a distroless image is to an exec. */
const shellLess = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'shell-less', namespace },
  spec: {
    nodeName: 'n1',
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'c',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', 'rm -f /bin/sh /usr/bin/sh /bin/bash /usr/bin/bash /bin/dash /usr/bin/dash; exec sleep infinity'],
      },
    ],
  },
};

describe.skipIf(reason !== undefined)(`node access${skipped}`, () => {
  beforeAll(async () => {
    await freshNamespace(namespace);
    await freshNamespace(`${namespace}-restricted`, { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }, shellLess);
    await mustKubectl(['wait', '-n', namespace, '--for=condition=Ready', 'pod/shell-less', '--timeout=60s']);
  });
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(async () => {
    await mustKubectl(['delete', 'namespace', '--ignore-not-found', '--wait=false', namespace, `${namespace}-restricted`]);
    await closeAll();
  });

  it('with an image that can not be pulled: takes one that the node has, and says which and why', async () => {
    const run = await diagnose(await environment(), ['--image', '192.168.1.250:5000/none:1']);
    expectHealthy(run);
    const [node] = run.report.coverage.nodes;
    expect(node).toMatchObject({
      name: 'n1',
      access: 'node-pod',
      detail: expect.stringMatching(/^192\.168\.1\.250:5000\/none:1: \w*(ImagePull|ErrImage)/),
    });
    expect(run.report.coverage.image).toMatch(/netshoot/);
  });

  it('that PodSecurity forbids: the next way of looking, and its loss', async () => {
    const run = await diagnose(await environment(), ['--node-namespace', `${namespace}-restricted`]);
    expectHealthyBut(run, /node n1: read from a pod that was already there.*violates PodSecurity "restricted/);
    expect(run.report.coverage.access).toBe('host-network-pod');
  });

  it('that must be a pod of ours (--node-access pod) and is forbidden: no other pod is taken for it', async () => {
    const run = await diagnose(await environment(), ['--node-namespace', `${namespace}-restricted`, '--node-access', 'pod']);
    expectHealthyBut(run, /node n1: its rules, routes and devices could not be read.*violates PodSecurity/);
    expect(run.report.coverage).toMatchObject({ access: 'client-pod', nodes: [{ access: 'none' }] });
  });

  it('in a namespace that is not there: says so', async () => {
    const run = await diagnose(await environment(), ['--node-namespace', 'not-there']);
    expectHealthyBut(run, /namespaces "not-there" not found/);
  });

  it('switched off: probes by exec into the client, and says what is not seen', async () => {
    const run = await diagnose(await environment(), ['--node-access', 'none']);
    expectHealthyBut(run, /node n1: its rules.*--node-access none/);
    expect(run.report.coverage).toMatchObject({ access: 'client-pod', image: null });
  });

  it('to a client pod without a shell: entered from the node, nothing is lost', async () => {
    const run = await diagnose(
      await environment(),
      [],
      ['diagnose', 'my-service.default', '--from', `pod/${namespace}/shell-less`, '-o', 'json'],
    );
    expectHealthy(run);
  });

  it('switched off, and the client pod has no shell: unknown, and says what is missing', async () => {
    const words = ['diagnose', 'my-service.default', '--from', `pod/${namespace}/shell-less`, '--node-access', 'none', '-o', 'json'];
    const run = await diagnose(await environment(), [], words);
    expectUnknown(run, /the container has no shell \(sh\)/);
    expect(run.report.coverage.lost.join('\n')).toMatch(/pod k8snet-nodes\/shell-less: it could not be entered/);
  });
});

const signalKubelet = (signal: 'STOP' | 'CONT'): void => {
  execFileSync('test/cluster/cluster.sh', ['node', 'n1', 'sh', '-c', `kill -${signal} $(pgrep -x kubelet)`]);
};

const readyOf = (node: string): Promise<string> =>
  mustKubectl(['get', 'node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);

describe.skipIf(reason !== undefined)(`a node whose kubelet has stopped${skipped}`, () => {
  beforeAll(async () => {
    signalKubelet('STOP');
    await until('NotReady', async () => (await readyOf('n1')) === 'Unknown', 120_000);
  });
  afterAll(async () => {
    signalKubelet('CONT');
    await until('Ready', async () => (await readyOf('n1')) === 'True', 120_000);
    await mustKubectl(['rollout', 'status', 'deploy/web', '--timeout=90s']);
    await mustKubectl(['wait', '--for=condition=Ready', 'pod/client', '--timeout=60s']);
    expect(await nodePodsLeft()).toEqual([]);
    await closeAll();
  });

  it('as the node of the client: unknown, and names the node and the kubelet', async () => {
    const run = await diagnose(await environment());
    expectUnknown(run, /the name was not looked up from pod\/default\/client/);
    expect(run.report.coverage.lost.join('\n')).toMatch(/node n1: .*node n1 is not ready: Kubelet stopped posting node status/);
    expect(run.seconds).toBeLessThan(40);
  });

  it('as the node of a backend: what works is not called broken', async () => {
    const run = await diagnose(await environment(), [], ['diagnose', 'my-service', '--from', 'node/n2', '-o', 'json']);
    expect({ exit: run.exit, summary: run.report.verdict.summary }).toMatchObject({ exit: 0 });
    expect(run.report.verdict.status).toBe('healthy');
  });

  it('as the node of the only pod that could be the client: a ready node is taken instead, and why', async () => {
    const run = await diagnose(await environment(), [], ['diagnose', 'my-service', '-o', 'json']);
    expect({ exit: run.exit, from: run.report.from }).toMatchObject({
      exit: 0,
      from: { kind: 'Node', name: 'n2', why: 'no running pod of the namespace could be the client, so the first ready node is' },
    });
  });
});
