import type { VerifyReport } from '../schema/verify.ts';
import { WHOLE_OUTPUT } from './evidence-lines.ts';
import { cut } from './layout.ts';
import { codeBlock, codeSpan, escapeHtml, escapeProse, tableCell } from './markdown-escape.ts';
import { fitInto, type Limits } from './markdown-limits.ts';
import { count, someOf, verifyWord } from './words.ts';

const MOST_CHARACTERS = 65_536;
const CUT = '_This report was cut to fit into a ticket, evidence first; `k8snet verify -o json` has all of it._';

type Finding = VerifyReport['findings'][number];

/** The report of `k8snet verify` as GitHub Flavored Markdown for a ticket. */
export const renderVerifyMarkdown = (report: VerifyReport): string => fitInto(MOST_CHARACTERS, CUT, (limits) => sectionsOf(report, limits));

function* sectionsOf(report: VerifyReport, limits: Limits): Generator<string> {
  const { verdict, scope, findings, notChecked } = report;
  yield `## ${verifyWord(report)}: ${prose(verdict.summary, limits)}`;
  yield prose(`${count(scope.services, 'Service')} on ${count(scope.nodes.length, 'node')}: ${someOf(scope.nodes, 6)}`, limits);
  for (const finding of findings.slice(0, limits.findings)) yield findingSection(finding, limits);
  if (findings.length > limits.findings) yield `_${count(findings.length - limits.findings, 'more finding')} cut._`;
  yield nodeTable(report, limits);
  if (notChecked.length > 0)
    yield ['### Not checked', ...notChecked.slice(0, limits.items).map(({ what, why }) => `- ${prose(`${what}: ${why}`, limits)}`)].join(
      '\n',
    );
}

function findingSection({ kind, severity, title, evidence, peers, fronts, next, fix }: Finding, limits: Limits): string {
  return [
    `### ${severity === 'fault' ? 'Fault' : severity === 'note' ? 'Note' : 'Settling'} ${escapeProse(kind)}: ${prose(title, limits)}`,
    peers.right.length === 0 ? '' : `**Peers that do as the API means:** ${prose(someOf(peers.right, 6), limits)}`,
    fronts.length < 2 ? '' : `**For:** ${prose(someOf(fronts, 6), limits)}`,
    ...evidence.slice(0, limits.items).map((item, index) => quoted(item, limits, index === 0 && severity === 'fault')),
    next.length === 0 ? '' : `**Next:**\n\n${codeBlock(next, 'sh')}`,
    fix.length === 0 ? '' : `**To mend it:**\n\n${fix.map((step) => `1. ${prose(step, limits)}`).join('\n')}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The proof of a fault is open, all else is folded. */
function quoted({ command, on, lines }: Finding['evidence'][number], limits: Limits, open: boolean): string {
  const shown = lines
    .slice(0, limits.evidenceLines)
    .map(({ number, text }) => `${String(number).padStart(5)} | ${cut(text, limits.evidenceCharacters)}`);
  return [
    `<details${open ? ' open' : ''}><summary><code>${escapeHtml(command)}</code> on <code>${escapeHtml(on)}</code></summary>`,
    codeBlock(lines.length === 0 ? [WHOLE_OUTPUT] : shown),
    '</details>',
  ].join('\n\n');
}

function nodeTable({ nodes }: VerifyReport, limits: Limits): string {
  const rows = nodes
    .slice(0, limits.items)
    .map(({ name, family, mode, state, flows, agree, detail }) =>
      [codeSpan(name), family, mode ?? '-', state, detail === null ? `${agree} of ${flows}` : prose(detail, limits)]
        .map(tableCell)
        .join(' | '),
    );
  return [
    '### Nodes',
    '',
    '| node | family | mode | state | walks as the API means |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

const prose = (text: string, limits: Limits): string => escapeProse(cut(text, limits.proseCharacters));
