import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusTotals, runCorpus } from '../../scripts/corpus/run.ts';

const corpora = join(import.meta.dirname, '../../../shared/corpora');

/** The kernel is the judge: what a real one did with each flow, and the rules that the packet hit on its way. */
describe.skipIf(!existsSync(corpora))('the walk and the kernel (corpora)', () => {
  it.each(['iptables', 'nftables'] as const)(
    'agree on every flow of %s, in every form of the rules',
    (task) => {
      const results = runCorpus(corpora, [task]);
      const wrong = results.filter((result) => result.is === 'differing' || result.is === 'insufficient');
      expect(wrong.slice(0, 3)).toEqual([]);
      const { total } = corpusTotals(results);
      expect(total.agree).toBeGreaterThan(2000);
      // Traces that are of another packet can't be compared; those that the monitor cut are compared as far as they go.
      expect(total.kernelTrace.inOrder).toBe(total.kernelTrace.comparable);
      // What nft's print of iptables tables does not show is left open: never more than that.
      expect(results.filter((result) => result.is === 'notShown' && !result.lossy)).toEqual([]);
    },
    120_000,
  );
});
