import type { Facts } from '../facts/facts.ts';
import type { VerifyFinding } from '../intent/findings.ts';
import { type Fate, fateOf, type Trace } from '../model/trace.ts';
import type { WalkedFlow as PublishedFlow, WalkReport } from '../schema/walk-report.ts';
import { publishDifference } from './rules.ts';
import type { WalkedFlow } from './tables.ts';
import { describeSource, describeTarget, summarize, toWay } from './ways.ts';
import type { Testimony } from './witnesses.ts';

/** Ways of one flow that are told hop by hop: those that matter, and of each other kind a few. */
const mostLost = 4;
const mostOthers = 2;
const mostFlows = 12;

/** What the tables say of the probes' packets, in the published form; undefined where nothing was followed. */
export function buildWalkReport(facts: Facts, walked: readonly WalkedFlow[], rules: readonly VerifyFinding[]): WalkReport | undefined {
  if (walked.length === 0 && rules.length === 0) return undefined;
  return {
    flows: walked.slice(0, mostFlows).map((flow) => toFlow(facts, flow)),
    intent: rules.map((finding) => publishDifference(facts, finding)),
    says: [
      ...sentencesOf(walked),
      ...rules.map(({ title, severity }) => `rules against the API${severity === 'settling' ? ' (settling)' : ''}: ${title}`),
    ],
  };
}

function toFlow(facts: Facts, { flow, probes, traces, testimony, heard }: WalkedFlow): PublishedFlow {
  const chosen = chooseWays(traces);
  return {
    from: describeSource(flow),
    to: describeTarget(flow),
    protocol: flow.protocol,
    length: typeof flow.length === 'number' ? flow.length : null,
    probes: probes.map(({ id }) => id),
    status: statusOf(testimony),
    summary: summarize(traces).summary,
    agreement: heard.agreement,
    says: heard.says,
    ways: chosen.map((trace) => toWay(facts, trace)),
    moreWays: traces.length - chosen.length,
  };
}

function chooseWays(traces: readonly Trace[]): Trace[] {
  const of = (fate: Fate): Trace[] => traces.filter(({ disposition }) => fateOf(disposition) === fate);
  return [...of('lost').slice(0, mostLost), ...of('unknown').slice(0, mostOthers), ...of('delivered').slice(0, mostOthers)];
}

function statusOf({ lost, unknown }: Testimony): PublishedFlow['status'] {
  if (lost === 0) return unknown > 0 ? 'unknown' : 'delivered';
  return lost > 1 - 1e-9 ? 'lost' : 'partly';
}

/** One sentence for all flows of which the same is to be said. */
function sentencesOf(walked: readonly WalkedFlow[]): string[] {
  const groups = new Map<string, WalkedFlow[]>();
  for (const item of walked.filter(({ heard }) => heard.agreement !== 'both-pass'))
    groups.set(item.heard.says, [...(groups.get(item.heard.says) ?? []), item]);
  return [...groups].map(([says, items]) => {
    const [first] = items;
    const more = items.length > 1 ? ` and ${items.length - 1} more` : '';
    return `${first ? `${describeSource(first.flow)} -> ${describeTarget(first.flow)}` : ''}${more}: ${says}`;
  });
}
