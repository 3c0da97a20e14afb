import type { NetfilterRuleset } from '../model/netfilter.ts';
import type { Difference } from './compare.ts';
import { listed } from './compare.ts';
import { expectedOutcome } from './expected.ts';
import type { FrontFlow } from './flows.ts';
import { walkFlow } from './found.ts';
import type { Front, NodePlan } from './node-plan.ts';
import type { NodeTables } from './node-tables.ts';
import { isOfKubeProxy, partWriters, type Writer, withoutTranslation, writersOf } from './writers.ts';

export interface Tried {
  front: Front;
  flow: FrontFlow;
}

/** The writers of a node: the one that kube-proxy keeps up to date now, and those that it has left behind. */
export interface Writers {
  current: Writer[];
  leftover: Writer[];
  /** The node's rules without the translation that was left behind: what is judged against the intent. */
  rulesets: NetfilterRuleset[];
}

/**
 * Parts the places that hold Service rules by kube-proxy's mode. Where both backends of iptables hold them, the one that does more of what the
 * API means is taken for the living one.
 */
export function chooseWriters(plan: NodePlan, tables: NodeTables, tried: readonly Tried[]): Writers {
  const parted = partWriters(writersOf(tables.rulesets, plan.family), plan.settings.mode);
  const [best, ...others] = parted.current
    .map((writer) => ({ writer, right: parted.current.length > 1 ? countRight(plan, tables, writer, tried) : 0 }))
    .sort((a, b) => b.right - a.right)
    .map(({ writer }) => writer);
  const leftover = [...parted.leftover, ...others];
  const left = new Set(leftover.map(({ ruleset }) => ruleset));
  return {
    current: best === undefined ? [] : [best],
    leftover,
    rulesets: tables.rulesets.map((ruleset) => (left.has(ruleset) ? withoutTranslation(ruleset) : ruleset)),
  };
}

/** Every front that rules left behind translate by themselves: two translations of one packet, of which the older is never mended. */
export function doubledBy(plan: NodePlan, tables: NodeTables, writer: Writer, tried: readonly Tried[]): Difference[] {
  const seen = new Set<Front>();
  return tried.flatMap(({ front, flow }): Difference[] => {
    if (seen.has(front)) return [];
    const found = walkFlow(plan, tables, flow, [writer.ruleset]);
    const own = [...found.endpoints].filter(([, { decision }]) => isOfKubeProxy(decision)).map(([key]) => key);
    if (own.length === 0) return [];
    seen.add(front);
    const expected = expectedOutcome(plan, flow);
    return [
      {
        kind: 'doubled',
        front,
        flow,
        found,
        endpoints: own,
        expects: expected.kind,
        is: `is translated to ${listed(own)} by rules that another ${writer.mode === 'nftables' || plan.settings.mode === 'nftables' ? 'mode' : 'backend'} of kube-proxy has left`,
        should: `to be translated by ${plan.settings.mode} mode alone`,
      },
    ];
  });
}

function countRight(plan: NodePlan, tables: NodeTables, writer: Writer, tried: readonly Tried[]): number {
  return tried.filter(({ flow }) => {
    const expected = expectedOutcome(plan, flow);
    if (expected.kind !== 'translated') return false;
    const found = walkFlow(plan, tables, flow, [writer.ruleset]);
    return found.endpoints.size === expected.endpoints.size && [...expected.endpoints.keys()].every((key) => found.endpoints.has(key));
  }).length;
}
