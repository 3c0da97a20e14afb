import { describe, expect, it } from 'vitest';
import { vxlanParametersDiffer } from '../../../src/checks/cni/vxlan-parameters-differ.ts';
import { failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI006 vxlan-parameters-differ', () => {
  it('names the node whose UDP port no other node has', () => {
    const snapshot = readBundle('cni-vxlan-port');
    const [fault, ...more] = faultsOf(vxlanParametersDiffer, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe(
      "flannel.1 of node n2 uses UDP port 4789, that of node n1 8472: the pods of n2 and of n1 can't reach each other",
    );
    expect(fault.where).toEqual({ kind: 'link', name: 'flannel.1 dstport 4789', node: 'n2' });
    expect(quoted(snapshot, fault).filter((line) => /vxlan id 1 .*dstport (4789|8472)/.test(line))).toHaveLength(2);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'vxlan-parameters-differ' });
  });

  it('names the node whose VNI no other node has', () => {
    const snapshot = readBundle('cni-vxlan-vni');
    const [fault] = faultsOf(vxlanParametersDiffer, snapshot);
    expect(fault.where).toEqual({ kind: 'link', name: 'flannel.1 id 2', node: 'n2' });
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'vxlan-parameters-differ' });
  });

  it('passes on a healthy cluster, and cannot tell without the devices of the far node', () => {
    expect(resultOf(vxlanParametersDiffer, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(vxlanParametersDiffer, failing(readBundle('cni-vxlan-vni'), /^node\/n2\/ip-link$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
    });
  });
});
