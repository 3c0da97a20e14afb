import { runTopologies } from './topologies/run.ts';

/**
 * `npm run topologies -- [--cases N] [--seed N] [--first N] [--json] [-v]`: random topologies of namespaces with one defect each, one real packet
 * through each, and whether the walk names every device that the packet passed and the end that it came to. Needs root.
 * The last line is one JSON object `{"seed","cases","agree","wrong","insufficient","defects"}`; exit code 1 when one is wrong or more than 5 % are not told.
 */
const args = process.argv.slice(2);
const numberAfter = (name: string, otherwise: number): number => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
const cases = numberAfter('--cases', 30);
const seed = numberAfter('--seed', 1);
const first = numberAfter('--first', 0);
const quiet = args.includes('--json');
const verbose = args.includes('-v');

const counts = { agree: 0, wrong: 0, insufficient: 0, defects: 0 };
await runTopologies(seed, first, cases, ({ index, plan, defect, verdict, traces }) => {
  counts[verdict.result === 'agrees' ? 'agree' : verdict.result] += 1;
  if (defect !== 'none') counts.defects += 1;
  if (quiet && verdict.result === 'agrees') return;
  const { from: source } = plan.flow;
  const from = 'outside' in source ? source.outside : 'pod' in source ? source.pod.name : source.node.name;
  const setup = `${plan.overlay} ${plan.attachment}${plan.bridgeNf ? ' bridge-nf' : ''}${plan.warm ? ' warm' : ''} rp ${plan.rpFilter}`;
  console.log(
    `${verdict.result} ${seed}/${index} [${setup}] ${from} -> ${plan.flow.to} (${plan.flow.target.name}) ${plan.flow.protocol} ${plan.flow.length}: ${defect}`,
  );
  if (verdict.result === 'agrees' && !verbose) return;
  console.log(`    walk ${verdict.walk} (${traces[0]?.why ?? ''}); kernel ${verdict.kernel}\n    ${verdict.differs.join('\n    ')}`);
});
console.log(JSON.stringify({ seed, cases, ...counts }));
process.exitCode = counts.wrong > 0 || counts.insufficient > cases / 20 ? 1 : 0;
