import type { Facts } from '../facts/facts.ts';
import { type Fate, type Flow, fateOf, type Hop, type Trace } from '../model/trace.ts';
import { percent } from '../report/trace-words.ts';
import type { TraceWay } from '../schema/way.ts';
import { quoteEvidence } from './quote.ts';

export const describeSource = ({ from }: Flow): string =>
  from.kind === 'outside' ? from.address : from.kind === 'node' ? `node ${from.name}` : `pod ${from.namespace}/${from.name}`;

export function describeTarget({ to }: Flow): string {
  const port = to.port === undefined ? '' : `:${to.port}`;
  if (to.kind === 'address') return to.address.includes(':') && port !== '' ? `[${to.address}]${port}` : `${to.address}${port}`;
  return `${to.kind === 'service' ? 'Service' : 'pod'} ${to.namespace}/${to.name}${port}`;
}

/** A trace in its published form, with the lines that it rests on. */
export function toWay(facts: Facts, { share, disposition, why, hops, assumed }: Trace): TraceWay {
  return { share: Math.round(share * 1e6) / 1e6, disposition, why, hops: hops.map((hop) => toHop(facts, hop)), assumed };
}

function toHop(facts: Facts, { place, direction, arrives, leaves, steps }: Hop): TraceWay['hops'][number] {
  return {
    ...place,
    direction,
    arrives,
    leaves,
    steps: steps.map(({ kind, says, brief, evidence, passes }) => ({
      kind,
      says,
      brief,
      evidence: evidence.flatMap((reference) => quoteEvidence(facts, reference) ?? []),
      device: passes ? { name: passes.device, direction: passes.direction } : null,
    })),
  };
}

/** What becomes of a flow on all of its ways, in a word and a sentence. */
export function summarize(traces: readonly Trace[]): { status: Fate; summary: string } {
  const lost = traces.filter(({ disposition }) => fateOf(disposition) === 'lost');
  const unknown = traces.filter(({ disposition }) => fateOf(disposition) === 'unknown');
  const rest = (others: number, part: readonly Trace[]): string => (others > 0 ? `${shareOf(part)} of the packets: ` : '');
  const [first] = lost;
  if (first) return { status: 'lost', summary: `${rest(traces.length - lost.length, lost)}${first.why}${more(lost)}` };
  const [doubtful] = unknown;
  if (doubtful) return { status: 'unknown', summary: `${rest(traces.length - unknown.length, unknown)}${doubtful.why}${more(unknown)}` };
  const [only] = traces;
  if (only === undefined) return { status: 'unknown', summary: 'there is no way to follow' };
  return { status: 'delivered', summary: traces.length === 1 ? only.why : `all ${traces.length} ways get there and back` };
}

const more = (traces: readonly Trace[]): string => {
  const others = new Set(traces.map(({ why }) => why)).size - 1;
  return others > 0 ? `; and ${others} more` : '';
};

const shareOf = (traces: readonly Pick<Trace, 'share'>[]): string => percent(traces.reduce((sum, { share }) => sum + share, 0));
