import { compareFlow, type Difference } from './compare.ts';
import { frontEntries } from './entries.ts';
import { expectedOutcome } from './expected.ts';
import { createExplainer } from './explain.ts';
import { flowsOf, type Sources } from './flows.ts';
import { walkFlow } from './found.ts';
import { chooseWriters, doubledBy, type Tried, type Writers } from './leftovers.ts';
import type { NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import type { Explained } from './scene.ts';
import { doubt, type NodeVerification, type StaleFront } from './verification.ts';
import { verifyIpvs } from './verify-ipvs.ts';

/**
 * Holds the tables of one node against what the API says that its kube-proxy should do: a packet is walked to every front from a pod, from the
 * node itself and, where it is meant for them, from outside; where the walk parts from the intent, the chains explain it.
 *
 * @param servicesKnown that all Services of the cluster are in the plan, so that what no Service has can be told.
 */
export function verifyNode(plan: NodePlan, tables: NodeTables, sources: Sources, servicesKnown = false): NodeVerification {
  if (plan.settings.mode === 'ipvs') return verifyIpvs(plan, tables, servicesKnown);
  const tried = plan.fronts.flatMap((front) => flowsOf(plan, tables, front, sources).map((flow): Tried => ({ front, flow })));
  const writers = chooseWriters(plan, tables, tried);
  const explain = createExplainer(plan, tables, writers.current);
  const result: NodeVerification = {
    node: plan.node.name,
    fronts: plan.fronts,
    flows: tried.length,
    agree: 0,
    differences: [],
    unknown: new Map(),
    stale: servicesKnown ? staleFronts(plan, tables, writers) : [],
  };
  for (const item of tried) judge(plan, tables, writers, item, result, explain);
  // A rule that was not read may drop what the others let through: differences stand, agreement does not.
  for (const { detail } of tables.unread) for (const front of plan.fronts) doubt(result, detail, front);
  for (const writer of writers.leftover) {
    const doubled = doubledBy(plan, tables, writer, tried);
    result.differences.push(...doubled.map((difference) => ({ ...difference, difference, explained: explain(difference) })));
  }
  return result;
}

function judge(
  plan: NodePlan,
  tables: NodeTables,
  writers: Writers,
  { front, flow }: Tried,
  result: NodeVerification,
  explain: (difference: Difference) => Explained,
): void {
  const found = walkFlow(plan, tables, flow, writers.rulesets);
  const comparison = compareFlow(front, flow, expectedOutcome(plan, flow), found, tables.routesSure);
  if ('unknown' in comparison) {
    doubt(result, comparison.unknown, front);
    return;
  }
  const told = comparison.differences.map((difference) => ({ difference, explained: explain(difference) }));
  const wrong = told.filter(({ difference, explained }) => difference.harmless !== true || explained.kind === 'unhooked');
  if (wrong.length === 0) result.agree += 1;
  for (const { difference, explained } of wrong) {
    if (explained.doubt === undefined) result.differences.push({ front, flow, difference, explained });
    else doubt(result, explained.doubt, front);
  }
}

function staleFronts(plan: NodePlan, tables: NodeTables, { current }: Writers): StaleFront[] {
  const known = new Set(plan.fronts.map(({ address, protocol, port }) => `${address ?? 'node'} ${protocol} ${port}`));
  return current.flatMap((writer) =>
    [...frontEntries(writer, plan.family)].flatMap(([key, entries]) => {
      const [entry] = entries.filter(({ does }) => does === 'translate');
      if (entry === undefined || known.has(key)) return [];
      const { address, port, protocol, text, line } = entry;
      return [{ address, port, protocol, text, line, entry: tables.entryOf(writer.source) }];
    }),
  );
}
