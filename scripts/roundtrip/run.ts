import type { Form, Input } from './inputs.ts';
import { iptablesLoads, iptablesRules } from './iptables.ts';
import { type Load, type Loaded, loadAll } from './namespace.ts';
import { nftLoads, nftRules } from './nft.ts';

/** The text as it is, and what k8snet prints of what it read of it, for the same tool. */
export interface Attempt {
  raw: Load;
  printed: Load;
}

export interface RoundTrip {
  input: Input;
  is: 'same' | 'differing' | 'inputDoesNotLoad';
  /** The first rule that differs in both ways, or what the tool said. */
  detail: string;
}

/**
 * Reads each input, prints it again, loads that into a namespace and asks the kernel's tools what is there: the rules have to be those that the input
 * itself gives there, or, for a listing in JSON, those that it lists. (nft up to 1.0.8 loses comments of sets when it reads its own JSON.)
 * @throws Error when no namespace can be made, which needs root.
 */
export function roundTrips(inputs: readonly Input[]): RoundTrip[] {
  const attempts = inputs.map(attemptsOf);
  const loaded = loadAll(attempts.flat().flatMap(({ raw, printed }) => [raw, printed]));
  let next = 0;
  return inputs.map((input, index) => {
    const results = (attempts[index] ?? []).map((): [Loaded, Loaded] => [at(loaded, next++), at(loaded, next++)]);
    return { input, ...judge(input, results) };
  });
}

function at(loaded: readonly Loaded[], index: number): Loaded {
  const found = loaded[index];
  if (found === undefined) throw new RangeError(`no result ${index}`);
  return found;
}

const attemptsOf = (input: Input): Attempt[] => (isIptables(input) ? [iptablesLoads(input)] : nftLoads(input));
const isIptables = ({ form }: Input): boolean => form === 'iptables';

function judge(input: Input, results: [Loaded, Loaded][]): Omit<RoundTrip, 'input'> {
  if (results.some(([, printed]) => listsItself(input, printed))) return { is: 'same', detail: '' };
  const loading = results.find(([raw]) => raw.ok);
  if (loading === undefined) return { is: 'inputDoesNotLoad', detail: results[0]?.[0].message ?? '' };
  const [raw, printed] = loading;
  if (!printed.ok) return { is: 'differing', detail: printed.message };
  const rules = rulesOf(input.form);
  const [expected, found] = [rules(raw.listed), rules(printed.listed)];
  const place = expected.findIndex((rule, index) => rule !== found[index]);
  if (place < 0 && expected.length === found.length) return { is: 'same', detail: '' };
  const first = place < 0 ? expected.length : place;
  return { is: 'differing', detail: `${expected[first] ?? 'nothing'}\n    became ${found[first] ?? 'nothing'}` };
}

const rulesOf = (form: Form): ((listed: string) => string[]) => (form === 'iptables' ? iptablesRules : nftRules);

function listsItself({ form, text }: Input, printed: Loaded): boolean {
  return form === 'nft-json' && printed.ok && nftRules(printed.listed).join('\n') === nftRules(text).join('\n');
}

export type Counts = Record<'inputs' | RoundTrip['is'], number>;

export function countsOf(results: readonly RoundTrip[]): { iptables: Counts; nft: Counts } {
  const count = (chosen: readonly RoundTrip[]): Counts => ({
    inputs: chosen.length,
    same: chosen.filter(({ is }) => is === 'same').length,
    differing: chosen.filter(({ is }) => is === 'differing').length,
    inputDoesNotLoad: chosen.filter(({ is }) => is === 'inputDoesNotLoad').length,
  });
  return {
    iptables: count(results.filter(({ input }) => isIptables(input))),
    nft: count(results.filter(({ input }) => !isIptables(input))),
  };
}
