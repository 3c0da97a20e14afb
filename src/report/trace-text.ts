import { type Fate, fateOf } from '../model/trace.ts';
import type { TraceReport } from '../schema/trace.ts';
import type { TraceHop, TraceWay } from '../schema/way.ts';
import { evidenceLines } from './evidence-lines.ts';
import { paragraph, table, usableWidth } from './layout.ts';
import { bulletSection, type Layout } from './sections.ts';
import { createStyle, type RenderOptions } from './style.ts';
import { doingsOf, hopKey, inOrder, percent, placeOf } from './trace-words.ts';
import { count } from './words.ts';

const EVIDENCE_ROWS = 14;
/** Ways of one disposition beyond this many are one line each, unless more is asked for. */
const WAYS_SHOWN = 2;

/** The journey as a person would draw it: each hop one line, where it ends and why, the deciding lines; with `-v` the lines of every step. */
export function renderTraceText(report: TraceReport, { color, width, verbose }: RenderOptions): string {
  const layout: Layout = { style: createStyle(color), width: usableWidth(width), verbose };
  const ways = inOrder(report.ways);
  const assumed = [...new Set(ways.flatMap((way) => way.assumed))];
  return `${[
    ...headLines(report, layout),
    ...ways.flatMap((way, index) => wayLines(way, index, ways, layout)),
    ...bulletSection('Taken for granted', assumed, layout),
    ...bulletSection('Not seen', report.coverage.lost, layout),
    ...(report.timing.seconds > 0
      ? ['', ...paragraph(`${report.timing.seconds.toFixed(1)} s; k8snet ${report.k8snet}`, { label: 'Took:', width: layout.width })]
      : []),
  ].join('\n')}\n`;
}

const paintFate = ({ good, bad, unsure }: Layout['style'], fate: Fate) => ({ delivered: good, lost: bad, unknown: unsure })[fate];

function headLines({ verdict, flow }: TraceReport, { style, width }: Layout): string[] {
  const paint = paintFate(style, verdict.status);
  const size = flow.length === null ? '' : flow.length === 'full' ? ', full size' : `, ${flow.length} bytes`;
  const asked = `${flow.from} -> ${flow.to}, ${flow.protocol}${flow.packet === 'reply' ? ', the answer only' : ''}${size}`;
  return [
    ...paragraph(verdict.summary, { label: `${verdict.status.toUpperCase()}:`, hang: 2, width, paint }),
    ...paragraph(asked, { indent: 2, width }),
  ];
}

function wayLines(way: TraceWay, index: number, ways: readonly TraceWay[], layout: Layout): string[] {
  const { style, width, verbose } = layout;
  const alike = ways.slice(0, index).filter(({ disposition }) => disposition === way.disposition).length;
  const paint = paintFate(style, fateOf(way.disposition));
  const label = ways.length > 1 ? `way ${index + 1} of ${ways.length}, ${percent(way.share)}, ${way.disposition}:` : `${way.disposition}:`;
  const head = paragraph(way.why, { label, hang: 2, width, paint });
  if (alike >= WAYS_SHOWN && verbose === 0) return ['', ...head];
  const first = ways[0];
  const common = index === 0 || first === undefined ? 0 : commonHops(first, way);
  const skipped = common > 0 && verbose === 0 ? [`  ${style.faint(`${count(common, 'hop')} as on way 1`)}`] : [];
  const hops = verbose === 0 ? way.hops.slice(common) : way.hops;
  return [
    '',
    ...head,
    ...skipped,
    ...(verbose > 0 ? hops.flatMap((hop) => [...hopRows([hop], layout), ...stepLines(hop, layout)]) : hopRows(hops, layout)),
    ...endLines(way, layout),
  ];
}

function commonHops(one: TraceWay, other: TraceWay): number {
  const at = other.hops.findIndex((hop, index) => one.hops[index] === undefined || hopKey(hop) !== hopKey(one.hops[index]));
  return Math.max(0, at < 0 ? other.hops.length - 1 : at);
}

/** Each hop a row: the way it goes, the place, and what happens there; with `-v` the packet as it leaves. */
export const hopRows = (hops: readonly TraceHop[], { width, style, verbose }: Layout): string[] =>
  table(
    hops.map((hop) => [
      { text: hop.direction === 'request' ? '->' : '<-', paint: style.faint },
      { text: placeOf(hop) },
      { text: `${doingsOf(hop)}${verbose > 0 && hop.leaves !== '' ? ` [${hop.leaves}]` : ''}` },
    ]),
    { indent: 2, width, widest: 48 },
  );

export const stepLines = ({ steps }: TraceHop, layout: Layout): string[] =>
  steps.flatMap(({ says, evidence }) => [
    ...paragraph(says, { label: '-', indent: 5, width: layout.width }),
    ...evidenceLines(evidence, layout, Number.POSITIVE_INFINITY).map((line) => `     ${line}`),
  ]);

/** Where it ends: the deciding lines stand under the last hop even where nothing more is asked for. */
function endLines({ hops, disposition }: TraceWay, layout: Layout): string[] {
  const step = hops.at(-1)?.steps.at(-1);
  if (step === undefined || disposition === 'delivered' || layout.verbose > 0) return [];
  return evidenceLines(step.evidence, layout, EVIDENCE_ROWS);
}
