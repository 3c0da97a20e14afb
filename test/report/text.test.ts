import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderReport, reportFormats } from '../../src/report/index.ts';
import type { Report } from '../../src/schema/report.ts';
import { hugeReport, longReport, nastyReport } from './hostile.ts';
import { samples } from './samples.ts';

const PLAIN = { color: false, width: 80, verbose: 0 };
const names = Object.keys(samples) as (keyof typeof samples)[];

const text = (report: Report, options = {}) => renderReport(report, 'text', { ...PLAIN, ...options });
const rowsOnScreen = (line: string, width = 80) => Math.max(1, Math.ceil(Array.from(line).length / width));

/** The row of the screen on which a line ends that satisfies `wanted`. */
function rowOf(output: string, wanted: (line: string) => boolean): number {
  const lines = output.split('\n');
  const index = lines.findIndex(wanted);
  return index === -1 ? Number.POSITIVE_INFINITY : lines.slice(0, index + 1).reduce((rows, line) => rows + rowsOnScreen(line), 0);
}

it('knows its formats', () => {
  expect(reportFormats).toEqual(['text', 'json', 'markdown']);
});

describe.each(names)('text report of %s', (name) => {
  it.each([80, 120])('reads as agreed at %i columns', async (width) => {
    await expect(await text(samples[name](), { width })).toMatchFileSnapshot(`golden/${name}.${width}.txt`);
  });

  it('says the same with colour', async () => {
    const painted = await text(samples[name](), { color: true });
    expect(painted).toContain('\u001B[');
    expect(stripVTControlCharacters(painted)).toBe(await text(samples[name]()));
  });

  it('gives status and layer in the first line', async () => {
    const { verdict } = samples[name]();
    const [first = ''] = (await text(samples[name]())).split('\n');
    expect(first.startsWith(verdict.status.toUpperCase())).toBe(true);
  });

  it('shows every quoted line, whole and on one line, when asked for all', async () => {
    const report = samples[name]();
    const lines = (await text(report, { verbose: 2, width: 40 })).split('\n');
    for (const quoted of report.findings.flatMap(({ evidence }) => evidence.flatMap((item) => item.lines))) {
      expect(lines.some((line) => line.endsWith(`${quoted.number} | ${quoted.text}`.trimEnd()))).toBe(true);
    }
  });

  it('never breaks a command', async () => {
    const report = samples[name]();
    const output = await text(report, { width: 40 });
    for (const command of report.findings.filter(({ severity }) => severity === 'fault').flatMap(({ next }) => next)) {
      expect(output).toContain(`\n    ${command}\n`);
    }
  });

  it('keeps prose within the width', async () => {
    const report = samples[name]();
    const unbroken = new Set(
      report.findings.flatMap(({ next, fix, evidence }) => [
        ...next,
        ...fix.flatMap((step) => step.match(/(?<=`)kubectl [^`]+(?=`$)/u) ?? []),
        ...evidence.flatMap(({ command, lines }) => [command, ...lines.map((line) => line.text.trimEnd())]),
      ]),
    );
    const wide = (await text(report)).split('\n').filter((line) => line.length > 80);
    expect(wide.filter((line) => ![...unbroken].some((part) => line.endsWith(part)))).toEqual([]);
  });
});

describe('the first screen', () => {
  const faulty = names.filter((name) => samples[name]().findings.some(({ severity }) => severity === 'fault'));

  it.each(faulty)('of %s holds the verdict, the place, the first proof, what follows, and the next command', async (name) => {
    const report = samples[name]();
    const [fault] = report.findings;
    const output = await text(report);
    expect(rowOf(output, (line) => line.includes('-->'))).toBeLessThanOrEqual(24);
    expect(rowOf(output, (line) => line.endsWith(fault?.evidence[0]?.lines[0]?.text.trimEnd() ?? '?'))).toBeLessThanOrEqual(24);
    expect(rowOf(output, (line) => line.includes('= so: '))).toBeLessThanOrEqual(24);
    expect(rowOf(output, (line) => line === `    ${fault?.next[0]}`)).toBeLessThanOrEqual(24);
  });

  it('still holds the next command under 10,000 lines of evidence', async () => {
    const output = await text(longReport());
    expect(rowOf(output, (line) => line.startsWith('    kubectl get node n2'))).toBeLessThanOrEqual(24);
    expect(output).toMatch(/… 9,?99\d more lines/u);
  });

  it('still holds the next command under one very long line', async () => {
    const output = await text(longReport(1, 'x'.repeat(100_000)));
    expect(rowOf(output, (line) => line.startsWith('    kubectl get node n2'))).toBeLessThanOrEqual(24);
    expect(output).toContain('(99520 more characters)');
    expect(await text(longReport(1, 'x'.repeat(100_000)), { verbose: 2 })).toContain('x'.repeat(100_000));
  });
});

describe('healthy', () => {
  it.each(['healthy-notes', 'healthy-plain'] as const)('%s takes 5 to 8 lines', async (name) => {
    const lines = (await text(samples[name]())).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(5);
    expect(lines.length).toBeLessThanOrEqual(8);
  });

  it('never hides that something was not checked', async () => {
    const report = samples['healthy-notes']();
    const gaps = Array.from({ length: 5 }, (_, index) => ({ what: `thing ${index}`, why: 'forbidden' }));
    expect(await text({ ...report, notChecked: gaps })).toContain('5 things; -v lists them');
    expect(await text({ ...report, notChecked: gaps }, { verbose: 1 })).toContain('  - thing 4: forbidden\n');
  });

  it('shows the evidence of notes when asked', async () => {
    expect(await text(samples['healthy-notes'](), { verbose: 1 })).toContain('node n3 $ conntrack -C\n     1 | 212337\n');
  });
});

describe('unknown', () => {
  it('says so, why, and what to do', async () => {
    const output = await text(samples['unknown-forbidden']());
    expect(output).toMatch(/^UNKNOWN: could not tell\./u);
    expect(output).toContain('cannot create');
    expect(output).toContain('\n    kubectl auth can-i create pods/exec -n default\n');
    expect(output).not.toMatch(/healthy|no fault/iu);
  });

  it.each([
    ['client-pod', 'kubectl auth can-i create pods -n default'],
    ['host-network-pod', 'kubectl auth can-i create pods -n default'],
    ['node-pod', 'kubectl describe node n2'],
    ['recording', 'A recording holds only what was seen'],
  ] as const)('with access by %s points at what would show more', async (access, advice) => {
    const report = samples['unknown-forbidden']();
    const nodes = [{ name: 'n2', access: 'none', detail: 'timeout after 30 s' }];
    expect(await text({ ...report, coverage: { ...report.coverage, access, nodes } })).toContain(advice);
  });
});

describe('single cases', () => {
  it('tells a whole output, which has no line to quote, from nothing', async () => {
    const report = samples['cni-fdb-wrong']();
    const [finding] = report.findings;
    const evidence = [{ command: 'ip route show 10.244.2.0/24', on: 'node n1', lines: [] }];
    const output = await text({ ...report, findings: finding === undefined ? [] : [{ ...finding, evidence }] });
    expect(output).toContain('  node n1 $ ip route show 10.244.2.0/24\n     - | (the output as a whole)\n');
  });

  it('calls a probe without tries unknown, and not failed', async () => {
    const report = samples['unknown-forbidden']();
    const probes = [
      {
        id: 'p1',
        stage: 'service' as const,
        from: 'pod default/client',
        to: '10.96.251.77:80',
        protocol: 'TCP',
        tries: 0,
        succeeded: 0,
        outcome: 'not tried',
        milliseconds: null,
      },
    ];
    expect(await text({ ...report, probes })).toContain('unknown  0/0  service  not tried  10.96.251.77:80 TCP');
  });

  it('names a node or no client as where it asked from', async () => {
    const report = samples['cni-fdb-wrong']();
    expect(await text({ ...report, from: { kind: 'Node', name: 'n1', node: 'n1', why: 'no pod to ask from' } })).toContain('from node n1;');
    expect(await text({ ...report, from: { kind: 'none', name: '', node: null, why: 'none allowed' } })).toContain('from no client;');
  });

  it('counts long lists and long consequences instead of listing them', async () => {
    const report = samples['cni-fdb-wrong']();
    const [finding] = report.findings;
    const ruledOut = Array.from({ length: 30 }, (_, index) => ({ what: `cause ${index}`, by: 'a look' }));
    const consequences = Array.from({ length: 9 }, (_, index) => `consequence ${index}`);
    const output = await text({ ...report, ruledOut, findings: finding === undefined ? [] : [{ ...finding, consequences }] });
    expect(output).toContain('  - and 18 more (-v shows them)\n');
    expect(output).toContain('  = so: … 6 more consequences (-v shows all)\n');
  });

  it('takes a width that is no number as 80', async () => {
    expect(await text(samples['cni-fdb-wrong'](), { width: Number.NaN })).toBe(await text(samples['cni-fdb-wrong']()));
  });
});

it('gives a command that ends a step a line of its own, without backticks', async () => {
  const output = await text(samples['cni-fdb-wrong']());
  expect(output).toContain('anew:\n       kubectl -n kube-flannel delete pod -l app=flannel --field-selector spec.nodeName=n1\n');
  expect(output).not.toContain('`kubectl');
  expect(await text(samples['app-loopback']())).toContain('such as `--bind` or `--host`.');
});

describe('hostile text', () => {
  it('reaches no terminal', async () => {
    for (const report of [nastyReport(), hugeReport()]) {
      const output = await text(report, { verbose: 2 });
      expect(output.replaceAll(/[\n\t]/gu, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('cannot forge a line of the report', async () => {
    const report = samples['cni-fdb-wrong']();
    const output = await text({ ...report, verdict: { ...report.verdict, summary: 'x\nHEALTHY: all is well' } });
    expect(output).not.toMatch(/^HEALTHY/mu);
  });

  it('does not fill the screen with one endless error text', async () => {
    const report = samples['unknown-forbidden']();
    const notChecked = [{ what: 'probes', why: 'x '.repeat(100_000) }];
    expect((await text({ ...report, notChecked })).length).toBeLessThan(5000);
    expect((await text({ ...report, notChecked }, { verbose: 2 })).length).toBeGreaterThan(200_000);
  });

  it('takes no long time', async () => {
    const start = process.cpuUsage();
    await text(hugeReport());
    await text(longReport(100_000), { verbose: 2 });
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  });
});
