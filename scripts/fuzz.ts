import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, Script } from 'node:vm';
import { type Failure, judge, targets } from './fuzz/judge.ts';
import { type Lined, mutate, pieceOf } from './fuzz/mutate.ts';
import { randomOf } from './fuzz/random.ts';
import { readSamples } from './fuzz/samples.ts';
import { shrink } from './fuzz/shrink.ts';

/**
 * `npm run fuzz -- [--seconds N] [--inputs N] [--seed N] [--from N] [--out DIRECTORY] [--json]`: real outputs, changed by chance, through every parser. An input is one text
 * given to one parser: its own kind's, and another in turn. Fails on a throw, on more than 50 ms for each kilobyte, on a line that is neither in the value nor unparsed, and
 * when memory grows. What fails is made as small as it still fails and written to DIRECTORY. Input N of a seed is always the same text.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    inputs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    out: { type: 'string', default: 'fuzz-failures' },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const samples = readSamples().map((sample) => ({ ...sample, lines: sample.text.split('\n') }));
const nothing: Lined & { name: string; kind: undefined } = { name: 'none', kind: undefined, text: '', lines: [] };
const failures = new Map<string, Failure & { target: string; index: number; file: string }>();
/** So many inputs run under one time limit that ends even an endless loop. */
const batchSize = 1000;
let index = Number(values.from);
/** A run of hours says each minute how far it is, as a line of JSON. */
const noteMilliseconds = 60_000;

setFlagsFromString('--expose_gc');
// Parsers of JSON and YAML throw inside, and traces of them would be most of the time; a failure is run again with one.
Error.stackTraceLimit = 0;
const collectGarbage = runInNewContext('gc') as () => void;
const started = performance.now();
runBatches(() => index < Number(values.from) + 20 * batchSize);
const heapBefore = heapInUse();
runBatches(() => performance.now() - started < Number(values.seconds) * 1000 && index < Number(values.from) + Number(values.inputs));
const grown = heapInUse() - heapBefore;
report();

function runBatches(isGoingOn: () => boolean): void {
  const script = new Script('fuzzBatch()');
  let nextNote = performance.now() + noteMilliseconds;
  Object.assign(globalThis, {
    fuzzBatch: () => {
      for (const end = index + batchSize; index < end; index++) tryInput(index);
    },
  });
  while (isGoingOn()) {
    if (performance.now() > nextNote) {
      console.error(JSON.stringify(progress()));
      nextNote += noteMilliseconds;
    }
    try {
      script.runInThisContext({ timeout: 120_000 });
    } catch (error) {
      keep(index, { kind: 'slow', detail: `a batch did not end: ${String(error)}` });
      index++;
    }
  }
}

function tryInput(number: number): void {
  const { text, target } = inputOf(number);
  const failure = judge(target, text);
  if (failure) keep(number, failure);
}

/** Even numbers go to the parser of the sample's own kind, odd ones to another. */
function inputOf(number: number): { text: string; target: string; sample: string } {
  const random = randomOf(seed, number >> 1);
  const sample = samples[random.below(samples.length)] ?? nothing;
  const other = samples[random.below(samples.length)] ?? nothing;
  const text = mutate(pieceOf(sample, random), other, random);
  const otherTarget = targets[random.below(targets.length)] ?? 'guess';
  return { text, target: number % 2 === 0 ? (sample.kind ?? otherTarget) : otherTarget, sample: sample.name };
}

/** One failure of each kind and parser is kept, the first; the others are like it. */
function keep(number: number, failure: Failure): void {
  const { text, target, sample } = inputOf(number);
  const key = `${target}: ${failure.kind}`;
  if (failures.has(key)) return;
  const isSame = (candidate: string): boolean => judge(target, candidate)?.kind === failure.kind;
  const smallest = failure.detail.startsWith('a batch') ? text : shrink(text, isSame, failure.kind === 'slow' ? 60 : undefined);
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, `${target}-${failure.kind.replaceAll(' ', '-')}-${seed}-${number}.txt`);
  writeFileSync(file, smallest, target === 'pcap' ? 'latin1' : 'utf8');
  failures.set(key, { ...failure, target, index: number, file });
  console.error(
    `${key} (${sample}, seed ${seed}, input ${number}): ${failure.detail}\n  ${JSON.stringify(smallest.slice(0, 300))}\n  in ${file}`,
  );
}

function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function progress(): {
  inputs: number;
  seed: number;
  seconds: number;
  processorSeconds: number;
  inputsPerSecond: number;
  failures: number;
} {
  const inputs = index - Number(values.from);
  const seconds = Math.round((performance.now() - started) / 1000);
  const { user, system } = process.cpuUsage();
  return {
    inputs,
    seed,
    seconds,
    processorSeconds: Math.round((user + system) / 1e6),
    inputsPerSecond: Math.round(inputs / seconds),
    failures: failures.size,
  };
}

function report(): void {
  const growsOver = grown > 32_000_000;
  const summary = {
    ...progress(),
    samples: samples.length,
    parsers: targets.length,
    failures: [...failures].map(([what, { index: number, file }]) => ({ what, input: number, file })),
    heapGrownBytes: grown,
  };
  if (!values.json)
    console.log(`${summary.inputs} inputs of ${samples.length} outputs through ${targets.length} parsers: ${failures.size} failures`);
  console.log(JSON.stringify(summary));
  process.exitCode = failures.size > 0 || growsOver ? 1 : 0;
}
