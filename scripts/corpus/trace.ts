import type { Passage } from '../../src/walk/netfilter/traverse.ts';
import type { Step } from '../../src/walk/netfilter.ts';
import type { CorpusFlow, Task, TraceStep } from './cases.ts';

/** How the predicted steps stand to the rules that one real packet hit. */
export interface TraceComparison {
  /**
   * `same`: all of them, in their order. `beginning`: the trace ends before the walk does: the monitor lost the events of later hooks, or stopped at
   * the first rule with an IPv6 address. `otherPacket`: the trace is of another packet that the kernel sent meanwhile (IPv6 multicast listener
   * reports), and none of its steps is of the one that was asked for. `none`: nothing was traced.
   */
  is: 'same' | 'beginning' | 'differing' | 'otherPacket' | 'none';
  detail: string;
}

/**
 * Holds the predicted steps against the rules that one real packet hit, in order. Compared word for word where the form is the one that the
 * trace was taken from, and by chain otherwise, because the tools print the same rule in other words.
 */
export function compareTrace(task: Task, form: string, flow: CorpusFlow, passages: readonly Passage[]): TraceComparison {
  const trace = flow.kernelTrace;
  if (trace === undefined) return { is: 'none', detail: '' };
  const isAsked = ({ packet }: TraceStep): boolean => packet?.src === flow.sourceIP && packet.dst === flow.destIP;
  if (!trace.steps.some(isAsked)) return { is: 'otherPacket', detail: '' };
  const passage = passageOf(trace, passages);
  if (passage === undefined) return { is: 'differing', detail: 'no prediction leads where the traced packet went' };
  const words = wordsOf(task, form);
  const real = trace.steps.flatMap((step) => realStep(step, words, task));
  const predicted = passage.outcome.steps.flatMap((step) => predictedStep(step, words, task));
  for (let index = 0; index < real.length; index++) {
    if (real[index] !== predicted[index])
      return { is: 'differing', detail: `step ${index + 1}: predicted ${predicted[index]}, the kernel took ${real[index]}` };
  }
  if (real.length === predicted.length) return { is: 'same', detail: '' };
  if (isCutShort(trace.steps, passage.outcome.steps, real.length, words, task)) return { is: 'beginning', detail: '' };
  return { is: 'differing', detail: `the kernel was done after step ${real.length}; predicted next: ${predicted[real.length]}` };
}

/** A trace may end where a rule jumps on; a rule or policy that lets through ends one hook's chain, and one that drops ends everything. */
function isCutShort(steps: readonly TraceStep[], predicted: readonly Step[], length: number, words: boolean, task: Task): boolean {
  const last = steps.findLast((step) => step.chain !== undefined && step.packet === undefined);
  const shown = predicted.filter((step) => predictedStep(step, words, task).length > 0);
  const [before, next] = [shown[length - 1], shown[length]];
  if (/drop/i.test(last?.verdict ?? last?.policy ?? '')) return false;
  const isOver = last?.policy !== undefined || /accept/i.test(last?.verdict ?? '');
  return !isOver || before?.hook !== next?.hook || before?.table !== next?.table;
}

function passageOf(trace: NonNullable<CorpusFlow['kernelTrace']>, passages: readonly Passage[]): Passage | undefined {
  if (passages.length === 1) return passages[0];
  return passages.find(
    ({ outcome }) => outcome.packet.destination === trace.detail.dst && outcome.packet.destinationPort === Number(trace.detail.dport),
  );
}

/** Whether the form prints rules in the words of the trace. */
const wordsOf = (task: Task, form: string): boolean =>
  form === (task === 'iptables' ? 'iptables-nft-save (1.8.9)' : 'nft list ruleset (1.1.3)');

function realStep(step: TraceStep, words: boolean, task: Task): string[] {
  if (step.chain === undefined || step.packet !== undefined) return [];
  const place = task === 'iptables' ? `${step.table} ${step.chain}` : step.chain;
  if (step.policy !== undefined) return [`${place} policy`];
  return [words ? `${place} ${step.rule?.trim()}` : place];
}

function predictedStep(step: Step, words: boolean, task: Task): string[] {
  const place = task === 'iptables' ? `${step.table} ${step.chain}` : `${step.family} ${step.table} ${step.chain}`;
  // iptables-legacy prints empty tables, whose policies a trace of iptables-nft, which has no such tables, can't show.
  if (step.by === 'policy') return step.table === 'mangle' ? [] : [`${place} policy`];
  return [words ? `${place} ${step.text}` : place];
}
