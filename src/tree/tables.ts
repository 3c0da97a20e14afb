import { type Facts, originKey } from '../facts/facts.ts';
import { isFailing, isPassing, type ProbeResult } from '../facts/probe-results.ts';
import { fateOf, type Hop, type Trace } from '../model/trace.ts';
import { traceFlow } from '../walk/trace.ts';
import type { JudgedFinding } from './judge.ts';
import { flowsOfProbes, type ProbeFlow } from './probe-flows.ts';
import { type End, type Heard, hasLines, hear, sharesLine, type Testimony } from './witnesses.ts';

/** A flow of the probes, the ways that the tables allow it, and how that fits. */
export interface WalkedFlow extends ProbeFlow {
  traces: Trace[];
  testimony: Testimony;
  heard: Heard;
}

/** More flows than this of failing probes, and of passing ones, tell nothing new. */
const mostFailing = 24;
const mostPassing = 16;
/** A Service with more endpoints is walked only where something fails. */
const mostEndpoints = 64;

/**
 * Follows the packets of the failing probes through the tables of the snapshot, and holds where they end against the findings. Where tables lose
 * packets, those of passing probes are followed too: lines by which they would be lost as well are no proof of anything.
 */
export function walkProbes(facts: Facts, symptoms: readonly ProbeResult[], findings: readonly JudgedFinding[]): WalkedFlow[] {
  const failing = flowsOfProbes(facts, symptoms.filter(isFailing))
    .slice(0, mostFailing)
    .map((flow) => walk(facts, flow));
  const wanted = symptoms.length === 0 ? smallService(facts) : failing.some(({ testimony }) => testimony.lost > 0);
  const passing = wanted ? passingFlows(facts, failing, symptoms.length === 0).map((flow) => walk(facts, flow)) : [];
  const refuted = passing.map((flow) => ({ ...flow, heard: hear(flow.testimony, flow.probes, findings) }));
  // Of ways that chance chooses among, the tries may have met the right ones.
  const contradicted = refuted.filter(({ heard, testimony }) => heard.agreement === 'witness-loses' && testimony.lost > 1 - 1e-9);
  const wrong = contradicted.flatMap(({ testimony }) => testimony.ends);
  const told = failing.map((flow) => {
    const testimony = without(flow.testimony, wrong);
    return { ...flow, testimony, heard: hear(testimony, flow.probes, findings) };
  });
  const telling = symptoms.length === 0 ? ['both-pass', 'witness-loses'] : ['witness-loses'];
  return [...told, ...refuted.filter(({ heard }) => telling.includes(heard.agreement))];
}

type Walk = Omit<WalkedFlow, 'heard'>;

function walk(facts: Facts, { flow, probes }: ProbeFlow): Walk {
  const traces = traceFlow(facts, flow);
  return { flow, probes, traces, testimony: testimonyOf(traces) };
}

function passingFlows(facts: Facts, failing: readonly Walk[], healthy: boolean): ProbeFlow[] {
  // The answer to a ping may be cut into fragments, and a ping that passes tells nothing of full-size packets back.
  const own = facts.probes.filter((probe) => isPassing(probe) && probe.stage !== 'payload' && originKey(probe) === facts.client.origin);
  const known = new Set(failing.map(({ flow }) => JSON.stringify(flow)));
  const stages = healthy ? own.filter(({ stage }) => stage === 'service') : own;
  return flowsOfProbes(facts, stages)
    .filter(({ flow }) => !known.has(JSON.stringify(flow)))
    .slice(0, mostPassing);
}

const smallService = ({ target: { endpoints } }: Facts): boolean => endpoints.state === 'seen' && endpoints.value.length <= mostEndpoints;

/** What the tables say of a flow: shares of its ways, and the different ends of those that are lost. */
export function testimonyOf(traces: readonly Trace[]): Testimony {
  const lost = traces.filter(({ disposition }) => fateOf(disposition) === 'lost');
  const unknown = traces.filter(({ disposition }) => fateOf(disposition) === 'unknown');
  const share = (part: readonly Trace[]): number => part.reduce((sum, trace) => sum + trace.share, 0);
  const ends = new Map(lost.map((trace) => [trace.why, endOf(trace)]));
  const nodes = [...new Set(traces.flatMap(({ hops }) => hops.flatMap(nodeOf)))].join(', ');
  return {
    by: 'by the tables',
    lost: share(lost),
    unknown: share(unknown),
    ends: [...ends.values()].flatMap((end) => end ?? []),
    open: `the rules, routes and devices of ${nodes} leave the way there and back open`,
    doubt: unknown[0]?.why ?? null,
  };
}

const nodeOf = ({ place }: Hop): string[] => (place.kind === 'node' ? [place.name] : []);

function endOf({ hops, why }: Trace): End | undefined {
  const last = hops.at(-1);
  if (last === undefined) return undefined;
  const steps = hops.flatMap((hop) => hop.steps);
  return {
    place: last.place,
    says: why,
    evidence: last.steps.at(-1)?.evidence ?? [],
    ledBy: steps.slice(0, -1).flatMap((step) => step.evidence),
  };
}

/** A testimony without the ends that passing probes have refuted. */
function without(testimony: Testimony, wrong: readonly End[]): Testimony {
  const isRefuted = ({ evidence: [ref] }: End): boolean =>
    ref !== undefined &&
    hasLines(ref) &&
    wrong.some(({ evidence: [other] }) => other !== undefined && hasLines(other) && sharesLine(ref, other));
  const ends = testimony.ends.filter((end) => !isRefuted(end));
  if (ends.length === testimony.ends.length) return testimony;
  const doubt = 'the tables end it where other tries were seen to pass';
  return { ...testimony, ends, doubt, ...(ends.length > 0 ? {} : { lost: 0, unknown: testimony.lost + testimony.unknown }) };
}
