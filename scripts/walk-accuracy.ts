import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { unpackSnapshot } from '../src/snapshot/archive.ts';
import type { Mark } from '../test/cluster/capture-truth.ts';
import { judgeWalk, type WalkedBundle } from '../test/cluster/walked-bundle.ts';
import { type Expected, isRight, readAccuracy, writeAccuracy } from './accuracy-table.ts';

/**
 * Judges recordings of the real cluster's faults (npm run accuracy -- --bundles DIRECTORY) once more without it: does the walk alone, to which no probe
 * is known, end at the place and on the line of the truth; does verify blame the rules it should; does the report quote the deciding line; and is the
 * verdict still right? Marks go to the rows of docs/accuracy.json as `walk`, `intent` and `quoted`.
 *
 *   npm run walk-accuracy -- DIRECTORY… [--out docs/accuracy.json] [--json]
 *
 * The last line is one JSON object. Exit code 1 when anything is wrong.
 */
interface Result {
  case: string;
  mode: string;
  verdict: Mark;
  walk: Mark;
  intent: Mark;
  quoted: Mark;
}

const args = process.argv.slice(2);
const at = args.indexOf('--out');
const out = at < 0 ? undefined : args[at + 1];
const json = args.includes('--json');
const directories = args.filter((arg, index) => !arg.startsWith('--') && index !== at + (at < 0 ? args.length : 1));
if (directories.length === 0) {
  console.error('usage: npm run walk-accuracy -- DIRECTORY… [--out docs/accuracy.json] [--json]');
  process.exit(2);
}

const results: Result[] = [];
for (const directory of directories)
  for (const file of readdirSync(directory)
    .filter((name) => name.endsWith('.tgz'))
    .sort()) {
    const [, id = '', mode = ''] = /^(.*)-(iptables|nftables)$/.exec(basename(file, '.tgz')) ?? [];
    const judged = judgeWalk(id, mode, unpackSnapshot(readFileSync(join(directory, file))));
    const { walk, intent, quoted } = judged;
    const result: Result = { case: id, mode, verdict: markVerdict(join(directory, file), judged), walk, intent, quoted };
    results.push(result);
    if (!json || isWrong(result)) console.log(`${Object.values(result).join('  ')}${isWrong(result) ? `  ${judged.says}` : ''}`);
  }
if (out !== undefined && existsSync(out)) save(out);
const count = (key: 'verdict' | 'walk' | 'intent' | 'quoted') => {
  const of = (mark: Mark): number => results.filter((result) => result[key] === mark).length;
  return { right: of('right'), wrong: of('wrong'), 'n/a': of('n/a') };
};
console.log(
  JSON.stringify({
    bundles: results.length,
    verdict: count('verdict'),
    walk: count('walk'),
    intent: count('intent'),
    quoted: count('quoted'),
  }),
);
process.exitCode = results.some(isWrong) ? 1 : 0;

function isWrong({ verdict, walk, intent, quoted }: Result): boolean {
  return [verdict, walk, intent, quoted].includes('wrong');
}

/** By the marks of npm run accuracy, and the truth that was written beside the recording. */
function markVerdict(file: string, { report }: WalkedBundle): Mark {
  const id = report.findings.filter(({ severity }) => severity === 'fault').map(({ slug }) => slug);
  const exit = { healthy: 0, fault: 1, unknown: 3 }[report.verdict.status];
  return isRight(expectedOf(file), { layer: report.verdict.layer, id, exit }, report.findings) ? 'right' : 'wrong';
}

function expectedOf(file: string): Expected {
  const { truth, expect } = JSON.parse(readFileSync(file.replace(/\.tgz$/, '.origin.json'), 'utf8')) as {
    truth: string;
    expect: Expected['expect'];
  };
  const parts = truth.split(/ and (?=[a-z]+\|)/).map((part) => part.split('|'));
  return { expect, truth: parts.map(([layer = '', check = '', where = '']) => ({ layer, check, where })) };
}

function save(file: string): void {
  const rows = readAccuracy(file);
  for (const row of rows) {
    const result = results.find((item) => item.case === row.case && item.mode === row.mode);
    if (result) Object.assign(row, { walk: result.walk, intent: result.intent, quoted: result.quoted });
  }
  writeAccuracy(file, rows);
}
