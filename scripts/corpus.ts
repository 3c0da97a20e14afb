/**
 * Walks every flow of the iptables and nftables corpora through every form in which the rules are there, and compares the result with what a kernel
 * did; compares what the API means (form `intent`) with the same kernels, with kube-proxy's virtual servers and ipsets, and with its choice of
 * endpoints by topology. Usage: npm run corpus -- DIRECTORY [--json]. The last line is one JSON object with the totals. Exits 1 when anything differs.
 */
import { runIntent } from './corpus/intent.ts';
import { runIpvs } from './corpus/ipvs.ts';
import { corpusTotals, runCorpus } from './corpus/run.ts';
import { runTopology } from './corpus/topology.ts';

const args = process.argv.slice(2);
const directory = args.find((argument) => !argument.startsWith('--'));
if (directory === undefined) {
  console.error('usage: corpus DIRECTORY [--json]');
  process.exit(2);
}
const results = [
  ...runCorpus(directory),
  ...runIntent(directory, 'iptables'),
  ...runIntent(directory, 'nftables'),
  ...runIpvs(directory),
  ...runTopology(directory),
];
if (!args.includes('--json')) {
  for (const result of results) {
    if (result.is !== 'agree')
      console.log(`${result.is}: ${result.task} ${result.id} [${result.form}] ${result.flow}\n    ${result.detail}`);
  }
}
const totals = corpusTotals(results);
console.log(JSON.stringify(totals));
process.exitCode = totals.total.differing === 0 ? 0 : 1;
