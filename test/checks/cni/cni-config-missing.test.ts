import { describe, expect, it } from 'vitest';
import { cniConfigMissing } from '../../../src/checks/cni/cni-config-missing.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf } from '../dns/bundle.ts';

describe('CNI018 cni-config-missing', () => {
  const snapshot = readBundle('cni-config-missing');

  it('is a note that quotes the condition of the node and its empty directory', () => {
    const [fault, ...more] = faultsOf(cniConfigMissing, snapshot);
    expect(more).toEqual([]);
    expect(fault.noteOnly).toBe(true);
    expect(fault.where).toEqual({ kind: 'Node', name: 'n3', node: 'n3' });
    expect(fault.title).toMatch(/^node n3 is NotReady because its pod network is not set up/);
    expect(quoted(snapshot, fault)[0]).toContain('cni plugin not initialized');
  });

  it('says nothing of a node that is not ready for another reason', () => {
    const other = edited(snapshot, /^api\/api\/v1\/nodes$/, (text) =>
      text.replace(/container runtime network not ready[^"]*/, 'PLEG is not healthy'),
    );
    expect(resultOf(cniConfigMissing, other)).toMatchObject({ state: 'pass' });
  });

  it('passes on a healthy cluster, and cannot tell without the nodes', () => {
    expect(resultOf(cniConfigMissing, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(cniConfigMissing, failing(snapshot, /^api\/api\/v1\/nodes$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
