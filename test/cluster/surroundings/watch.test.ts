import { execa } from 'execa';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { adminKubeconfig, closeAll, nodePodsLeft, pause, reason, skipped, start } from './run.ts';

const words = ['capture', 'svc/my-service', '--from', 'pod/client', '-o', 'json', '--watch'];
const fault = 'flaky-one-in-20';
const cluster = (command: 'break' | 'mend') => execa('test/cluster/cluster.sh', [command, fault], { timeout: 200_000, all: true });

describe.skipIf(reason !== undefined)(`a watch${skipped}`, () => {
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(closeAll);

  it('none fails: exit 0, and how rare a fault would have been seen', async () => {
    const run = await start([...words, '20'], { KUBECONFIG: await adminKubeconfig() }).ended;
    expect(run, run.stderr).toMatchObject({ exit: 0, stderr: '' });
    const { capture } = JSON.parse(run.stdout);
    expect(capture).toMatchObject({ tries: 20, answered: 20, losses: [], gaps: [], watch: { failed: 0, ended: 'tries', oneIn: 7 } });
  });

  it('one SYN of twenty is lost: found within 60 tries, with its place and the reason of the kernel', async () => {
    try {
      await cluster('break');
      const run = await start([...words, '60'], { KUBECONFIG: await adminKubeconfig() }).ended;
      expect(run, run.stderr).toMatchObject({ exit: 1 });
      const { capture } = JSON.parse(run.stdout);
      expect(capture.watch).toMatchObject({ ended: 'failure', failing: { result: 'repeated' }, good: { result: 'answered' } });
      expect(capture.losses).toMatchObject([
        { kind: 'lost', direction: 'request', where: { kind: 'node', names: ['n1'] }, dropReason: { reason: 'NETFILTER_DROP' } },
      ]);
    } finally {
      await cluster('mend');
    }
  });

  it('SIGINT: what was seen until then, exit 130, and nothing left', async () => {
    const run = start([...words, '10m'], { KUBECONFIG: await adminKubeconfig() });
    await pause(12_000);
    run.kill('SIGINT');
    const { exit, stdout } = await run.ended;
    expect(exit).toBe(130);
    const { watch, losses } = JSON.parse(stdout).capture;
    expect(watch).toMatchObject({ ended: 'interrupted', failed: 0 });
    expect(watch.tries).toBeGreaterThan(5);
    expect(losses).toEqual([]);
  });
});
