import { describe, expect, it } from 'vitest';
import { podVethNotOnBridge } from '../../../src/checks/cni/pod-veth-not-on-bridge.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI014 pod-veth-not-on-bridge', () => {
  const snapshot = readBundle('cni-pod-veth-off-bridge');

  it('shows the device without a master, the route to the bridge and the neighbour that is not found there', () => {
    const [fault, ...more] = faultsOf(podVethNotOnBridge, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(
      /^veth8a5d2103 on node n2, the veth of pod default\/web-\S+, is no port of cni0, where the node looks for 10\.244\.2\.13$/,
    );
    expect(fault.where).toEqual({ kind: 'link', name: 'veth8a5d2103', node: 'n2' });
    expect(quoted(snapshot, fault)).toEqual([
      expect.not.stringContaining('master'),
      expect.stringContaining('10.244.2.0/24 dev cni0'),
      expect.stringMatching(/^10\.244\.2\.13 dev cni0 (INCOMPLETE|FAILED)/),
    ]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'pod-veth-not-on-bridge' });
  });

  it('has nothing to say of a routed CNI, whose veths have no master', () => {
    const routed = edited(snapshot, /^node\/n2\/ip-route$/, (text) => `10.244.2.13 dev veth8a5d2103 scope link \n${text}`);
    expect(resultOf(podVethNotOnBridge, routed)).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster, and cannot tell without the routes of the node', () => {
    expect(resultOf(podVethNotOnBridge, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(podVethNotOnBridge, failing(snapshot, /^node\/n2\/ip-route$/, 'forbidden'))).toMatchObject({ state: 'unknown' });
  });
});
