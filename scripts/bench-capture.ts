import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubectl } from '../src/collect/kubectl.ts';
import { unpackSnapshot } from '../src/snapshot/archive.ts';
import { clusterExec, clusterPaths, startRelay, whyNoCluster } from '../test/cluster/access.ts';
import { type Captured, type CaptureFigures, captureDuring, filterFor, run, startNodePod } from './bench-capture/session.ts';
import { openTraffic, type Sent, sinkPort } from './bench-capture/traffic.ts';

/**
 * What a capture costs, on the cluster that is up (npm run cluster -- up) and healthy:
 *   npm run bench:capture -- --json
 * - addedSeconds: wall time of `diagnose --capture` beyond plain `diagnose`, median of pairs (aim: at most 2.5; nothing times out on a healthy cluster).
 *   On one machine all nodes share its processors with the API server and the CLI: there it is the work of all of them, and grows with what else runs
 * - addedOverPlain: the same as a ratio
 * - bytesMoved: what the captures of a run bring home from all nodes
 * - coresOfNode: what captures take of one core of a node, in it and in one of its pods, while 50,000 other packets a second pass both (aim: under 0.05):
 *   filterCores, by what a packet on its way through two nodes costs its sender with and without captures, and processCores, what tcpdump and the
 *   scripts take beside that, more than in an idle capture
 * - lost: packets that the kernel dropped before tcpdump could read them, of 10,000 matching packets a second, until the captures' own bound (aim: 0)
 */
const reason = whyNoCluster();
if (reason) {
  console.error(`no measurement: ${reason}`);
  process.exit(2);
}
const rounds = 6;
const otherRate = 50_000;
const matchingRate = 10_000;

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (value: number, digits = 3): number => Number(value.toFixed(digits));
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

const file = join(tmpdir(), `k8snet-bench-${process.pid}.tgz`);
async function diagnose(...extra: string[]): Promise<number> {
  const started = performance.now();
  const words = ['diagnose', 'svc/my-service', '--from', 'pod/client', '-o', 'json', ...extra];
  const result = await clusterExec([process.execPath, 'bin/k8snet.js', ...words]);
  if (result.exitCode !== 0)
    throw new Error(`the cluster is not healthy (exit ${result.exitCode}): ${result.stdout.slice(0, 300)}${result.stderr.slice(-300)}`);
  return (performance.now() - started) / 1000;
}

/** Pairs of runs that differ in `--capture` alone; every second pair the other way round, so that a machine that gets busier or idler favours neither. */
async function wallTime() {
  const pairs: { plain: number; captured: number }[] = [];
  for (let index = 0; index < rounds; index += 1) {
    const isTurned = index % 2 === 1;
    const first = await diagnose(...(isTurned ? ['--capture'] : []));
    const second = await diagnose(...(isTurned ? [] : ['--capture']));
    pairs.push(isTurned ? { plain: second, captured: first } : { plain: first, captured: second });
  }
  const plain = median(pairs.map((pair) => pair.plain));
  const added = pairs.map((pair) => pair.captured - pair.plain);
  return {
    addedSeconds: round(median(added)),
    addedSecondsOfPairs: added.map((value) => round(value, 2)),
    addedOverPlain: round(median(added) / plain),
    plainSeconds: round(plain),
    bytesMoved: await bytesMoved(),
  };
}

async function bytesMoved(): Promise<number> {
  await diagnose('--capture', '--record', file);
  const entries = [...unpackSnapshot(readFileSync(file)).entries.values()].filter(({ key }) => /^capture\/(node|pod)\//.test(key));
  rmSync(file);
  return sum(entries.map(({ stdout, stderr }) => stdout.length + stderr.length));
}

interface PodObject {
  metadata: { name: string; labels?: { app?: string } };
  spec: { nodeName: string };
  status: { podIP: string; containerStatuses: { containerID: string }[] };
}
const containerOf = (pod: PodObject): string => (pod.status.containerStatuses[0]?.containerID ?? '').replace('containerd://', '');

async function underTraffic(kubeconfig: string) {
  const kubectl = createKubectl(clusterPaths().kubectl, { kubeconfig }, new AbortController().signal);
  const pods = (JSON.parse(await run(kubectl, ['get', 'pods', '-n', 'default', '-o', 'json'])) as { items: PodObject[] }).items;
  const client = pods.find(({ metadata }) => metadata.name === 'client');
  const endpoints = pods.filter(({ metadata }) => metadata.labels?.app === 'web');
  const web = endpoints.find(({ spec }) => spec.nodeName !== client?.spec.nodeName);
  if (!client || !web) throw new Error('the cluster has no client pod, or no endpoint on another node');
  const service = await run(kubectl, ['get', 'service', 'my-service', '-n', 'default', '-o', 'jsonpath={.spec.clusterIP}']);
  const filter = filterFor(
    endpoints.map(({ status }) => ({ address: status.podIP, port: 8080 })),
    { address: service, port: 80 },
  );
  const nodePods: string[] = [];
  const traffic = await openTraffic(containerOf(client), containerOf(web));
  try {
    const captured: (Captured & { nodePod: string })[] = [];
    for (const pod of [client, web]) {
      const nodePod = await startNodePod(kubectl, pod.spec.nodeName);
      nodePods.push(nodePod);
      captured.push({ node: pod.spec.nodeName, pod: pod.metadata.name, container: containerOf(pod), address: pod.status.podIP, nodePod });
    }
    const during = async <T>(work: () => Promise<T>): Promise<{ value: T; figures: CaptureFigures[] }> => {
      let end = (): void => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      const captures = await Promise.all(captured.map((on) => captureDuring(kubectl, on, filter, over)));
      await Promise.race([Promise.all(captures.map(({ listening }) => listening)), Promise.all(captures.map(({ figures }) => figures))]);
      const value = await work().finally(end);
      return { value, figures: await Promise.all(captures.map(({ figures }) => figures)) };
    };
    const other = { address: web.status.podIP, port: sinkPort, sourcePort: 40_000 };
    const matching = { address: web.status.podIP, port: 8080, sourcePort: 61_000 };
    const seconds = 2;
    const measured: { without: Sent; with: Sent; busy: CaptureFigures[]; idle: CaptureFigures[] }[] = [];
    for (let index = 0; index < rounds; index += 1) {
      const without = await traffic.send('udp', other, otherRate, seconds);
      const busy = await during(() => traffic.send('udp', other, otherRate, seconds));
      const idle = await during(() => new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
      measured.push({ without, with: busy.value, busy: busy.figures, idle: idle.figures });
    }
    const flood = await during(() => traffic.send('tcp', matching, matchingRate, 0.2));
    const added = median(measured.map((item) => item.with.nanoseconds - item.without.nanoseconds));
    const cpu = (figures: readonly CaptureFigures[]): number => sum(figures.map((item) => item.cpu));
    const places = flood.figures.flatMap((item) => item.places);
    const filterCores = (added * otherRate) / 1e9 / captured.length;
    const processCores = median(measured.map((item) => (cpu(item.busy) - cpu(item.idle)) / seconds / captured.length));
    return {
      coresOfNode: round(filterCores + processCores, 4),
      filterCores: round(filterCores, 4),
      processCores: round(processCores, 4),
      addedNanosecondsPerPacket: added,
      nanosecondsPerPacket: median(measured.map((item) => item.without.nanoseconds)),
      packetsPerSecond: Math.round(median(measured.map((item) => item.with.sent / item.with.seconds))),
      scriptCpuSeconds: round(median(measured.map((item) => cpu(item.idle) / item.idle.length))),
      matchingPerSecond: Math.round(flood.value.sent / flood.value.seconds),
      matchingReceived: Object.fromEntries(places.map(({ key, received }) => [key, received])),
      lost: sum(places.map(({ dropped }) => dropped)),
    };
  } finally {
    await traffic.close();
    if (nodePods.length > 0) await run(kubectl, ['delete', 'pod', '-n', 'kube-system', '--wait=false', ...nodePods]);
  }
}

const relay = await startRelay();
try {
  const figures = { ...(await wallTime()), ...(await underTraffic(relay.kubeconfig)) };
  console.log(process.argv.includes('--json') ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
} finally {
  await relay.close();
}
