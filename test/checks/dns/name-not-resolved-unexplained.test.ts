import { describe, expect, it } from 'vitest';
import { nameNotResolvedUnexplained } from '../../../src/checks/dns/name-not-resolved-unexplained.ts';
import { checks } from '../../../src/checks/index.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { judgeFacts } from '../../../src/tree/judge.ts';
import { failing, faultsOf, readBundle, resultOf } from './bundle.ts';

describe('DNS010 name-not-resolved-unexplained', () => {
  it('is what remains, with low confidence, when the rule that is at fault could not be read', () => {
    const snapshot = failing(readBundle('dns-port-filtered'), /^node\/n1\/(iptables-save|iptables-legacy-save|nft)$/, 'forbidden');
    const judgement = judgeFacts(createFacts(snapshot), checks);
    const faults = judgement.findings.filter((finding) => finding.severity === 'fault');
    expect(faults.map((finding) => finding.meta.slug)).toEqual(['name-not-resolved-unexplained']);
    expect(judgement.confidence).toBe('low');
    expect(faults[0]?.fault.title).toContain('no DNS pod that was asked answers either');
  });

  it('says no more than the probes tell', () => {
    const [fault] = faultsOf(nameNotResolvedUnexplained, readBundle('dns-coredns-zero'));
    expect(fault.title).toMatch(
      /^my-service and my-service\.default\.svc\.cluster\.local\. do not resolve from pod default\/client \(refused; /,
    );
  });

  it('passes where every lookup succeeds', () => {
    expect(resultOf(nameNotResolvedUnexplained, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where no lookup was made', () => {
    expect(
      resultOf(
        nameNotResolvedUnexplained,
        failing(readBundle('dns-healthy'), /^probe\/pod\/default\/client\/(name|dns-server)\//, 'tool-missing'),
      ),
    ).toMatchObject({ state: 'unknown', reason: 'tool-missing' });
  });
});
