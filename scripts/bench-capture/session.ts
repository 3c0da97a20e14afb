import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { captureFilter } from '../../src/collect/capture/filter.ts';
import { captureBounds, captureScript, captureSections, listeningMark } from '../../src/collect/capture/script.ts';
import type { Kubectl } from '../../src/collect/kubectl.ts';
import { execScript, newNodePod, nodePodManifest } from '../../src/collect/node-pod.ts';
import { readScriptOutput } from '../../src/collect/script.ts';
import { defaultImage } from '../../src/model/node-image.ts';

/** A node and the pod on it that are captured in. */
export interface Captured {
  node: string;
  pod: string;
  container: string;
  address: string;
}

export interface CaptureFigures {
  /** CPU of the script and all that it started, in seconds. */
  cpu: number;
  /** By tcpdump's own words, for each place. */
  places: { key: string; captured: number; received: number; dropped: number }[];
  bytes: number;
}

/** The very script that `k8snet capture` runs, in a node pod of ours, for as long as `work` takes. */
export async function captureDuring(
  kubectl: Kubectl,
  on: Captured & { nodePod: string },
  filter: string,
  work: Promise<unknown>,
): Promise<{ listening: Promise<void>; figures: Promise<CaptureFigures> }> {
  const nonce = randomBytes(8).toString('hex');
  const targets = [
    { key: `capture/node/${on.node}`, ns: 'host' },
    { key: `capture/pod/default/${on.pod}`, ns: 'p0' },
  ];
  const options = {
    targets,
    backends: [{ address: on.address, port: 8080, place: null }],
    drops: true,
    snapLength: captureBounds.snapLength,
  };
  const sections = captureSections(on.node, options);
  const script = captureScript(sections, [{ name: 'p0', containerIds: [on.container] }], {
    nonce,
    filter,
    idle: 'as-answered',
    ...options,
  });
  const input = new PassThrough();
  input.write(`${script.replace(/; exit 0$/, '; times; exit 0')}\n`);
  let said = '';
  let listen = (): void => {};
  const listening = new Promise<void>((resolve) => {
    listen = resolve;
  });
  const run = execScript(kubectl, { namespace: 'kube-system', pod: on.nodePod }, input, 60_000, (chunk) => {
    if (said.length < 4096) said += Buffer.from(chunk).toString('latin1');
    if (said.includes(listeningMark(nonce))) listen();
  });
  void work.then(() => input.end('end\n'));
  const figures = run.then((result): CaptureFigures => {
    if (result.failure) throw new Error(`the capture on ${on.node} failed: ${result.failure.detail}`);
    const outputs = readScriptOutput(sections, nonce, result.stdout);
    const text = Buffer.from(result.stdout).toString('latin1');
    return {
      cpu: cpuOf(text.slice(text.lastIndexOf(':done:'))),
      places: targets.map(({ key }) => ({ key, ...countsOf(outputs.get(`${key}/tcpdump`)?.stdout ?? '') })),
      bytes: result.stdout.length,
    };
  });
  return { listening, figures };
}

/** What `times` prints: minutes and seconds of user and system, of the shell and then of its children. */
function cpuOf(text: string): number {
  const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds));
  if (times.length !== 4) throw new Error('the script did not say what CPU it took');
  return times.reduce((sum, value) => sum + value, 0);
}

function countsOf(text: string): { captured: number; received: number; dropped: number } {
  const count = (words: string) => Number(new RegExp(`(\\d+) packets? ${words}`).exec(text)?.[1] ?? Number.NaN);
  return { captured: count('captured'), received: count('received by filter'), dropped: count('dropped by kernel') };
}

/** The filter of a capture with three endpoints. */
export const filterFor = (endpoints: readonly { address: string; port: number }[], service: { address: string; port: number }): string =>
  captureFilter({ protocol: 'TCP', ports: { first: 61_000, last: 61_013 }, backends: [...endpoints, service] });

export async function startNodePod(kubectl: Kubectl, node: string): Promise<string> {
  const pod = newNodePod(node, 'kube-system', defaultImage);
  const input = JSON.stringify(nodePodManifest(pod, 240));
  await run(kubectl, ['create', '--raw', '/api/v1/namespaces/kube-system/pods', '-f', '-'], input);
  await run(kubectl, ['wait', '-n', 'kube-system', '--for=jsonpath={.status.phase}=Running', `pod/${pod.name}`, '--timeout=40s']);
  return pod.name;
}

export async function run(kubectl: Kubectl, args: readonly string[], input?: string): Promise<string> {
  const result = await kubectl.run(args, { limitMilliseconds: 60_000, ...(input === undefined ? {} : { input }) });
  if (result.failure || result.exit !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${result.failure?.detail ?? result.stderr}`);
  return Buffer.from(result.stdout).toString('utf8');
}
