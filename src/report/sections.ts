import type { Report } from '../schema/report.ts';
import { groupBy } from './group.ts';
import { paragraph, table } from './layout.ts';
import { probeRows } from './probes.ts';
import { paintState, type Style } from './style.ts';
import { describeAccess, describeClient, describeTiming } from './words.ts';

/** What every part of the text report needs to know to lay itself out. */
export interface Layout {
  style: Style;
  width: number;
  verbose: number;
}

/** More steps of one kind and state than this are counted instead of listed, but for the first ones. */
const ALIKE_LISTED = 6;
const ALIKE_SHOWN = 3;
const BULLETS_SHOWN = 12;

type Step = Report['path'][number];

/** A heading and its lines, with an empty line above; nothing at all when there are no lines. */
export function section(title: string, { style }: Layout, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', style.heading(title), ...lines];
}

export function bulletSection(title: string, items: readonly string[], layout: Layout): string[] {
  const shown = layout.verbose > 0 ? items : items.slice(0, BULLETS_SHOWN);
  const rest = items.length - shown.length;
  return section(title, layout, [
    ...shown.flatMap((item) => paragraph(item, { label: '-', indent: 2, width: layout.width })),
    ...(rest > 0 ? [`  - and ${rest} more (-v shows them)`] : []),
  ]);
}

/** The way of the request, one step a row; many steps of one kind and state (endpoints, mostly) are counted instead of listed. */
export function pathLines({ path }: Report, layout: Layout): string[] {
  const groups = [...groupBy(path, ({ stage, state }) => JSON.stringify([stage, state])).values()];
  const listed = layout.verbose > 0 || groups.every((steps) => steps.length <= ALIKE_LISTED);
  const steps = listed ? path : groups.flatMap(countAlike);
  const rows = steps.map(({ stage, what, state }) => [stateCell(state, layout.style), { text: stage }, { text: what }]);
  return section('Path of a request', layout, table(rows, { indent: 2, width: layout.width }));
}

/** The probes, failing ones first, under the place from which they were made. */
export function probeLines({ probes }: Report, layout: Layout): string[] {
  return [...groupBy(probes, ({ from }) => from)].flatMap(([from, made]) => {
    const shown = probeRows(made, { each: layout.verbose > 0 });
    const widest = Math.max(...shown.map(({ tries }) => tries.length));
    const rows = shown.map(({ state, tries, stage, outcome, to }) => [
      stateCell(state, layout.style),
      { text: tries.padStart(widest) },
      { text: stage },
      { text: outcome },
      { text: to },
    ]);
    return section(`Probes from ${from}`, layout, table(rows, { indent: 2, width: layout.width }));
  });
}

/** From where and how k8snet looked, and how long that took. */
export function accessLines(report: Report, layout: Layout): string[] {
  const lines = {
    Client: `${describeClient(report)} (${report.from.why})`,
    'Looked through': describeAccess(report),
    Took: `${describeTiming(report)}; k8snet ${report.k8snet}`,
  };
  return ['', ...Object.entries(lines).flatMap(([label, text]) => paragraph(text, { label: `${label}:`, hang: 2, width: layout.width }))];
}

function countAlike(steps: readonly [Step, ...Step[]]): readonly Step[] {
  const rest = steps.length - ALIKE_SHOWN;
  return steps.length <= ALIKE_LISTED ? steps : [...steps.slice(0, ALIKE_SHOWN), { ...steps[0], what: `and ${rest} more (-v lists them)` }];
}

/** Failure is told in capitals, so that it stands out without colour too. */
function stateCell(state: string, style: Style): { text: string; paint: (text: string) => string } {
  return { text: state === 'failed' ? 'FAILED' : state, paint: paintState(style, state) };
}
