import type { NetfilterRuleset } from '../../src/model/netfilter.ts';
import { type Passage, traverseNode } from '../../src/walk/netfilter/traverse.ts';
import { type CorpusCase, type CorpusFlow, readCases, type Task } from './cases.ts';
import { labOf } from './lab.ts';
import { compareTrace, type TraceComparison } from './trace.ts';

export interface CorpusResult {
  task: Task | 'ipvs' | 'topology';
  id: string;
  form: string;
  flow: string;
  is: 'agree' | 'differing' | 'insufficient' | 'notShown';
  detail: string;
  /** The form is nft's lossy print of iptables tables, where "insufficient" is the honest answer to what was lost. */
  lossy: boolean;
  /** How the steps of the walk stand to the rules that the kernel traced. */
  trace?: TraceComparison['is'];
}

export interface Totals {
  cases: number;
  flows: number;
  agree: number;
  differing: number;
  /** Undecided although the form shows everything. */
  insufficient: number;
  /** Undecided where nft's print of iptables tables does not show what would decide. */
  notShown: number;
  /**
   * Flows with a trace of the rules that a real packet hit. `comparable`: of the packet that was asked for; `inOrder`: the walk took the same ones in
   * the same order as far as the trace goes; `whole`: to the walk's own end; `cut`: the trace ends before; `otherPacket`: nothing to compare.
   */
  kernelTrace: { comparable: number; inOrder: number; whole: number; cut: number; otherPacket: number };
}

/** Runs all flows of both tasks; a ruleset that the parser does not read to its end is a difference of its own. */
export function runCorpus(directory: string, tasks: readonly Task[] = ['iptables', 'nftables']): CorpusResult[] {
  return tasks.flatMap((task) => readCases(directory, task).flatMap(runCase));
}

/** Cases that hold rules only are read too, and give one result without a flow. */
const parsing = '(parsing)';

export function corpusTotals(results: readonly CorpusResult[]): {
  total: Totals;
  byTask: Record<string, Totals>;
  byForm: Record<string, Totals>;
} {
  const byTask: Record<string, Totals> = {};
  const byForm: Record<string, Totals> = {};
  for (const result of results) {
    byTask[result.task] ??= totalsOf(results.filter((other) => other.task === result.task));
    byForm[`${result.task} ${result.form}`] ??= totalsOf(
      results.filter((other) => other.task === result.task && other.form === result.form),
    );
  }
  return { total: totalsOf(results), byTask, byForm };
}

function totalsOf(results: readonly CorpusResult[]): Totals {
  const flows = results.filter((result) => result.flow !== parsing || result.is !== 'agree');
  const count = (is: CorpusResult['is']): number => flows.filter((result) => result.is === is).length;
  const cases = new Set(results.map((result) => `${result.task} ${result.id}`)).size;
  return {
    cases,
    flows: flows.length,
    agree: count('agree'),
    differing: count('differing'),
    insufficient: count('insufficient'),
    notShown: count('notShown'),
    kernelTrace: tracedTotals(flows),
  };
}

function tracedTotals(results: readonly CorpusResult[]): Totals['kernelTrace'] {
  const count = (is: TraceComparison['is']): number => results.filter(({ trace }) => trace === is).length;
  const [whole, cut] = [count('same'), count('beginning')];
  return { comparable: whole + cut + count('differing'), inOrder: whole + cut, whole, cut, otherPacket: count('otherPacket') };
}

function runCase(item: CorpusCase): CorpusResult[] {
  return item.forms.flatMap((form): CorpusResult[] => {
    const parsed = form.read();
    const lossy = parsed.value.tables.some((table) => table.lossy);
    const base = { task: item.task, id: item.id, form: form.name, lossy };
    if (!parsed.complete) {
      const first = parsed.unparsed[0];
      return [
        { ...base, flow: parsing, is: 'differing', detail: `not read to the end: line ${first?.line} ${first?.text} (${first?.why})` },
      ];
    }
    const read: CorpusResult = { ...base, flow: parsing, is: 'agree', detail: '' };
    return item.flows.length === 0
      ? [read]
      : item.flows.map((flow) => ({ ...base, flow: flow.name, ...runFlow(item, flow, parsed.value, form.name, lossy) }));
  });
}

function runFlow(
  item: CorpusCase,
  flow: CorpusFlow,
  ruleset: NetfilterRuleset,
  form: string,
  lossy: boolean,
): Pick<CorpusResult, 'is' | 'detail' | 'trace'> {
  const { packet, around, context } = labOf(item, flow);
  const passages = traverseNode([ruleset], packet, around, context);
  const undecided = passages.find((passage) => passage.outcome.verdict === 'insufficient-info' || passage.outcome.assumptions.length > 0);
  if (undecided !== undefined) {
    const { why, decidedBy, assumptions } = undecided.outcome;
    return { is: lossy ? 'notShown' : 'insufficient', detail: `${why ?? assumptions[0]?.why}: ${decidedBy?.text}` };
  }
  const [predicted, measured] = [predictionOf(passages, packet.destination), measurementOf(flow)];
  if (predicted !== measured) return { is: 'differing', detail: `predicted ${predicted}, the kernel did ${measured}` };
  const trace = compareTrace(item.task, form, flow, passages);
  return { is: trace.is === 'differing' ? 'differing' : 'agree', detail: trace.detail, trace: trace.is };
}

/** What the walk predicts, in the words of the measurement. */
function predictionOf(passages: readonly Passage[], destination: string): string {
  const kinds = new Set(passages.map((passage) => kindOf(passage, destination)));
  return [...kinds].sort().join(' ');
}

function kindOf({ outcome, end }: Passage, destination: string): string {
  if (outcome.verdict === 'drop') return 'nothing';
  if (outcome.verdict === 'reject') return 'icmp-unreachable';
  const { dnat, masquerade, packet } = outcome;
  if (dnat !== undefined)
    return `dnat:${endpoint(packet.destination, packet.destinationPort)}${masquerade ? ` from ${packet.source}` : ''}`;
  if (end === 'delivered-locally') return 'local-closed-port';
  return end === 'sent' && packet.destination === destination && masquerade === undefined
    ? 'forward-unmodified'
    : `${end} ${packet.destination}`;
}

function measurementOf({ kernel }: CorpusFlow): string {
  if (kernel.kind !== 'dnat') return kernel.kind;
  const endpoints = Object.entries(kernel.endpoints ?? {}).map(
    ([name, { masquerade, snatTo }]) => `dnat:${name}${masquerade ? ` from ${snatTo}` : ''}`,
  );
  return endpoints.sort().join(' ');
}

const endpoint = (address: string, port: number | undefined): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
