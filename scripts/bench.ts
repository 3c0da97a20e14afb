import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { nodePodManifest } from '../src/collect/node-pod.ts';
import { defaultImage } from '../src/model/node-image.ts';
import { unpackSnapshot } from '../src/snapshot/archive.ts';
import { clusterExec, whyNoCluster } from '../test/cluster/access.ts';

/**
 * Speed as ratios taken in one run, on the cluster that is up (npm run cluster -- up): the machine's own speed cancels out.
 *   npm run bench -- --json
 * - diagnosisOverSeparateExecs: a healthy diagnosis over one `kubectl exec` for each command that it ran (aim: at most 0.3)
 * - diagnosisOverLimit: over what nobody can go below, one node pod's start plus one exec (aim: at most 1.5)
 * - versionOverNode: `k8snet --version` over bare node (aim: under 2.5)
 */
const rounds = 5;
const reason = whyNoCluster();
if (reason) {
  console.error(`no measurement: ${reason}`);
  process.exit(2);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (value: number): number => Math.round(value * 100) / 100;

const cli = ['diagnose', 'svc/my-service', '--from', 'pod/client'];
const file = join(tmpdir(), `k8snet-bench-${process.pid}.tgz`);

async function diagnose(extra: string[] = []): Promise<void> {
  const result = await clusterExec([process.execPath, 'bin/k8snet.js', ...cli, '-o', 'json', ...extra]);
  if (result.exitCode !== 0)
    throw new Error(`the cluster is not healthy (exit ${result.exitCode}): ${result.stdout.slice(0, 300)}${result.stderr.slice(-300)}`);
}

let podNumber = 0;
async function startPodAndExec(): Promise<string> {
  podNumber += 1;
  const name = `k8snet-bench-${process.pid}-${podNumber}`;
  const manifest = JSON.stringify(nodePodManifest({ name, namespace: 'kube-system', node: 'n1', image: defaultImage }, 300));
  await clusterExec(['kubectl', 'create', '--raw', '/api/v1/namespaces/kube-system/pods', '-f', '-'], { input: manifest });
  await clusterExec(['kubectl', 'wait', '-n', 'kube-system', '--for=jsonpath={.status.phase}=Running', `pod/${name}`, '--timeout=30s']);
  await clusterExec(['kubectl', 'exec', '-n', 'kube-system', name, '--', 'true']);
  return name;
}
const remove = (name: string) => clusterExec(['kubectl', 'delete', 'pod', '-n', 'kube-system', name, '--wait=false']);

const diagnosis: number[] = [];
const limit: number[] = [];
const separate: number[] = [];
const version: number[] = [];
const node: number[] = [];

await diagnose(['--record', file]);
const commands = [...unpackSnapshot(readFileSync(file)).entries.values()]
  .filter((entry) => entry.on.kind !== 'api')
  .map((entry) => entry.command);
rmSync(file);
for (let index = 0; index < rounds; index += 1) {
  diagnosis.push(await seconds(() => diagnose()));
  let pod = '';
  limit.push(
    await seconds(async () => {
      pod = await startPodAndExec();
    }),
  );
  if (index < 2)
    separate.push(
      (limit.at(-1) ?? 0) +
        (await seconds(async () => {
          for (const command of commands)
            await clusterExec(['kubectl', 'exec', '-n', 'kube-system', pod, '--', 'sh', '-c', `timeout 5 ${command}`]);
        })),
    );
  await remove(pod);
  version.push(await seconds(() => execa(process.execPath, ['bin/k8snet.js', '--version'])));
  node.push(await seconds(() => execa(process.execPath, ['-e', '0'])));
}
const verbose = await clusterExec([process.execPath, 'bin/k8snet.js', ...cli, '-v', '-o', 'json']);
const memory = await clusterExec([
  process.execPath,
  '-e',
  "process.argv.splice(1,0,'k8snet');import('./bin/k8snet.js');process.on('exit',()=>console.error('maxRSS='+process.resourceUsage().maxRSS))",
  'x',
  ...cli,
  '-o',
  'json',
]);
const figures = {
  diagnosisOverSeparateExecs: round(median(diagnosis) / median(separate)),
  diagnosisOverLimit: round(median(diagnosis) / median(limit)),
  versionOverNode: round(median(version) / median(node)),
  apiRequests: Number(/(\d+) API requests/.exec(verbose.stderr)?.[1] ?? Number.NaN),
  kubectlProcesses: verbose.stderr.split('\n').filter((line) => line.startsWith('k8snet: kubectl ')).length,
  peakMemoryMiB: Math.round(Number(/maxRSS=(\d+)/.exec(memory.stderr)?.[1] ?? Number.NaN) / 1024),
  medians: {
    diagnosis: round(median(diagnosis)),
    limit: round(median(limit)),
    separateExecs: round(median(separate)),
    version: round(median(version)),
    node: round(median(node)),
  },
};
console.log(process.argv.includes('--json') ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
