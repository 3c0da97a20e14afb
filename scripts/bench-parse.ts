import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConntrack } from '../src/parse/conntrack.ts';
import { parseIptablesSave } from '../src/parse/iptables-save.ts';
import { parseNftJson } from '../src/parse/nft-json.ts';
import { argument } from './arguments.ts';
import { conntrackListOf, generateServices, iptablesSaveOf, nftTextOf } from './generate-rules.ts';

/**
 * `npm run bench:parse [-- --json] [--services N] [--flows N]`: how long the parsers of the largest tables take, as ratios to what has to be done with the same text anyway, all in
 * one run: iptables-save over `iptables-restore --test`, nft's JSON over `JSON.parse`, a conntrack table over `wc -l`, memory over the size of the text, and time for each byte at
 * 1, 10 and 100 %. What runs in this process is measured in the processor's seconds (its helper threads for garbage included), so that a busy machine does not change the ratio;
 * what is held against another program, in those of the clock. Needs root, for a network namespace of its own; without it the parts that need one are null.
 */
const childMode = process.argv.indexOf('--parse-conntrack');
const namespace = 'k8snet-bench-parse';

if (childMode > 0) reportConntrack(process.argv[childMode + 1] ?? '');
else bench();

function bench(): void {
  const directory = mkdtempSync(join(tmpdir(), 'k8snet-bench-'));
  const hasNamespace = spawnSync('ip', ['netns', 'add', namespace]).status === 0;
  try {
    const services = generateServices(Number(argument('services') ?? 10_000), 10);
    const result = {
      iptablesSave: iptablesPart(iptablesSaveOf(services), join(directory, 'rules'), hasNamespace),
      nftJson: hasNamespace ? nftPart(nftTextOf(services), join(directory, 'ruleset')) : null,
      conntrack: conntrackPart(join(directory, 'flows'), Number(argument('flows') ?? 1_000_000)),
      linearity: linearity(services.length),
    };
    if (!process.argv.includes('--json')) console.dir(result);
    console.log(JSON.stringify(result));
  } finally {
    if (hasNamespace) spawnSync('ip', ['netns', 'delete', namespace]);
    rmSync(directory, { recursive: true });
  }
}

function iptablesPart(text: string, file: string, hasNamespace: boolean): Record<string, number | null> {
  writeFileSync(file, text);
  const parse = bestOf(3, () => assertWhole(parseIptablesSave(text)));
  const restore = hasNamespace ? bestOf(3, () => inNamespace(['iptables-restore', '--test'], file)) : null;
  return {
    bytes: text.length,
    parseSeconds: round(parse),
    restoreTestSeconds: restore && round(restore),
    megabytesPerSecond: round(text.length / 1e6 / parse),
    overRestoreTest: restore && round(parse / restore),
  };
}

/** nft itself loads the rules and prints them as JSON: what it prints is what is parsed. */
function nftPart(rules: string, file: string): Record<string, number> {
  writeFileSync(file, rules);
  inNamespace(['nft', '-f', '-'], file);
  const json = execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-j', 'list', 'ruleset'], { maxBuffer: 2 ** 30, encoding: 'utf8' });
  const bare = bestOf(5, () => JSON.parse(json), processorTime);
  const parse = bestOf(5, () => assertWhole(parseNftJson(json)), processorTime);
  return {
    bytes: json.length,
    parseSeconds: round(parse),
    jsonParseSeconds: round(bare),
    megabytesPerSecond: round(json.length / 1e6 / parse),
    overJsonParse: round(parse / bare),
  };
}

/** In a process of its own, whose largest size is then that of the text and of what was made of it. */
function conntrackPart(file: string, count: number): Record<string, number> {
  const output = openSync(file, 'w');
  for (const chunk of conntrackListOf(count)) writeFileSync(output, chunk);
  closeSync(output);
  const bytes = statSync(file).size;
  const wordCount = bestOf(3, () => execFileSync('wc', ['-l', file]));
  const child = (path: string): { seconds: number; peakBytes: number } =>
    JSON.parse(
      execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), '--parse-conntrack', path], {
        encoding: 'utf8',
      }),
    );
  const empty = join(file, '..', 'nothing');
  writeFileSync(empty, '');
  const parsed = child(file);
  return {
    bytes,
    entries: count,
    parseSeconds: round(parsed.seconds),
    wcSeconds: round(wordCount),
    megabytesPerSecond: round(bytes / 1e6 / parsed.seconds),
    overWc: round(parsed.seconds / wordCount),
    peakMemoryOverText: round((parsed.peakBytes - child(empty).peakBytes) / bytes),
  };
}

function reportConntrack(file: string): void {
  const text = readFileSync(file, 'utf8');
  const seconds = time(() => assertWhole(parseConntrack(text)));
  console.log(JSON.stringify({ seconds, peakBytes: process.resourceUsage().maxRSS * 1024 }));
}

/** Seconds for each megabyte at a hundredth, a tenth and the whole, over that of the whole: all near 1 when time grows with the size alone. */
function linearity(services: number): Record<string, number> {
  const perByte = (text: string, times: number): number => bestOf(times, () => parseIptablesSave(text), processorTime) / text.length;
  const [whole, tenth, hundredth] = [1, 10, 100].map((part) =>
    perByte(iptablesSaveOf(generateServices(Math.ceil(services / part), 10)), 2 + part / 2),
  );
  return { at1Percent: round((hundredth ?? 0) / (whole ?? 1)), at10Percent: round((tenth ?? 0) / (whole ?? 1)), at100Percent: 1 };
}

function inNamespace(command: string[], input: string): void {
  const stdin = openSync(input, 'r');
  const { status, stderr } = spawnSync('ip', ['netns', 'exec', namespace, ...command], { stdio: [stdin, 'ignore', 'pipe'] });
  closeSync(stdin);
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr.toString().slice(0, 500)}`);
}

function assertWhole({ complete, unparsed }: { complete: boolean; unparsed: readonly unknown[] }): void {
  if (!complete) throw new Error(`not parsed whole: ${JSON.stringify(unparsed[0])}`);
}

function bestOf(times: number, work: () => unknown, measure = time): number {
  return Math.min(...Array.from({ length: Math.ceil(times) }, () => measure(work)));
}

function processorTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function time(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
