import { describe, expect, it } from 'vitest';
import { podVethDown } from '../../../src/checks/cni/pod-veth-down.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI013 pod-veth-down', () => {
  const snapshot = readBundle('cni-pod-veth-down');

  it("finds the node's end of the pod's veth by its number", () => {
    const [fault, ...more] = faultsOf(podVethDown, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(/^veth9c2d3d2c on node n2, the veth of pod default\/web-\S+-cndxd, is down/);
    expect(fault.where).toEqual({ kind: 'link', name: 'veth9c2d3d2c', node: 'n2' });
    expect(quoted(snapshot, fault)).toEqual([expect.stringMatching(/^\d+: veth9c2d3d2c@if2: <BROADCAST,MULTICAST> /)]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'pod-veth-down' });
  });

  it("finds the pod's own end, and the bridge behind it", () => {
    const up = (text: string) => text.replace(/(veth9c2d3d2c@if2: <)BROADCAST,MULTICAST>/, '$1BROADCAST,MULTICAST,UP,LOWER_UP>');
    const healthy = edited(snapshot, /^node\/n2\/ip-link$/, up);
    expect(resultOf(podVethDown, healthy)).not.toMatchObject({ state: 'fail' });
    const inner = edited(healthy, /^pod\/default\/web-\S+-cndxd\/ip-link$/, (text) =>
      text.replace(/(eth0@if\d+: <)[^>]*>/, '$1BROADCAST,MULTICAST>'),
    );
    expect(faultsOf(podVethDown, inner)[0].title).toMatch(/^eth0 inside pod default\/web-\S+-cndxd is down/);
    const bridge = edited(healthy, /^node\/n2\/ip-link$/, (text) => text.replace(/(cni0: <)[^>]*>/, '$1BROADCAST,MULTICAST>'));
    expect(faultsOf(podVethDown, bridge)[0].where).toEqual({ kind: 'link', name: 'cni0', node: 'n2' });
  });

  it('passes on a healthy cluster, and cannot tell without the devices', () => {
    expect(resultOf(podVethDown, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(podVethDown, failing(snapshot, /^node\/n2\/ip-link$/, 'unreachable'))).toMatchObject({ state: 'unknown' });
    expect(resultOf(podVethDown, failing(snapshot, /^pod\/default\/web-\S+\/ip-link$/, 'not-collected'))).toMatchObject({
      state: 'unknown',
    });
  });
});
