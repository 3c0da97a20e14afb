import type { WalkedFlow, WalkReport } from '../schema/walk-report.ts';
import type { TraceWay } from '../schema/way.ts';
import { paragraph } from './layout.ts';
import { bulletSection, type Layout, section } from './sections.ts';
import { hopRows, stepLines } from './trace-text.ts';
import { percent } from './trace-words.ts';

/** One way of a flow as the report shows it: the line above it, and its hops. */
export interface ShownWay {
  head: string;
  way: TraceWay;
}

/** Sentences beyond this many are counted. */
const mostSentences = 6;

/**
 * The way of the packet through the tables: for one look the way that tells most, hop by hop, and what follows from comparing tables and probes; with
 * `verbose` every way of every flow, with the lines of each step.
 */
export function walkLines(walk: WalkReport | undefined, layout: Layout): string[] {
  if (walk === undefined) return [];
  const { width, verbose } = layout;
  const shown = verbose > 0 ? waysOf(walk) : waysOf(walk).slice(0, 1);
  const ways = shown.flatMap(({ head, way }) => [
    ...paragraph(head, { indent: 2, hang: 2, width }),
    ...(verbose > 0 ? way.hops.flatMap((hop) => [...hopRows([hop], layout), ...stepLines(hop, layout)]) : hopRows(way.hops, layout)),
  ]);
  return [
    ...section('Way of the packet, by the tables', layout, ways),
    ...bulletSection('Probes and tables', sentencesOf(walk, verbose), layout),
  ];
}

/** The ways to show, the most telling first: those that end before, those that can't be told, those that get there. */
export function waysOf({ flows }: WalkReport): ShownWay[] {
  const rank = ({ status }: WalkedFlow): number => ['partly', 'lost', 'unknown', 'delivered'].indexOf(status);
  const ordered = [...flows].filter(({ agreement }) => agreement !== 'witness-loses').sort((a, b) => rank(a) - rank(b));
  return ordered.flatMap((flow) => flow.ways.map((way) => ({ head: headOf(flow, way), way })));
}

/** The share of one way among several says something only where the others end otherwise. */
const headOf = ({ from, to, protocol, length, status }: WalkedFlow, { share, disposition, why }: TraceWay): string => {
  const size = length === null ? '' : `, ${length} bytes`;
  const ofAll = status === 'lost' ? `no packet gets there; ${percent(share)} of them ` : `${percent(share)} of the packets `;
  const part = share === 1 || status === 'delivered' ? '' : ofAll;
  return `${from} -> ${to} (${protocol}${size}): ${part}${disposition === 'delivered' ? 'get there and back' : `${disposition}: ${why}`}`;
};

/** What follows from comparing what the probes saw with what the tables say. */
export function sentencesOf({ says }: WalkReport, verbose: number): string[] {
  const shown = verbose > 0 ? says : says.slice(0, mostSentences);
  const rest = says.length - shown.length;
  return rest > 0 ? [...shown, `and ${rest} more (-v shows them)`] : shown;
}
