import { clusterPaths, whyNoCluster } from '../test/cluster/access.ts';
import { argument } from './arguments.ts';
import { Random } from './differential/random.ts';
import { clientProcess, type Kubectl, knownNow, kubectlOf, type Left, leftOf, type PodWatch, watchPods } from './interrupted/left.ts';
import {
  type Command,
  commands,
  type Ending,
  endings,
  extraSeconds,
  isSudden,
  type RunPlan,
  refusing,
  type Started,
  startRun,
} from './interrupted/run.ts';

/**
 * Ends runs of k8snet on the clusters that are up, each at a random moment of its life and in one of nine ways, and looks for what they left: processes
 * (tcpdump above all), trace instances of the kernel, files on nodes and in the client pod, pods. After an end in order nothing may be there; after kill -9
 * nothing but sleeping pods, and those until their deadline.
 *
 *   npm run interrupted -- [--runs 200] [--minutes 60] [--seed 1] [--prefix k8snet,k8snet-b] [--only COMMAND,COMMAND] [--json]
 */
interface Result {
  command: Command;
  ending: Ending;
  at: number;
  exit: number | null;
  /** Seconds after its end until nothing was left but what may be. */
  clean: number;
  left: Partial<Left>;
}

const total = Number(argument('runs') ?? 200);
const until = performance.now() + Number(argument('minutes') ?? 600) * 60_000;
const seed = Number(argument('seed') ?? 1);
const prefixes = (argument('prefix') ?? process.env.PREFIX ?? 'k8snet').split(',');
const only = argument('only')?.split(',') ?? commands;
const chosen = commands.filter((command) => only.includes(command));
const json = process.argv.includes('--json');

/** Seconds: the run's own limit; 30 more and its pods end by themselves. */
const timeout = 30;
const deadlineOf = (command: Command): number => timeout + extraSeconds(command) + 30;
/**
 * Seconds after an end in order by which everything has to be gone; after kill -9, all but pods (a capture ends by itself after 20 s). A trace instance and a
 * file do not tell whose they are: those of others' captures and tests on this machine go within `others`.
 */
const patience = { ordered: 15, sudden: 25, others: 45 };
/** Seconds in which a kubelet notices that a pod's deadline has passed. */
const kubeletSlack = 30;

if (chosen.length < new Set(only).size) {
  console.error(`--only takes some of: ${commands.join(', ')}`);
  process.exit(2);
}
for (const prefix of prefixes) {
  const reason = whyNoCluster(clusterPaths({ ...process.env, PREFIX: prefix }));
  if (reason === undefined) continue;
  console.error(`no measurement: ${prefix}: ${reason}`);
  process.exit(2);
}

/** The same seed, the same commands, ends and moments. */
const random = new Random(seed);
/** Every command with every end, in random order, again and again. */
function* plans(count: number): Generator<{ command: Command; ending: Ending; share: number; refused: boolean }> {
  for (let made = 0; made < count; ) {
    const pairs = chosen.flatMap((command) => endings.map((ending) => ({ command, ending, order: random.next() })));
    for (const { command, ending } of pairs.sort((a, b) => a.order - b.order)) {
      if (made++ === count || performance.now() > until) return;
      const refused = ending === 'failure of the probes' || (ending !== 'success' && random.chance(0.3));
      yield { command, ending, share: random.next(), refused };
    }
  }
}

/** Seconds that a whole run takes, as last seen. */
const lengths = new Map<Command, number>(commands.map((command) => [command, 2]));
const results: Result[] = [];
const later: Promise<void>[] = [];
const queue = plans(total);
const namespace = `k8snet-interrupted-${process.pid}`;

async function work(prefix: string): Promise<void> {
  const kubectl = kubectlOf(prefix);
  await must(kubectl, ['create', 'namespace', namespace]);
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: refusing, namespace: 'default' } };
  const spec = { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 9 }] };
  await must(kubectl, ['apply', '-f', '-'], JSON.stringify({ ...service, spec }));
  const watch = watchPods(prefix, namespace);
  try {
    for (const { command, ending, share, refused } of queue) {
      const at = share * (lengths.get(command) ?? 0);
      const plan: RunPlan = { command, ending, at, service: refused ? refusing : 'my-service', timeout, namespace };
      await one(plan, prefix, kubectl, watch);
    }
    await Promise.all(later);
  } finally {
    watch.close();
    await kubectl(['delete', 'service', refusing, '-n', 'default', '--ignore-not-found']);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }
}

async function one(plan: RunPlan, prefix: string, kubectl: Kubectl, watch: PodWatch): Promise<void> {
  const before = new Set(watch.pods().map(({ name }) => name));
  const clientPid = await clientProcess(kubectl);
  const known = await knownNow(clientPid);
  const run: Started = startRun(plan, prefix);
  const exit = await run.ended;
  const ended = performance.now();
  if (plan.ending === 'success') lengths.set(plan.command, (ended - run.began) / 1000);
  const pods = () => watch.pods().filter(({ name }) => !before.has(name));
  const look = () => leftOf({ marker: run.marker, pods: pods(), namespace, clientPid, known }, kubectl);
  const sudden = isSudden(plan.ending) && exit === null;
  const { clean, left } = await settle(look, sudden ? withoutPods : (all) => all, ended, patience[sudden ? 'sudden' : 'ordered']);
  const result: Result = { command: plan.command, ending: plan.ending, at: round(plan.at), exit, clean, left };
  results.push(result);
  if (sudden) {
    // Later runs make pods of their own.
    const its = pods().map(({ name }) => name);
    const lookAgain = () =>
      leftOf({ marker: run.marker, pods: watch.pods().filter(({ name }) => its.includes(name)), namespace, clientPid, known }, kubectl);
    later.push(atDeadline(result, lookAgain, ended));
  }
  if (!json || Object.keys(left).length > 0)
    console.error(
      `${results.length} ${prefix} ${plan.command}, ${plan.ending} at ${round(plan.at)} s: exit ${exit}, clean after ${clean} s ${Object.keys(left).length > 0 ? `LEFT ${JSON.stringify(left)}` : ''}`,
    );
}

/** Until nothing is left that may not be, or patience ends. */
async function settle(
  look: () => Promise<Left>,
  judged: (left: Left) => Partial<Left>,
  ended: number,
  limit: number,
): Promise<{ clean: number; left: Partial<Left> }> {
  for (;;) {
    const left = filled(judged(await look()));
    const seconds = round((performance.now() - ended) / 1000);
    const isOthers = Object.keys(left).every((kind) => kind === 'instances' || kind === 'files');
    if (Object.keys(left).length === 0 || seconds > (isOthers ? patience.others : limit)) return { clean: seconds, left };
    await pause(400);
  }
}

/** Until a pod's deadline, its main process sleeps. */
const withoutPods = ({ pods: _, ended: __, ...rest }: Left): Partial<Left> => ({
  ...rest,
  processes: rest.processes.filter((process) => !/^\d+ (sleep \d+|sh -c exec sleep \d+|\/pause)$/.test(process)),
});

async function atDeadline(result: Result, look: () => Promise<Left>, ended: number): Promise<void> {
  await pause(deadlineOf(result.command) * 1000 - (performance.now() - ended));
  const { left } = await settle(look, ({ ended: _, ...rest }) => rest, performance.now(), kubeletSlack);
  Object.assign(result.left, left);
}

const filled = (left: Partial<Left>): Partial<Left> => Object.fromEntries(Object.entries(left).filter(([, items]) => items.length > 0));
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
const round = (value: number): number => Math.round(value * 100) / 100;

async function must(kubectl: Kubectl, args: readonly string[], input?: string): Promise<void> {
  const { exitCode, stderr } = await kubectl(args, input);
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
}

function summary(): object {
  const kinds = ['tcpdump', 'processes', 'local', 'instances', 'files', 'pods', 'ended'] as const;
  const leaks = results.filter(({ left }) => kinds.some((kind) => left[kind] !== undefined));
  const of = (ending: Ending) => {
    const rows = results.filter((result) => result.ending === ending);
    return {
      runs: rows.length,
      left: leaks.filter((result) => result.ending === ending).length,
      slowest: Math.max(0, ...rows.map(({ clean }) => clean)),
    };
  };
  return {
    seed,
    clusters: prefixes.length,
    runs: results.length,
    runsThatLeft: leaks.length,
    left: Object.fromEntries(kinds.map((kind) => [kind, leaks.filter(({ left }) => left[kind] !== undefined).length])),
    commands: Object.fromEntries(chosen.map((command) => [command, results.filter((result) => result.command === command).length])),
    endings: Object.fromEntries(endings.map((ending) => [ending, of(ending)])),
    leaks,
  };
}

await Promise.all(prefixes.map(work));
console.log(json ? JSON.stringify(summary()) : JSON.stringify(summary(), null, 2));
process.exitCode = results.some(({ left }) => Object.keys(left).length > 0) ? 1 : 0;
