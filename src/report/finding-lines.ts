import type { Finding } from '../schema/report.ts';
import { evidenceLines } from './evidence-lines.ts';
import { paragraph, screenRows } from './layout.ts';
import type { Layout } from './sections.ts';
import { stepLines } from './steps.ts';
import { count, describePlace } from './words.ts';

/** Rows of the smallest terminal that people still have. */
export const SCREEN_ROWS = 24;

const CONSEQUENCES_SHOWN = 3;
const FEWEST_EVIDENCE_ROWS = 3;

/**
 * One fault in the manner of rustc: the id and what is wrong, where, the proving lines with their line numbers, what follows, what to type
 * next. At `verbose` 0 the evidence is cut so that all up to the first command fits into `rows`.
 *
 * @param titled false where the line above says the same already.
 */
export function faultLines(finding: Finding, layout: Layout, { rows, titled }: { rows: number; titled: boolean }): string[] {
  const { style, width, verbose } = layout;
  const head = [
    ...paragraph(titled ? finding.title : finding.slug, { label: `fault[${finding.id}]:`, hang: 2, width, paint: style.bad }),
    ...paragraph(describePlace(finding.where), { label: '-->', indent: 2, width, paint: style.faint }),
  ];
  const consequences = consequenceLines(finding.consequences, layout);
  const [first, ...others] = finding.next.map((command) => `    ${style.command(command)}`);
  const next = first === undefined ? [] : ['', '  next', first];
  const left = verbose > 0 ? Number.POSITIVE_INFINITY : rows - screenRows([...head, ...consequences, ...next], width);
  const evidence = evidenceLines(finding.evidence, layout, Math.max(left, FEWEST_EVIDENCE_ROWS));
  return [...head, ...evidence, ...consequences, ...next, ...others, ...fixLines(finding, layout)];
}

/** A note: one sentence and its place; with `verbose` also its evidence. */
export function noteLines(finding: Finding, layout: Layout): string[] {
  const { style, width, verbose } = layout;
  return [
    ...paragraph(`${finding.title} (${describePlace(finding.where)})`, {
      label: `note[${finding.id}]:`,
      indent: 2,
      hang: 2,
      width,
      paint: style.unsure,
    }),
    ...(verbose > 0
      ? evidenceLines(finding.evidence, layout, Number.POSITIVE_INFINITY)
      : evidenceLines(finding.evidence.slice(0, 1), layout, 3)),
  ];
}

function consequenceLines(consequences: readonly string[], { width, verbose }: Layout): string[] {
  const shown = verbose > 0 ? consequences : consequences.slice(0, CONSEQUENCES_SHOWN);
  const rest = consequences.length - shown.length;
  return [
    ...shown.flatMap((consequence) => paragraph(consequence, { label: '= so:', indent: 2, width })),
    ...(rest > 0 ? [`  = so: … ${count(rest, 'more consequence')} (-v shows all)`] : []),
  ];
}

function fixLines({ id, fix }: Finding, { style, width }: Layout): string[] {
  const steps = stepLines(fix, { indent: 4, width, style });
  return [
    ...(steps.length === 0 ? [] : ['  fix (k8snet changes nothing itself)', ...steps]),
    `  ${style.faint(`more: k8snet explain ${id}`)}`,
  ];
}
