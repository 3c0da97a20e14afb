import type { VerifyReport } from '../schema/verify.ts';
import { evidenceLines } from './evidence-lines.ts';
import { paragraph, table, usableWidth } from './layout.ts';
import { bulletSection, type Layout, section } from './sections.ts';
import { stepLines } from './steps.ts';
import { createStyle, paintState, type RenderOptions } from './style.ts';
import { count, someOf, verifyWord } from './words.ts';

/** Findings of one kind beyond this many are counted, unless more is asked for. */
const FINDINGS_SHOWN = 10;
const EVIDENCE_ROWS = 12;

type Finding = VerifyReport['findings'][number];

/** The report of `k8snet verify` for a person at a terminal: verdict, each finding with its lines, then the nodes. */
export function renderVerifyText(report: VerifyReport, { color, width, verbose }: RenderOptions): string {
  const layout: Layout = { style: createStyle(color), width: usableWidth(width), verbose };
  const shown = verbose > 0 ? report.findings : report.findings.slice(0, FINDINGS_SHOWN);
  const rest = report.findings.length - shown.length;
  return `${[
    ...headLines(report, layout),
    ...shown.flatMap((finding) => ['', ...findingLines(finding, layout, finding.title !== report.verdict.summary)]),
    ...(rest > 0 ? ['', `${count(rest, 'more finding')} (-v shows all)`] : []),
    ...nodeLines(report, layout),
    ...bulletSection('Not checked', [...report.notChecked.map(({ what, why }) => `${what}: ${why}`), ...report.coverage.lost], layout),
    '',
    ...paragraph(`${report.timing.seconds.toFixed(1)} s; k8snet ${report.k8snet}`, { label: 'Took:', width: layout.width }),
  ].join('\n')}\n`;
}

function headLines(report: VerifyReport, { style, width }: Layout): string[] {
  const { verdict, scope } = report;
  const looked = `${count(scope.services, 'Service')}${scope.allServices ? ' (all of the cluster)' : ''} on ${count(scope.nodes.length, 'node')}: ${someOf(scope.nodes, 6)}`;
  return [
    ...paragraph(verdict.summary, { label: `${verifyWord(report)}:`, hang: 2, width, paint: paintState(style, verdict.status) }),
    ...paragraph(looked, { indent: 2, width }),
  ];
}

/** @param titled false where the line above says the same already. */
function findingLines(finding: Finding, layout: Layout, titled: boolean): string[] {
  const { style, width, verbose } = layout;
  const { kind, severity, title, evidence, next, fix } = finding;
  const paint = severity === 'fault' ? style.bad : style.unsure;
  const [first, ...others] = next;
  const commands = first === undefined ? [] : ['', '  next', ...[first, ...others].map((command) => `    ${style.command(command)}`)];
  const whole = severity === 'fault' || kind === 'stopped-after' || verbose > 0;
  return [
    ...paragraph(titled ? title : `on node ${finding.node}`, { label: `${severity}[${kind}]:`, hang: 2, width, paint }),
    ...(whole ? evidenceLines(evidence, layout, verbose > 0 ? Number.POSITIVE_INFINITY : EVIDENCE_ROWS) : []),
    ...peerLines(finding, layout),
    ...frontLines(finding, layout),
    ...(whole ? [...commands, '  fix (k8snet changes nothing itself)', ...stepLines(fix, { indent: 4, width, style })] : []),
  ];
}

/** What other nodes do with the same Services tells a node's own trouble from one of the whole cluster. */
function peerLines({ node, peers }: Finding, { width }: Layout): string[] {
  const words = [
    ...(peers.right.length > 0
      ? [`${someOf(peers.right, 6)} ${peers.right.length === 1 ? 'does' : 'do'} as the API means: ${node} differs from its peers`]
      : []),
    ...(peers.alike.length > 0 ? [`${someOf(peers.alike, 6)} ${peers.alike.length === 1 ? 'has' : 'have'} the same`] : []),
  ];
  return words.flatMap((text) => paragraph(text, { label: '= peers:', indent: 2, width }));
}

function frontLines({ fronts }: Finding, { width, verbose }: Layout): string[] {
  if (fronts.length < 2) return [];
  const text = verbose > 0 ? fronts.join('; ') : someOf(fronts, 3);
  return paragraph(text, { label: '= for:', indent: 2, width });
}

function nodeLines({ nodes }: VerifyReport, layout: Layout): string[] {
  const rows = nodes.map(({ name, family, mode, state, fronts, flows, agree, detail }) => [
    {
      text: state === 'differs' ? 'DIFFERS' : state,
      paint: paintState(layout.style, state === 'as-intended' ? 'ok' : state === 'differs' ? 'failed' : state),
    },
    { text: name },
    { text: family },
    { text: mode ?? '-' },
    { text: detail ?? `${agree} of ${flows} walks to ${count(fronts, 'front')} end as the API means` },
  ]);
  return section('Nodes', layout, table(rows, { indent: 2, width: layout.width }));
}
