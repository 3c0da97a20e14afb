/**
 * Holds the walk against the kernel: random rules are loaded into a namespace, packets sent through them, and what became of each is compared with
 * what the walk says from the tools' outputs. Usage: npm run differential -- [--cases N] [--seed N] [--json]. Needs root. Case I of a run has the
 * seed N + I, so that `--cases 1 --seed X` repeats one. What differs is shrunk to the smallest rules that still do. Exits 1 when anything differs.
 */
import { loadScript } from './differential/case.ts';
import { randomCase } from './differential/generate/case.ts';
import { makeLab } from './differential/lab.ts';
import { type Compared, runCase, shrink } from './differential/run.ts';

const args = process.argv.slice(2);
const option = (name: string, otherwise: number): number => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
const [cases, seed] = [option('--cases', 200), option('--seed', 1)];
const isQuiet = args.includes('--json');

const counts = { cases: 0, refusedByTools: 0, packets: 0, agree: 0, differing: 0, insufficient: 0 };
const outcomes: Record<string, number> = {};
const differingSeeds: number[] = [];
const started = performance.now();
const lab = await makeLab();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    lab.remove();
    process.exit(130);
  });
try {
  for (let at = seed; at < seed + cases; at++) await oneCase(at);
} finally {
  lab.remove();
}
const seconds = (performance.now() - started) / 1000;
const perSecond = Number((counts.cases / seconds).toFixed(1));
console.log(JSON.stringify({ seed, ...counts, seconds: Math.round(seconds), perSecond, outcomes, differingSeeds }));
process.exitCode = counts.differing === 0 ? 0 : 1;

async function oneCase(at: number): Promise<void> {
  const item = randomCase(at);
  const result = await runCase(lab, item);
  counts.cases++;
  if ('refused' in result) {
    counts.refusedByTools++;
    if (!isQuiet) console.log(`seed ${at}: refused: ${result.refused.trim().split('\n').slice(0, 3).join(' | ')}`);
    return;
  }
  for (const compared of result.compared) count(compared);
  for (const { what, predicted } of result.compared.filter(({ is }) => is === 'insufficient'))
    if (!isQuiet) console.log(`seed ${at}: insufficient (${what}): ${predicted}`);
  if (result.compared.some(({ is }) => is === 'differing')) await report(at);
}

function count({ is, observed }: Compared): void {
  counts.packets++;
  counts[is]++;
  const kind = observed.replace(/ .*/, '');
  outcomes[kind] = (outcomes[kind] ?? 0) + 1;
}

async function report(at: number): Promise<void> {
  differingSeeds.push(at);
  if (isQuiet) return;
  const small = await shrink(lab, randomCase(at));
  const again = await runCase(lab, small);
  console.log(`seed ${at}: DIFFERS\n${loadScript(small)}`);
  if ('refused' in again) return;
  for (const { what, flow, is, predicted, observed } of again.compared)
    if (is === 'differing') console.log(`    ${what} ${JSON.stringify(flow)}\n    predicted ${predicted}, the kernel: ${observed}`);
}
