import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { adminKubeconfig, apply, closeAll, freshNamespace, mustKubectl, nodePodsLeft, reason, skipped, start } from './run.ts';

const namespace = 'k8snet-output';
/** Sets the window's title, clears the screen, hides text, and turns the reading direction round. */
const treacherous = '\u001B]0;owned\u0007\u001B[2J\u001B[8m\u009B31m\u202Ereversed\u202C\u0000';
const image = 'docker.io/nicolaka/netshoot:latest';

const pod = (name: string, command: string, extra: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: name }, annotations: { 'service.kubernetes.io/note': treacherous.replace('\0', '') } },
  spec: {
    nodeName: 'n1',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', image, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', command], ...extra }],
  },
});

/** In printf's spelling, for the shells of the pods. */
const printed = String.raw`\033]0;owned\007\033[2J\033[8m\233\061m`;

describe.skipIf(reason !== undefined)(`garbage from the cluster${skipped}`, () => {
  beforeAll(async () => {
    await freshNamespace(namespace);
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
    const answer = `printf 'HTTP/1.1 500 ${printed}\\r\\nServer: ${printed}\\r\\n\\r\\n${printed}'`;
    await apply(
      // Its answers are escape sequences, and so is what it logs.
      pod('answers', `printf '${printed}\\n'; while true; do ${answer} | nc -l -p 8080 -q 1; done`),
      // Its resolver configuration is, too: the name server in it does not exist.
      pod('asks', `printf 'search ${printed}.local\\nnameserver 10.96.0.99\\n# ${printed}\\n' > /etc/resolv.conf; exec sleep infinity`),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'answers', namespace, annotations: { 'service.kubernetes.io/note': treacherous.replace('\0', '') } },
        spec: { selector: { app: 'answers' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
      },
    );
    await mustKubectl(['wait', '-n', namespace, '--for=condition=Ready', 'pod/answers', 'pod/asks', '--timeout=60s']);
  });
  afterEach(async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
  afterAll(async () => {
    await mustKubectl(['delete', 'namespace', '--ignore-not-found', '--wait=false', namespace]);
    await closeAll();
  });

  it('reaches no terminal and no ticket, in any format, and is in the recording all the same', async () => {
    const file = join(temporaryDirectory(), 'escapes.tgz');
    const env = { KUBECONFIG: await adminKubeconfig() };
    const live = await start(['diagnose', 'answers', '-n', namespace, '--from', 'pod/asks', '--record', file, '-vv'], env).ended;
    // The pod's name server does not answer: the verdict is a fault, and quotes the lines that hold the sequences.
    expect({ exit: live.exit, stderr: live.stderr }).toMatchObject({ exit: 1 });
    const recorded = [...unpackSnapshot(readFileSync(file)).entries.values()].map(({ stdout }) => stdout).join('');
    expect(recorded).toContain('\u001B]0;owned');
    const outputs = [live.stdout, live.stderr];
    for (const format of ['text', 'json', 'markdown']) {
      const run = await start(['diagnose', '--bundle', file, '-o', format, '-vv'], env).ended;
      expect(run.exit).toBe(1);
      outputs.push(run.stdout, run.stderr);
      if (format === 'json') outputs.push(...stringsOf(JSON.parse(run.stdout)));
    }
    for (const text of outputs) expect(text).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
    expect(outputs.join('')).toContain('10.96.0.99');
  });
});

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}
