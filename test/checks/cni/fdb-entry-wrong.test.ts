import { describe, expect, it } from 'vitest';
import { fdbEntryWrong } from '../../../src/checks/cni/fdb-entry-wrong.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'fdb-entry-wrong' };

describe('CNI003 fdb-entry-wrong', () => {
  it('quotes the entry that leads to nobody', () => {
    const snapshot = readBundle('cni-fdb-wrong');
    const [fault, ...more] = faultsOf(fdbEntryWrong, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe(
      'node n1 sends tunnel packets for node n2 to 192.168.1.99, which is no node of this cluster: the FDB entry of flannel.1 should say 192.168.1.12',
    );
    expect(quoted(snapshot, fault)[0]).toMatch(/dev flannel\.1 dst 192\.168\.1\.99 self permanent/);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids.some((id) => id.includes('/endpoint/10.244.2.'))).toBe(true);
    expect(ids.some((id) => id.includes('/endpoint/10.244.3.') || id.includes('/endpoint/10.244.1.'))).toBe(false);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('says that there is no entry, and shows those that there are', () => {
    const snapshot = readBundle('cni-fdb-missing');
    const [fault] = faultsOf(fdbEntryWrong, snapshot);
    expect(fault.title).toMatch(/^node n1 has no FDB entry on flannel\.1 for \S+, the VTEP of node n2/);
    expect(fault.where).toMatchObject({ kind: 'fdb-entry', node: 'n1' });
    expect(quoted(snapshot, fault).filter((line) => line.includes(' dst '))).toEqual([expect.stringContaining('dst 192.168.1.13')]);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('leaves a device that floods to learn by itself', () => {
    const floods = edited(
      readBundle('cni-fdb-missing'),
      /^node\/n1\/bridge-fdb$/,
      (text) => `${text}00:00:00:00:00:00 dev flannel.1 dst 192.168.1.12 self permanent\n`,
    );
    expect(resultOf(fdbEntryWrong, floods)).not.toMatchObject({ state: 'fail' });
  });

  it('takes an address that the node itself has for right, whatever its InternalIP is', () => {
    const other = edited(readBundle('cni-fdb-wrong'), /^node\/n2\/ip-addr$/, (text) => text.replace('192.168.1.12/24', '192.168.1.99/24'));
    expect(resultOf(fdbEntryWrong, other)).not.toMatchObject({ state: 'fail' });
  });

  it('leaves a wrong MAC in the neighbour table to CNI004, and a changed device to CNI005', () => {
    expect(resultOf(fdbEntryWrong, readBundle('cni-neighbour-wrong'))).not.toMatchObject({ state: 'fail' });
    expect(resultOf(fdbEntryWrong, readBundle('cni-vtep-mac-changed'))).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster', () => {
    expect(resultOf(fdbEntryWrong, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where the FDB was not read, or not to its end', () => {
    const snapshot = readBundle('cni-fdb-missing');
    expect(resultOf(fdbEntryWrong, failing(snapshot, /^node\/n1\/bridge-fdb$/, 'truncated'))).toMatchObject({
      state: 'unknown',
      reason: 'truncated',
    });
    const odd = edited(snapshot, /^node\/n1\/bridge-fdb$/, (text) => `${text}something that is no entry\n`);
    expect(resultOf(fdbEntryWrong, odd)).toMatchObject({ state: 'unknown' });
  });
});
