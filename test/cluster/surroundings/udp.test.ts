import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKubeconfig, apply, closeAll, mustKubectl, nodePodsLeft, pause, reason, skipped, start } from './run.ts';

const port = 7777;
const loop = `$s=IO::Socket::INET->new(LocalPort=>${port},Proto=>"udp");while(1){$s->recv($b,2000);ANSWER}`;
const names = ['udp-echo', 'udp-silent', 'udp-closed'];

async function pod(name: string, node: string, answer: string): Promise<void> {
  const command = ['perl', '-MIO::Socket::INET', '-e', loop.replace('ANSWER', answer)];
  const container = { name: 'c', image: 'docker.io/nicolaka/netshoot:latest', imagePullPolicy: 'IfNotPresent', command };
  const spec = { nodeName: node, terminationGracePeriodSeconds: 0, containers: [container] };
  await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels: { app: name } }, spec });
}

async function service(name: string, app: string, targetPort: number): Promise<void> {
  const spec = { selector: { app }, ports: [{ protocol: 'UDP', port: 7000, targetPort }] };
  await apply({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec });
}

async function captured(name: string) {
  const words = ['capture', `svc/${name}`, '--from', 'pod/client', '-o', 'json'];
  const run = await start(words, { KUBECONFIG: await adminKubeconfig() }).ended;
  expect(await nodePodsLeft()).toEqual([]);
  return { exit: run.exit, capture: JSON.parse(run.stdout).capture };
}

describe.skipIf(reason !== undefined)(`captures of a UDP port that is not DNS${skipped}`, () => {
  beforeAll(async () => {
    await pod('udp-echo', 'n2', '$s->send($b)');
    await pod('udp-silent', 'n3', '');
    await service('udp-echo', 'udp-echo', port);
    await service('udp-silent', 'udp-silent', port);
    await service('udp-closed', 'udp-echo', port + 1);
    await mustKubectl(['wait', '--for=condition=Ready', 'pod/udp-echo', 'pod/udp-silent', '--timeout=60s']);
    // What kube-proxy writes for them.
    await pause(3000);
  });
  afterAll(async () => {
    await mustKubectl(['delete', 'service', ...names, '--ignore-not-found']);
    await mustKubectl(['delete', 'pod', 'udp-echo', 'udp-silent', '--ignore-not-found', '--wait=false']);
    await closeAll();
  });

  it('an application that answers', async () => {
    expect(await captured('udp-echo')).toMatchObject({ exit: 0, capture: { tries: 10, answered: 10, arrived: 0, losses: [] } });
  });

  it('one that does not: every datagram came to it, and that is no fault', async () => {
    expect(await captured('udp-silent')).toMatchObject({ exit: 0, capture: { tries: 10, answered: 0, arrived: 10, losses: [] } });
  });

  it('a port on which nothing listens: refused by the pod itself', async () => {
    const { exit, capture } = await captured('udp-closed');
    expect(exit).toBe(1);
    expect(capture.losses).toMatchObject([
      { kind: 'refused', where: { kind: 'pod' }, dropReason: { reason: 'NO_SOCKET' }, counter: { name: 'UdpNoPorts' } },
    ]);
  });

  it('is not watched: that goes by answers', async () => {
    const run = await start(['capture', 'svc/udp-echo', '--from', 'pod/client', '--watch', '5'], { KUBECONFIG: await adminKubeconfig() })
      .ended;
    expect(run).toMatchObject({ exit: 3, stdout: '', stderr: expect.stringContaining('a watch goes by answers, which UDP does not owe') });
  });
});
