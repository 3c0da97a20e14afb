import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Report, reportSchema } from '../../../src/schema/report.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { adminKubeconfig, apply, closeAll, mustKubectl, nodePodsLeft, reason, refusingService, skipped, start } from './run.ts';

const service = 'surroundings-refuses';
const directory = temporaryDirectory();
const environment = async () => ({ KUBECONFIG: await adminKubeconfig() });

/** A report without what two runs of the same cluster differ in: times. */
function timeless(text: string): Omit<Report, 'timing'> {
  const { timing: _, ...report } = reportSchema.parse(JSON.parse(text));
  return { ...report, probes: report.probes.map((probe) => ({ ...probe, milliseconds: null })) };
}

describe.skipIf(reason !== undefined)(`a recording${skipped}`, () => {
  beforeAll(() => refusingService(service));
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(async () => {
    await mustKubectl(['delete', 'service', service, '--ignore-not-found']);
    await closeAll();
  });

  it.each([
    ['healthy', 'my-service', 0, ['json']],
    ['a fault', service, 1, ['json', 'text', 'markdown']],
  ] as const)('of a diagnosis (%s) gives its report byte for byte', async (_, target, exit, formats) => {
    const env = await environment();
    for (const format of formats) {
      const file = join(directory, `${target}-${format}.tgz`);
      const live = await start(['diagnose', target, '--from', 'pod/client', '-o', format, '--record', file], env).ended;
      expect({ exit: live.exit, stderr: live.stderr }).toEqual({ exit, stderr: '' });
      // Without any cluster, and without kubectl.
      const replayed = await start(['diagnose', '--bundle', file, '-o', format], { KUBECONFIG: '/dev/null', K8SNET_KUBECTL: '/dev/null' })
        .ended;
      expect(replayed).toMatchObject({ exit, stderr: '' });
      expect(replayed.stdout).toBe(live.stdout);
      if (format === 'json') expect(reportSchema.parse(JSON.parse(live.stdout)).verdict.status).toBe(exit === 0 ? 'healthy' : 'fault');
    }
  });

  it('by `record` holds more, and gives the verdict of a diagnosis', async () => {
    const env = await environment();
    const file = join(directory, 'record.tgz');
    const run = await start(['record', service, '--from', 'pod/client', '-f', file], env).ended;
    expect(run).toMatchObject({ exit: 0, stderr: '' });
    expect(run.stdout).toMatch(/record\.tgz: \d+ entries; judge it with: k8snet diagnose --bundle /);
    const live = timeless((await start(['diagnose', service, '--from', 'pod/client', '-o', 'json'], env).ended).stdout);
    const replayed = timeless((await start(['diagnose', '--bundle', file, '-o', 'json'], env).ended).stdout);
    expect(replayed.verdict).toEqual(live.verdict);
    expect(replayed.findings.map(({ id }) => id)).toEqual(live.findings.map(({ id }) => id));
    expect(replayed.target).toEqual(live.target);
    expect(replayed.from).toEqual(live.from);
  });

  it('holds no secret: no environment, no service-account token, no annotation of kubectl', async () => {
    const file = join(directory, 'secrets.tgz');
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'surroundings-secret', namespace: 'default', annotations: { 'example.com/password': 'hunter2' } },
      spec: {
        nodeName: 'n1',
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'c',
            image: 'docker.io/library/busybox:1.36',
            imagePullPolicy: 'IfNotPresent',
            command: ['sleep', '600'],
            env: [{ name: 'PASSWORD', value: 'hunter2' }],
          },
        ],
      },
    };
    await apply(manifest);
    const run = await start(['record', 'my-service', '--from', 'pod/client', '-f', file], await environment()).ended;
    await mustKubectl(['delete', 'pod', 'surroundings-secret', '--wait=false']);
    expect(run.exit).toBe(0);
    const entries = [...unpackSnapshot(readFileSync(file)).entries.values()];
    const text = entries.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    expect(text).toContain('surroundings-secret');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('last-applied-configuration');
    expect(entries.map(({ key }) => key).filter((key) => /secrets/.test(key))).toEqual([]);
  });

  it('of a cluster that could not be asked is not written, and that is said', async () => {
    const file = join(directory, 'nothing.tgz');
    const run = await start(['diagnose', 'my-service', '--record', file], {
      KUBECONFIG: join(directory, 'none'),
      K8SNET_KUBECTL: '/does/not/exist',
    }).ended;
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toMatch(/^k8snet: kubectl is needed and was not found \(\/does\/not\/exist\)/);
  });
});
