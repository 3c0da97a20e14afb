import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { clusterExec } from '../test/cluster/access.ts';
import { type Expected, isRight, type Row, readAccuracy, type Said, writeAccuracy } from './accuracy-table.ts';
import { argument } from './arguments.ts';

/**
 * Breaks the real cluster in every known way, diagnoses it with the built CLI and real kubectl, mends it and diagnoses again; in both modes of
 * kube-proxy. Rows go to docs/accuracy.json as they are made (a run that was interrupted is taken up again with --resume; those of --only replace theirs alone), the table
 * to docs/accuracy.md.
 *
 *   npm run accuracy -- [--mode iptables|nftables] [--only ID,ID…] [--resume] [--reverse] [--keep] [--capture] [--out docs/accuracy.json] [--bundles DIRECTORY]
 *
 * --capture adds that option to each diagnosis of a broken cluster, whose verdict has to be the same with captures; of rows that are there it fills that column alone.
 * --bundles keeps what each diagnosis collected, with where it is from: fixtures for the checks' tests.
 */
interface FaultTruth extends Expected {
  id: string;
  modes: string[];
  backends: string[];
  diagnose: string[];
}
const has = (name: string): boolean => process.argv.includes(`--${name}`);
const out = argument('out') ?? 'docs/accuracy.json';
const modes = argument('mode')?.split(',') ?? ['iptables', 'nftables'];
const only = argument('only')?.split(',');
const prefix = argument('prefix') ?? process.env.PREFIX ?? 'k8snet';
const backend = argument('backend') ?? 'vxlan';
process.env.PREFIX = prefix;

async function cluster(mode: string, args: string[], timeout = 400_000) {
  return execa('test/cluster/cluster.sh', args, {
    reject: false,
    timeout,
    env: { PREFIX: prefix, MODE: mode, BACKEND: backend },
    all: true,
  });
}

async function diagnose(
  args: readonly string[],
): Promise<{ said: Said; seconds: number; findings: { slug: string; severity: string }[]; text: string }> {
  const started = performance.now();
  const limit = args.includes('--timeout') ? [] : ['--timeout', '3m'];
  const result = await clusterExec([process.execPath, 'bin/k8snet.js', 'diagnose', ...args, '-o', 'json', ...limit], { timeout: 240_000 });
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  try {
    const report = JSON.parse(result.stdout) as {
      verdict: { layer: string | null; summary: string };
      findings: { slug: string; severity: string }[];
    };
    const faults = report.findings.filter((finding) => finding.severity === 'fault').map((finding) => finding.slug);
    return {
      said: { layer: report.verdict.layer, id: faults, exit: result.exitCode ?? -1 },
      seconds,
      findings: report.findings,
      text: report.verdict.summary,
    };
  } catch {
    return { said: { layer: null, id: [], exit: result.exitCode ?? -1 }, seconds, findings: [], text: result.stderr.slice(-500) };
  }
}

function keepBundle(mode: string, fault: FaultTruth): string[] {
  const directory = argument('bundles');
  if (directory === undefined) return [];
  mkdirSync(directory, { recursive: true });
  const name = join(directory, `${fault.id}-${mode}`);
  const origin = {
    how: `test/cluster (Kubernetes 1.36, kube-proxy in ${mode} mode, flannel ${backend}): fault ${fault.id}, diagnosed with --record`,
    recorded: new Date().toISOString().slice(0, 10),
    truth: fault.truth.map((item) => `${item.layer}|${item.check}|${item.where}`).join(' and '),
    expect: fault.expect,
  };
  writeFileSync(`${name}.origin.json`, `${JSON.stringify(origin, null, 2)}\n`);
  return ['--record', `${name}.tgz`];
}

async function run(mode: string, faults: readonly FaultTruth[], rows: Row[]): Promise<void> {
  const up = await cluster(mode, ['up'], 600_000);
  if (up.exitCode !== 0 && !/up already/.test(String(up.all)))
    throw new Error(`the cluster did not come up: ${String(up.all).slice(-800)}`);
  for (const fault of faults) {
    if (has('resume') && rows.some((row) => row.case === fault.id && row.mode === mode && row.right)) continue;
    const broken = await cluster(mode, ['break', fault.id]);
    const verdict =
      broken.exitCode === 0
        ? await diagnose([...fault.diagnose, ...(has('capture') ? ['--capture'] : []), ...keepBundle(mode, fault)])
        : { said: { layer: null, id: [], exit: -1 }, seconds: 0, findings: [], text: `break failed: ${String(broken.all).slice(-300)}` };
    const mended = await cluster(mode, ['mend', fault.id]);
    if (mended.exitCode !== 0) await cluster(mode, ['heal']);
    let after = await diagnose(fault.diagnose);
    if (after.said.exit !== 0) {
      await cluster(mode, ['heal']);
      after = await diagnose(fault.diagnose);
    }
    const notFault =
      fault.expect === 'finding'
        ? fault.truth.map(({ check }) => check)
        : fault.expect === 'note'
          ? fault.truth.map(({ check }) => `${check} (note)`)
          : [];
    const row: Row = {
      case: fault.id,
      mode,
      expected: { layer: fault.expect === 'finding' ? (fault.truth[0]?.layer ?? null) : null, id: notFault },
      got: verdict.said,
      mended: { exit: after.said.exit, findings: after.said.id },
      right: isRight(fault, verdict.said, verdict.findings) && after.said.exit === 0 && after.said.id.length === 0,
      seconds: verdict.seconds,
    };
    const at = rows.findIndex((known) => known.case === row.case && known.mode === row.mode);
    const known = rows[at];
    if (has('capture')) row.withCapture = row.right ? 'right' : 'wrong';
    if (known) rows[at] = row.withCapture ? { ...known, withCapture: row.withCapture } : { ...known, ...row };
    else rows.push(row);
    writeAccuracy(out, rows);
    console.log(
      `${row.right ? 'right' : 'WRONG'}  ${mode}  ${fault.id}  expected ${row.expected.id.join('+') || 'healthy'}  got ${row.got.id.join('+') || `exit ${row.got.exit}`}  mended ${after.said.exit}${after.said.id.length > 0 ? ` (${after.said.id.join('+')})` : ''}  ${row.seconds} s${row.right ? '' : `  ${verdict.text}`}`,
    );
  }
}

const all = JSON.parse((await execa('test/cluster/cluster.sh', ['faults', '--json'])).stdout) as FaultTruth[];
const rows: Row[] = has('resume') || has('capture') || only ? readAccuracy(out) : [];
for (const mode of modes) {
  const faults = (has('reverse') ? [...all].reverse() : all).filter(
    (fault) =>
      fault.expect !== 'watch' && fault.modes.includes(mode) && fault.backends.includes(backend) && (!only || only.includes(fault.id)),
  );
  try {
    await run(mode, faults, rows);
  } finally {
    if (!has('keep')) await cluster(mode, ['down']);
  }
}
const wrong = rows.filter((row) => !row.right || row.withCapture === 'wrong');
console.log(JSON.stringify({ rows: rows.length, right: rows.length - wrong.length, wrong: wrong.map((row) => `${row.mode}/${row.case}`) }));
process.exitCode = wrong.length > 0 ? 1 : 0;
