import type { Evidence } from '../schema/evidence.ts';
import type { Finding } from '../schema/report.ts';
import { captureSentences } from './capture.ts';
import { WHOLE_OUTPUT } from './evidence-lines.ts';
import { cut } from './layout.ts';
import { codeBlock, codeSpan, escapeHtml, escapeProse, tableCell } from './markdown-escape.ts';
import { fitInto, type Limits } from './markdown-limits.ts';
import { probeRows } from './probes.ts';
import type { CleanReport } from './sanitize.ts';
import { seeMore } from './see-more.ts';
import type { RenderOptions } from './style.ts';
import { doingsOf, placeOf } from './trace-words.ts';
import { sentencesOf, waysOf } from './walk.ts';
import {
  count,
  describeAccess,
  describeClient,
  describeGaps,
  describePlace,
  describeTarget,
  describeTiming,
  verdictLabel,
} from './words.ts';

/** GitHub refuses a longer issue or comment ("body is too long (maximum is 65536 characters)"). */
const MOST_CHARACTERS = 65_536;
const CUT = '_This report was cut to fit into a ticket, evidence first; `k8snet … -o json` has all of it._';

/** The report as GitHub Flavored Markdown for an incident ticket: at most 65,536 characters, and pasting it pings nobody and links nothing. */
export function renderMarkdown(report: CleanReport, { verbose }: RenderOptions): string {
  return fitInto(MOST_CHARACTERS, CUT, (limits) => sectionsOf(report, verbose, limits));
}

function* sectionsOf(report: CleanReport, verbose: number, limits: Limits): Generator<string> {
  const unknown = report.verdict.status === 'unknown';
  yield* head(report, limits);
  yield* findingSections(report, limits);
  yield* unknown ? unknownSections(report, limits) : [];
  yield pathTable(report, limits);
  yield* walkSections(report, limits, verbose);
  yield probeTable(report, limits, verbose);
  yield report.capture ? bullets('Captured on the way', captureSentences(report.capture, report.witnesses), limits) : '';
  yield bullets(
    'Ruled out',
    report.ruledOut.map(({ what, by }) => `${what}: ${by}`),
    limits,
  );
  yield unknown ? '' : bullets('Not checked', describeGaps(report), limits);
  yield closing(report, limits);
}

function head(report: CleanReport, limits: Limits): string[] {
  const { status, confidence, summary } = report.verdict;
  const told = status === 'unknown' ? `could not tell. ${summary.replace(/^could not tell: /, '')}` : summary;
  const asked = `${describeTarget(report)}, from ${describeClient(report)}`;
  return [
    `## ${verdictLabel(report)} ${prose(told, limits)}`,
    `${prose(asked, limits)}${status === 'fault' ? `. Confidence: **${confidence}**` : ''}`,
  ];
}

function* findingSections({ findings, verdict }: CleanReport, limits: Limits): Generator<string> {
  if (verdict.status === 'fault' && !findings.some(({ severity }) => severity === 'fault')) {
    yield 'No check names the cause; the failing probes show how far requests get.';
  }

  for (const finding of findings.slice(0, limits.findings)) {
    yield findingSection(finding, limits);
  }

  const rest = findings.length - limits.findings;
  yield rest > 0 ? `_${count(rest, 'more finding')} cut._` : '';
}

/** One finding as one section, so that its folded evidence is never cut in the middle. */
function findingSection(finding: Finding, limits: Limits): string {
  const { id, severity, title, where, evidence, consequences, next, fix } = finding;
  const proof = evidence.map((item, index) => foldedEvidence(item, limits, severity === 'fault' && index === 0));
  return [
    `### ${severity === 'fault' ? 'Fault' : 'Note'} ${escapeProse(id)}: ${prose(title, limits)}`,
    `**Where:** ${codeSpan(cut(describePlace(where), limits.proseCharacters))}`,
    ...proof.slice(0, limits.items),
    list('Therefore', consequences, limits),
    next.length === 0
      ? ''
      : `**Next:**\n\n${codeBlock(
          next.slice(0, limits.items).map((command) => cut(command, limits.proseCharacters)),
          'sh',
        )}`,
    list('To mend it', fix, limits, '1.'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The proof of a fault is open, all else is folded. */
function foldedEvidence({ command, on, lines }: Evidence, limits: Limits, open: boolean): string {
  const shown = lines.slice(0, limits.evidenceLines);
  const rest = lines.length - shown.length;
  const gutter = shown.reduce((widest, { number }) => Math.max(widest, String(number).length), 0);
  const quoted = shown.map(({ number, text }) => `${String(number).padStart(gutter)} | ${cut(text, limits.evidenceCharacters)}`);
  return [
    `<details${open ? ' open' : ''}><summary><code>${escapeHtml(cut(command, limits.proseCharacters))}</code> on <code>${escapeHtml(cut(on, limits.proseCharacters))}</code></summary>`,
    codeBlock(lines.length === 0 ? [WHOLE_OUTPUT] : [...quoted, ...(rest > 0 ? [`… ${count(rest, 'more line')} cut`] : [])]),
    '</details>',
  ].join('\n\n');
}

function unknownSections(report: CleanReport, limits: Limits): string[] {
  const { steps, commands } = seeMore(report);
  return [
    bullets('Why k8snet could not tell', describeGaps(report), limits),
    bullets('To see more', steps, limits),
    commands.length === 0
      ? ''
      : codeBlock(
          commands.slice(0, limits.items).map((command) => cut(command, limits.proseCharacters)),
          'sh',
        ),
  ];
}

/** The way that tells most, or with -v every one, a table each; and what comparing probes and tables says. */
function* walkSections({ walk }: CleanReport, limits: Limits, verbose: number): Generator<string> {
  if (walk === undefined) return;
  for (const { head, way } of waysOf(walk).slice(0, verbose > 0 ? limits.items : 1))
    yield table(
      `Way of the packet, by the tables: ${prose(head, limits)}`,
      ['Way', 'Place', 'What happens'],
      way.hops.map((hop) => [hop.direction, placeOf(hop), doingsOf(hop)]),
      limits,
    );
  yield bullets('Probes and tables', sentencesOf(walk, verbose), limits);
}

function closing(report: CleanReport, limits: Limits): string {
  const access = `Looked through ${prose(describeAccess(report), limits)}.`;
  return `${access} Started ${prose(report.timing.startedAt, limits)}, took ${prose(describeTiming(report), limits)}. k8snet ${prose(report.k8snet, limits)}.`;
}

function pathTable({ path }: CleanReport, limits: Limits): string {
  return table(
    'Path of a request',
    ['State', 'Stage', 'What'],
    path.map(({ state, stage, what }) => [state, stage, what]),
    limits,
  );
}

function probeTable({ probes }: CleanReport, limits: Limits, verbose: number): string {
  const rows = probeRows(probes, { each: verbose > 0 });
  return table(
    'Probes',
    ['State', 'Succeeded', 'Stage', 'From', 'To', 'Outcome'],
    rows.map(({ state, tries, stage, from, to, outcome }) => [state, tries, stage, from, to, outcome]),
    limits,
  );
}

function table(title: string, columns: readonly string[], rows: readonly (readonly string[])[], limits: Limits): string {
  if (rows.length === 0) {
    return '';
  }

  const rest = rows.length - limits.items;
  return [
    `### ${title}`,
    '',
    row(columns),
    row(columns.map(() => '---')),
    ...rows.slice(0, limits.items).map((cells) => row(cells.map((cell) => tableCell(prose(cell, limits))))),
    ...(rest > 0 ? ['', `_${count(rest, 'more row')} cut._`] : []),
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function bullets(title: string, items: readonly string[], limits: Limits): string {
  return items.length === 0 ? '' : `### ${title}\n\n${listItems(items, limits, '-')}`;
}

function list(title: string, items: readonly string[], limits: Limits, mark = '-'): string {
  return items.length === 0 ? '' : `**${title}:**\n\n${listItems(items, limits, mark)}`;
}

function listItems(items: readonly string[], limits: Limits, mark: string): string {
  const rest = items.length - limits.items;
  return [
    ...items.slice(0, limits.items).map((item) => `${mark} ${prose(item, limits)}`),
    ...(rest > 0 ? [`- _${count(rest, 'more')} cut_`] : []),
  ].join('\n');
}

function prose(text: string, limits: Limits): string {
  return escapeProse(cut(text, limits.proseCharacters));
}
