import type { NetfilterRuleset, Rule } from '../model/netfilter.ts';
import type { Outcome, Step } from './netfilter.ts';

/** The rule that a step of a walk stands for; a policy has none. */
export function ruleOfStep(rulesets: readonly NetfilterRuleset[], step: Step): Rule | undefined {
  if (step.by !== 'rule') return undefined;
  return rulesets
    .filter(({ source }) => source === step.source)
    .flatMap(({ tables }) => tables.filter(({ name, family }) => name === step.table && family === step.family))
    .flatMap(({ chains }) => chains.filter(({ name }) => name === step.chain))
    .flatMap(({ rules }) => rules.filter(({ line }) => line === step.line))[0];
}

/** The rule by which the packet has no connection, so that no chain of type nat sees it (nf_nat_inet_fn passes what is untracked). */
export function untrackedBy(rulesets: readonly NetfilterRuleset[], { packet, steps }: Outcome): Step | undefined {
  if (packet.conntrack.state !== 'untracked') return undefined;
  return steps.find((step) => ruleOfStep(rulesets, step)?.statements.some(({ kind }) => kind === 'notrack'));
}
