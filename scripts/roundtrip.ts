import { join } from 'node:path';
import { readInputs } from './roundtrip/inputs.ts';
import { countsOf, roundTrips } from './roundtrip/run.ts';

/**
 * `npm run roundtrip -- [SHARED] [--json]`: every output with rules in SHARED (`../shared` unless given: corpora, recordings, outputs) and in fixtures/
 * is parsed, printed, loaded into a network namespace, and listed there. The last line is one JSON object
 * `{"iptables":{"inputs","same","differing","inputDoesNotLoad"},"nft":{…}}`; with --json it is the only one. Needs root. Ends with 1 when rules differ.
 */
const args = process.argv.slice(2);
const shared = args.find((argument) => !argument.startsWith('--')) ?? '../shared';
const results = roundTrips(readInputs(shared, join(import.meta.dirname, '../fixtures')));
const counts = countsOf(results);
if (!args.includes('--json')) {
  for (const { input, is, detail } of results) if (is !== 'same') console.log(`${is}: ${input.name}\n    ${detail}`);
}
console.log(JSON.stringify(counts));
process.exitCode = counts.iptables.differing + counts.nft.differing > 0 || results.length === 0 ? 1 : 0;
