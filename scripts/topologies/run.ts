import { createFacts } from '../../src/facts/facts.ts';
import type { Trace } from '../../src/model/trace.ts';
import { traceFlow } from '../../src/walk/trace.ts';
import { randomOf } from '../fuzz/random.ts';
import { build, destroy, fileOf, run, wireFile } from './build.ts';
import { collect } from './collect.ts';
import { defectOf } from './defects.ts';
import { compare, flowOf, type Verdict } from './judge.ts';
import { type Lab, startLab } from './lab.ts';
import { type Plan, planOf, podPort } from './plan.ts';

/** One topology with its defect, and what came of it. */
export interface Outcome {
  index: number;
  plan: Plan;
  defect: string;
  verdict: Verdict;
  traces: Trace[];
}

/** Carrier and routes follow a device that goes down with up to a second's delay (net/core/link_watch.c). */
const settling = 1.3;
const waiting = 0.5;

/** Makes topologies `first` to `first + count - 1` of a seed one after the other, and hands each outcome on. Needs root; leaves nothing behind. */
export async function runTopologies(seed: number, first: number, count: number, tell: (outcome: Outcome) => void): Promise<void> {
  const lab = startLab();
  try {
    for (let index = first; index < first + count; index += 1) tell(await runOne(lab, seed, index));
  } finally {
    await lab.end();
    destroy();
  }
}

async function runOne(lab: Lab, seed: number, index: number): Promise<Outcome> {
  const random = randomOf(seed, index);
  const plan = planOf(random);
  const defect = defectOf(plan, random);
  const all = filesOf([...plan.nodes, ...plan.pods].map(({ name }) => name));
  const sourcePort = 20_000 + (index % 40_000);
  try {
    build(plan);
    const pods = plan.pods.filter((pod) => pod !== defect.deaf);
    if (plan.flow.protocol !== 'icmp') await lab.listen(filesOf(pods.map(({ name }) => name)), plan.flow.protocol, podPort);
    if (plan.warm)
      await lab.warm(
        all,
        plan.pods.map(({ address }) => address),
      );
    run(defect.changes);
    if (defect.settles) await new Promise((resolve) => setTimeout(resolve, settling * 1000));
    const snapshot = collect(plan);
    const { from, protocol, to, port, length } = plan.flow;
    const probed = await lab.probe({
      namespaces: all,
      from: 'outside' in from ? wireFile : fileOf('pod' in from ? from.pod.name : from.node.name),
      protocol,
      to,
      port,
      sourcePort,
      length,
      seconds: waiting,
    });
    const traces = traceFlow(createFacts(snapshot), flowOf(plan, sourcePort));
    return { index, plan, defect: defect.name, traces, verdict: compare(traces, probed) };
  } finally {
    await lab.close();
    destroy();
  }
}

const filesOf = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, fileOf(name)]));
