import type { Finding, Report } from '../../src/schema/report.ts';
import { samples } from './samples.ts';

/** Text that a cluster could hold (labels, annotations, logs, error texts) and that must do nothing where a report is shown. */
export const NASTY = [
  'plain',
  '\u001B[2J\u001B[1;31mred\u001B[0m',
  '\u001B]0;title\u0007after',
  '\u001B]8;;https://evil.example\u001B\\link\u001B]8;;\u001B\\',
  '\u009B31mC1\u009D0;title\u009C',
  '\u202Egnp.exe\u202C \u2066isolate\u2069',
  'zero\u200Bwidth\uFEFF\u2060',
  'line\nbreak\r\nand\u2028more',
  'tab\there',
  '@everyone @org/team',
  '#123 org/repo#1 GH-99 group/project!7 owner/repo@0123abc',
  'https://github.com/org/repo/issues/1 www.example.com a@b.example',
  '| a | b |',
  '` `` ``` ```` ~~~~',
  '<script>alert(1)</script><img src=x onerror=y> &amp; &lt;',
  '*bold* _it_ [link](https://evil.example) ![img](x) ~~gone~~ $x$ :tada: fd00:100:1::5',
  '# heading',
  '- item',
  '1. item',
  '---',
  '> quote',
  '</details></summary>',
] as const;

const [base] = samples['cni-fdb-wrong']().findings as [Finding];

/** Every string that a report can take from a cluster is nasty. */
export function nastyReport(): Report {
  const report = samples['cni-fdb-wrong']();
  const all = NASTY.join(' ');
  return {
    ...report,
    verdict: { ...report.verdict, summary: all },
    target: { ...report.target, name: all },
    from: { ...report.from, name: all, why: all },
    findings: NASTY.map((text) => ({
      ...base,
      title: text,
      where: { kind: text, namespace: text, name: text, node: text },
      evidence: [{ command: text, on: text, lines: NASTY.map((line, index) => ({ number: index + 1, text: line })) }],
      consequences: [...NASTY],
      next: [...NASTY],
      fix: [...NASTY],
    })),
    probes: NASTY.map((text, index) => ({
      id: `${index}`,
      stage: 'endpoint',
      from: text,
      to: text,
      protocol: text,
      tries: 1,
      succeeded: 0,
      outcome: text,
      milliseconds: null,
    })),
    path: NASTY.map((text) => ({ stage: text, what: text, state: 'failed' })),
    ruledOut: NASTY.map((text) => ({ what: text, by: text })),
    notChecked: NASTY.map((text) => ({ what: text, why: text })),
    coverage: { ...report.coverage, lost: [...NASTY], nodes: NASTY.map((text) => ({ name: text, access: text, detail: text })) },
  };
}

/** So many quoted lines that no ticket takes them. */
export function longReport(lines = 10_000, text = '02:00:00:00:00:02 dev flannel.1 dst 192.168.1.99 self permanent'): Report {
  const quoted = Array.from({ length: lines }, (_, index) => ({ number: index + 1, text }));
  return {
    ...samples['cni-fdb-wrong'](),
    findings: [{ ...base, evidence: [{ command: 'bridge fdb show', on: 'node n1', lines: quoted }] }],
  };
}

/** Everything is too much: findings, lists, and single texts of a hundred thousand characters. */
export function hugeReport(): Report {
  const report = samples['cni-fdb-wrong']();
  const text = '<|`@x '.repeat(20_000);
  const many = Array.from({ length: 20 }, () => text.slice(0, 3000));
  const finding: Finding = {
    ...base,
    title: text,
    where: { kind: 'rule', name: text },
    evidence: many.slice(0, 3).map((command) => ({ command, on: command, lines: [{ number: 1, text }] })),
    consequences: many,
    next: many,
    fix: many,
  };
  return {
    ...report,
    verdict: { ...report.verdict, summary: text },
    findings: Array.from({ length: 12 }, () => finding),
    path: many.map((what) => ({ stage: 'endpoint', what, state: 'failed' })),
    ruledOut: many.map((what) => ({ what, by: what })),
  };
}
