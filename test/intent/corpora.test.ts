import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runIntent } from '../../scripts/corpus/intent.ts';
import { runIpvs } from '../../scripts/corpus/ipvs.ts';
import type { CorpusResult } from '../../scripts/corpus/run.ts';
import { runTopology } from '../../scripts/corpus/topology.ts';

const corpora = '../shared/corpora';

const faults = (results: readonly CorpusResult[]): string[] =>
  results.filter(({ is }) => is !== 'agree').map(({ id, form, flow, detail }) => `${id} [${form}] ${flow}: ${detail}`);

describe.skipIf(!existsSync(corpora))(`what the API means, held against kube-proxy and kernels (${corpora})`, () => {
  it.each(['iptables', 'nftables'] as const)(
    '%s: every flow ends where the kernel took it, from the same endpoints, masqueraded alike',
    (task) => {
      const results = runIntent(corpora, task);
      expect(results.length).toBeGreaterThan(400);
      expect(faults(results)).toEqual([]);
    },
  );

  it('ipvs: virtual servers, ipsets and bound addresses are those that kube-proxy made', () => {
    const results = runIpvs(corpora);
    expect(results.length).toBeGreaterThan(200);
    expect(faults(results)).toEqual([]);
  });

  it('topology: mode, lists of endpoints, and whether there is any', () => {
    const results = runTopology(corpora);
    expect(results.length).toBeGreaterThan(150);
    expect(faults(results)).toEqual([]);
  });
});
