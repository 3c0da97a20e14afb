import type { Finding } from '../schema/report.ts';
import { captureSentences } from './capture.ts';
import { faultLines, noteLines, SCREEN_ROWS } from './finding-lines.ts';
import { cut, paragraph, screenRows, usableWidth } from './layout.ts';
import { probeSummary } from './probes.ts';
import { type CleanReport, mapStrings } from './sanitize.ts';
import { accessLines, bulletSection, type Layout, pathLines, probeLines, section } from './sections.ts';
import { seeMore } from './see-more.ts';
import { createStyle, paintState, type RenderOptions } from './style.ts';
import { walkLines } from './walk.ts';
import { count, describeClient, describeGaps, describeTarget, describeTiming, verdictLabel } from './words.ts';

/**
 * The report for a person at a terminal. The first screen (24 rows of 80 columns) answers what is wrong, where, what proves it, what follows
 * from it, and what to type next; everything below only backs that up.
 */
export function renderText(report: CleanReport, { color, width, verbose }: RenderOptions): string {
  const layout = { style: createStyle(color), width: usableWidth(width), verbose };
  const shown = verbose > 1 ? report : shortened(report);
  return `${[...headLines(shown, layout), ...bodyLines(shown, layout)].join('\n')}\n`;
}

/** No sentence needs more than this; an error text that a cluster made may have any length. */
const LONGEST_SENTENCE = 1000;

/** Quoted lines are cut where they are laid out, and a command that was cut would be a wrong command. */
function shortened(report: CleanReport): CleanReport {
  return mapStrings(report, (text, key) => (['text', 'command', 'next', 'fix'].includes(key) ? text : cut(text, LONGEST_SENTENCE)));
}

function bodyLines(report: CleanReport, layout: Layout): string[] {
  switch (report.verdict.status) {
    case 'healthy':
      return healthyLines(report, layout);
    case 'fault':
      return [
        ...allFaultLines(report, layout),
        ...backing(report, layout),
        ...gapSection('Not checked', report, layout),
        ...closing(report, layout),
      ];
    case 'unknown':
      return [...unknownLines(report, layout), ...backing(report, layout), ...closing(report, layout)];
  }
}

function headLines(report: CleanReport, { style, width }: Layout): string[] {
  const { status, confidence, summary } = report.verdict;
  const asked = `${describeTarget(report)}, from ${describeClient(report)}${status === 'healthy' ? '' : `; confidence ${confidence}`}`;
  const told = status === 'unknown' ? `could not tell. ${summary.replace(/^could not tell: /, '')}` : summary;
  return [
    ...paragraph(told, { label: verdictLabel(report), hang: 2, width, paint: paintState(style, status) }),
    ...paragraph(asked, { indent: 2, width }),
  ];
}

function allFaultLines(report: CleanReport, layout: Layout): string[] {
  const faults = report.findings.filter(({ severity }) => severity === 'fault');
  if (faults.length === 0) {
    return ['', ...paragraph('No check names the cause; the failing probes below show how far requests get.', { width: layout.width })];
  }

  const several = faults.length > 1 ? [`  ${count(faults.length, 'fault')}: ${faults.map(({ id }) => id).join(', ')}`] : [];
  const above = screenRows([...headLines(report, layout), ...several], layout.width);
  return [...several, ...faults.flatMap((fault, index) => ['', ...faultLines(fault, layout, budget(fault, index, above, report))])];
}

/** The first fault gets what the head leaves of the first screen. */
function budget(fault: Finding, index: number, above: number, { verdict }: CleanReport): { rows: number; titled: boolean } {
  return { rows: index === 0 ? SCREEN_ROWS - above - 1 : SCREEN_ROWS, titled: !sameSentence(fault.title, verdict.summary) };
}

function sameSentence(one: string, other: string): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[\s.]/gu, '');
  return plain(one) === plain(other);
}

function healthyLines(report: CleanReport, layout: Layout): string[] {
  const { width, verbose } = layout;
  if (verbose > 0) {
    return [
      ...noteSection(report, layout),
      ...backing(report, layout),
      ...gapSection('Not checked', report, layout),
      ...closing(report, layout),
    ];
  }

  const notes = report.findings.map(({ id, title }) => `${id} ${title}`);
  const gaps = describeGaps(report);
  const ruledOut = report.ruledOut.map(({ what }) => what);
  const tell = (label: string, text: string) => (text === '' ? [] : paragraph(text, { label: label.padEnd(12), indent: 2, width }));
  return [
    ...tell('probes', probeSummary(report)),
    ...tell('ruled out', ruledOut.join(', ')),
    ...notes.flatMap((note) => tell('note', note)),
    ...(gaps.length > 2
      ? tell('not checked', `${count(gaps.length, 'thing')}; -v lists them`)
      : gaps.flatMap((gap) => tell('not checked', gap))),
    ...tell('took', `${describeTiming(report, { phases: false })}; k8snet ${report.k8snet}`),
  ];
}

function unknownLines(report: CleanReport, layout: Layout): string[] {
  const { style, width } = layout;
  const { steps, commands } = seeMore(report);
  return [
    ...gapSection('Why k8snet could not tell', report, layout),
    ...section('To see more', layout, [
      ...steps.flatMap((step) => paragraph(step, { label: '-', indent: 2, width })),
      ...commands.map((command) => `    ${style.command(command)}`),
    ]),
  ];
}

/** What stands behind the verdict: the way of the request, the probes, and what they rule out. */
function backing(report: CleanReport, layout: Layout): string[] {
  const ruledOut = report.ruledOut.map(({ what, by }) => `${what}: ${by}`);
  return [
    ...pathLines(report, layout),
    ...walkLines(report.walk, layout),
    ...probeLines(report, layout),
    ...(report.capture ? bulletSection('Captured on the way', captureSentences(report.capture, report.witnesses), layout) : []),
    ...bulletSection('Ruled out', ruledOut, layout),
  ];
}

function closing(report: CleanReport, layout: Layout): string[] {
  return [...(report.verdict.status === 'healthy' ? [] : noteSection(report, layout)), ...accessLines(report, layout)];
}

function noteSection(report: CleanReport, layout: Layout): string[] {
  const notes = report.findings.filter(({ severity }) => severity === 'note');
  return section(
    report.verdict.status === 'unknown' ? 'Notes (odd; whether they matter could not be told)' : 'Notes (odd, but not the cause)',
    layout,
    notes.flatMap((note) => noteLines(note, layout)),
  );
}

function gapSection(title: string, report: CleanReport, layout: Layout): string[] {
  return bulletSection(title, describeGaps(report), layout);
}
