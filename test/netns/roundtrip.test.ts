import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Input, inputOf, readInputs } from '../../scripts/roundtrip/inputs.ts';
import { countsOf, type RoundTrip, roundTrips } from '../../scripts/roundtrip/run.ts';
import { describeAsRoot, printedIn } from './namespace.ts';

const root = join(import.meta.dirname, '../..');
const shared = join(root, '../shared');
const rules = (name: string): string => readFileSync(join(import.meta.dirname, 'rules', name), 'utf8');

/** Inputs that their own tool does not take back, by what it says. Nothing else may fail to load. */
const knownNotToLoad: [RegExp, string][] = [
  [/unsupported xtables compat expression/, 'nft shows rules of iptables-nft, and does not take them back'],
  [/unexpected (?:set|icmp|sctp|counter|flags|string|quoted string)/, 'the same, where nft up to 1.0.6 prints words that it does not know'],
  [/Extension ipvs revision 0 not supported/, 'the kernel has no IPVS'],
  [/connlabel\.conf/, 'names of connection labels stand in a file that is not here'],
  [/^\S*Error: No such file or directory/, 'one chain out of a table: what it jumps to is not there'],
  [/COMMIT expected|Bad argument|too long|invalid policy counters/, 'a damaged output, or one of another tool'],
];

const unexplained = (results: readonly RoundTrip[]): string[] =>
  results
    .filter(({ is, detail }) => is === 'differing' || (is === 'inputDoesNotLoad' && !knownNotToLoad.some(([says]) => says.test(detail))))
    .map(({ input, is, detail }) => `${input.name}: ${is}: ${detail.slice(0, 500)}`);

describeAsRoot('rules that were parsed and printed again, in the kernel', () => {
  it.each([
    ['every-match-and-target.iptables', 'ip'],
    ['every-match-and-target.ip6tables', 'ip6'],
  ] as const)('are those of %s, with both backends', (name, family) => {
    const inputs = [false, true].map((legacy): Input => ({ name, form: 'iptables', legacy, family, text: rules(name) }));
    expect(roundTrips(inputs)).toEqual(inputs.map((input) => ({ input, is: 'same', detail: '' })));
  });

  // The JSON of nft up to 1.0.6 leaves out on which device a chain of a netdev table hangs.
  it.each([
    ['every-statement.nft', ['nft', 'nft-json']],
    ['ingress.nft', ['nft']],
  ])('are those of %s, as %s', (name, forms) => {
    const setup = `ip link add eth0 type bridge; nft -f '${join(import.meta.dirname, 'rules', name)}'`;
    const listings = printedIn(setup, ['nft list ruleset', 'nft -j list ruleset']);
    const inputs = listings.flatMap(({ stdout }) => inputOf(name, stdout)).filter(({ form }) => forms.includes(form));
    const results = roundTrips(inputs);
    expect(results.map(({ input, is, detail }) => [input.form, is, detail])).toEqual(forms.map((form) => [form, 'same', '']));
  });

  // All of them: `npm run roundtrip`.
  it('are those of every twenty-fourth output that is at hand', ({ annotate }) => {
    const all = readInputs(shared, join(root, 'fixtures'));
    // Of each form by itself: which they are must not hang on how many of another form lie between them.
    const sampleOf = (isOfForm: (input: Input) => boolean): Input[] => all.filter(isOfForm).filter((_input, index) => index % 24 === 0);
    const inputs = [...sampleOf(({ form }) => form === 'iptables'), ...sampleOf(({ form }) => form !== 'iptables')];
    const results = roundTrips(inputs);
    expect(unexplained(results)).toEqual([]);
    const counts = countsOf(results);
    annotate(JSON.stringify(counts));
    expect(counts.iptables.same).toBeGreaterThan(existsSync(shared) ? 20 : 5);
    expect(counts.nft.same).toBeGreaterThan(existsSync(shared) ? 8 : 1);
  });
});
