import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../src/schema/report.ts';
import { clusterExec } from '../test/cluster/access.ts';
import { argument } from './arguments.ts';
import { type Change, type MtuCase, mtuCases } from './mtu/cases.ts';
import { type Cluster, openCluster } from './mtu/cluster.ts';
import { askKernel, type KernelTruth } from './mtu/kernel.ts';

/**
 * Sets the cluster that is up to combinations of MTUs of pods, tunnels and network cards, with ICMP filtered or not, and holds the verdict of `k8snet diagnose`
 * and the largest size that it measured against what real pings of every size do. Each combination is undone before the next. Results go to
 * docs/mtu-accuracy.json; those of a run that took some of the cases stay beside the others.
 *
 *   npm run mtu-accuracy -- [--only ID,ID…] [--out docs/mtu-accuracy.json] [--bundles DIRECTORY]
 */
type Verdict = 'mtu-black-hole' | 'mtu-mismatch' | 'healthy';

interface Row {
  case: string;
  about: string;
  /** Client to the endpoint on n2 and back, and to the one on n3 and back. */
  kernel: Record<string, KernelTruth>;
  fragments: number;
  expected: { verdict: Verdict; lostOn: string[]; largest: Record<string, number> };
  said: { verdict: string; exit: number; where: string[]; title: string; largest: Record<string, number | null> };
  right: boolean;
  wrong: string[];
  seconds: number;
}

const out = argument('out') ?? 'docs/mtu-accuracy.json';
const only = argument('only')?.split(',');
const ways = [
  ['client', 'n2'],
  ['n2', 'client'],
  ['client', 'n3'],
  ['n3', 'client'],
] as const;
const nodes = ['n1', 'n2', 'n3'];

/** Makes the changes, does the work, and takes the changes back in reverse, whatever happened. */
async function under<T>(cluster: Cluster, changes: readonly Change[], work: () => Promise<T>): Promise<T> {
  const undo: Change[] = [];
  try {
    for (const change of changes) {
      undo.unshift(await reverse(cluster, change));
      await cluster.run(change);
    }
    return await work();
  } finally {
    for (const change of undo) await cluster.run(change);
  }
}

async function reverse(cluster: Cluster, change: Change): Promise<Change> {
  if (change.includes('iptables')) return change.map((word) => (word === '-I' ? '-D' : word));
  if (change.includes('nft')) return ['host', 'cp', 'nft', 'delete', 'table', 'bridge', 'underlay'];
  if (change.includes('route')) return change.slice(0, change.indexOf('mtu'));
  const at = change.indexOf('set');
  const now = await cluster.run([...change.slice(0, at), 'show', 'dev', change[at + 1] ?? '']);
  return [...change.slice(0, -1), / mtu (\d+)/.exec(now)?.[1] ?? ''];
}

/** What the kernels remember of paths belongs to the case before. */
async function forget(cluster: Cluster): Promise<void> {
  for (const place of [...nodes.map((node) => ['host', node]), ...['client', ...nodes].map((pod) => [`pod:${pod}`])])
    await cluster.run([...place, 'ip', 'route', 'flush', 'cache']);
}

const fragmentsMade = async (cluster: Cluster): Promise<number> => {
  const counts = await Promise.all(nodes.map((node) => cluster.run(['host', node, 'cat', '/proc/net/snmp'])));
  return counts.map(fragCreates).reduce((sum, count) => sum + count, 0);
};
const fragCreates = (text: string): number => {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('FragCreates')]);
};

/** By what the kernel did: TCP sends no more than the smaller of both interfaces take, and learns of less only by ICMP. */
function expect(kernel: Row['kernel'], fragments: number): Row['expected'] {
  const entries = Object.entries(kernel);
  const tcp = ({ own, far }: KernelTruth): number => Math.min(own, far);
  const hole = ({ arrived, told, ...truth }: KernelTruth): boolean =>
    arrived < tcp(truth as KernelTruth) && (told === null || told > arrived);
  const lostOn = entries.filter(([, truth]) => hole(truth)).map(([way]) => way);
  const narrow = entries.some(([, { arrived, own }]) => arrived < own);
  const verdict = lostOn.length > 0 ? 'mtu-black-hole' : narrow || fragments > 0 ? 'mtu-mismatch' : 'healthy';
  return { verdict, lostOn, largest: Object.fromEntries(entries.map(([way, { answered }]) => [way, answered])) };
}

async function diagnose(cluster: Cluster, id: string): Promise<Row['said'] & { seconds: number }> {
  const bundles = argument('bundles');
  if (bundles !== undefined) mkdirSync(bundles, { recursive: true });
  const record = bundles === undefined ? [] : ['--record', join(bundles, `mtu-${id}.tgz`)];
  const started = performance.now();
  const result = await clusterExec(
    [process.execPath, 'bin/k8snet.js', 'diagnose', 'svc/my-service', '--from', 'pod/client', '-o', 'json', ...record],
    { timeout: 180_000 },
  );
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const report = JSON.parse(result.stdout) as Report;
  const largest = ways.map(([from, to]) => [`${from}>${to}`, largestOf(cluster, report, from, to)] as const);
  return {
    verdict: verdictOf(report),
    exit: result.exitCode ?? -1,
    where: report.findings.map(({ where }) => `${where.name}${where.node === undefined ? '' : ` on ${where.node}`}`),
    title: report.findings.map(({ title }) => title).join(' | '),
    largest: Object.fromEntries(largest),
    seconds,
  };
}

/** The kinds of findings, each once. */
const verdictOf = ({ findings }: Report): string => [...new Set(findings.map(({ slug }) => slug))].sort().join('+') || 'healthy';

function largestOf(cluster: Cluster, { probes }: Report, from: string, to: string): number | null {
  const probe = probes.find(
    ({ stage, id, to: target }) => stage === 'payload' && target === cluster.address(to) && id.includes(`/${cluster.name(from)}/`),
  );
  return probe?.size?.largest ?? null;
}

/** A way that was not measured is only wrong where the client's own is; the way back is looked at in the second round alone. */
function compare(cluster: Cluster, { where }: MtuCase, { verdict, largest, lostOn }: Row['expected'], said: Row['said']): string[] {
  const wrong: string[] = [];
  if (said.verdict !== verdict) wrong.push(`verdict ${said.verdict}, not ${verdict}`);
  if (said.exit !== (verdict === 'mtu-black-hole' ? 1 : 0)) wrong.push(`exit ${said.exit}`);
  for (const [way, size] of Object.entries(largest)) {
    const measured = said.largest[way] ?? null;
    if (measured === null ? way.startsWith('client') : measured !== size) wrong.push(`${way} ${measured}, not ${size}`);
  }
  const directions = new Set(lostOn.map((way) => directionOf(cluster, way)));
  const words = directions.size === 1 ? `from ${[...directions][0]} only` : 'both ways';
  if (verdict === 'mtu-black-hole' && /between nodes/.test(said.title) && !said.title.includes(words))
    wrong.push(`direction, not ${words}`);
  if (where && !said.where.every((name) => where.test(name))) wrong.push(`where ${said.where.join(', ')}, not ${where.source}`);
  return wrong;
}

const directionOf = (cluster: Cluster, way: string): string =>
  way
    .split('>')
    .map((pod) => cluster.node(pod))
    .join(' to ');

async function measure(cluster: Cluster, item: MtuCase): Promise<Row> {
  await forget(cluster);
  const result = await under(cluster, item.changes, async () => {
    const said = await diagnose(cluster, item.id);
    const before = await fragmentsMade(cluster);
    const kernel: Row['kernel'] = {};
    for (const [from, to] of ways) kernel[`${from}>${to}`] = await askKernel(cluster, from, to);
    return { said, kernel, fragments: (await fragmentsMade(cluster)) - before };
  });
  await forget(cluster);
  const { seconds, ...said } = result.said;
  const expected = expect(result.kernel, result.fragments);
  const wrong = compare(cluster, item, expected, said);
  return { case: item.id, about: item.about, ...result, expected, said, right: wrong.length === 0, wrong, seconds };
}

function save(rows: readonly Row[]): void {
  const known = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as { rows: Row[] }).rows : [];
  const all = mtuCases.flatMap(({ id }) => rows.find((row) => row.case === id) ?? known.find((row) => row.case === id) ?? []);
  writeFileSync(out, `${JSON.stringify({ rows: all }, null, 1)}\n`);
}

const cluster = await openCluster();
const rows: Row[] = [];
// What was changed is taken back before the process ends.
let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isStopped = true));
for (const item of mtuCases.filter(({ id }) => !only || only.includes(id))) {
  if (isStopped) break;
  const row = await measure(cluster, item);
  rows.push(row);
  save(rows);
  console.log(
    `${row.right ? 'right' : `WRONG (${row.wrong.join('; ')})`}  ${row.case}  ${row.said.verdict}  ${row.said.title}  ${row.seconds} s`,
  );
}
console.log(JSON.stringify({ cases: rows.length, right: rows.filter(({ right }) => right).length }));
process.exitCode = rows.every(({ right }) => right) ? 0 : 1;
