import type { Facts } from '../facts/facts.ts';
import { isFailing, type ProbeResult } from '../facts/probe-results.ts';
import { findingsOf, type VerifyFinding } from '../intent/findings.ts';
import { verifyCluster } from '../intent/verify-cluster.ts';
import type { VerifyReport } from '../schema/verify.ts';
import { quoteEvidence } from './quote.ts';

/** Stages that pass the rules of kube-proxy. */
const throughRules: ReadonlySet<ProbeResult['stage']> = new Set(['service', 'dns-server', 'name']);

/**
 * What the nodes' rules make of the target and of cluster DNS against what the API says of them, where something failed that passes these rules.
 * What other rules stop behind the translation is a matter of the walk.
 */
export function rulesAgainstApi(facts: Facts, symptoms: readonly ProbeResult[]): VerifyFinding[] {
  if (!symptoms.some((probe) => isFailing(probe) && throughRules.has(probe.stage))) return [];
  const { target, dns } = facts;
  const services = new Set([`${target.namespace}/${target.name}`]);
  if (dns.service.state === 'seen') services.add(`${dns.service.value.metadata.namespace}/${dns.service.value.metadata.name}`);
  return findingsOf(verifyCluster(facts, { services })).filter(({ kind }) => kind !== 'stopped-after');
}

/** A difference in its published form, with the lines that it rests on. */
export const publishDifference = (
  facts: Facts,
  { peersRight, peersAlike, evidence, ...finding }: VerifyFinding,
): VerifyReport['findings'][number] => ({
  ...finding,
  peers: { right: peersRight, alike: peersAlike },
  evidence: evidence.flatMap((reference) => quoteEvidence(facts, reference) ?? []),
});
