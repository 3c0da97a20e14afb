import { describe, expect, it } from 'vitest';
import { tunnelDeviceDown } from '../../../src/checks/cni/tunnel-device-down.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI001 tunnel-device-down', () => {
  const snapshot = readBundle('cni-vxlan-down');

  it('names the device that lacks the flag UP, and breaks the traffic between nodes only', () => {
    const [fault, ...more] = faultsOf(tunnelDeviceDown, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe("flannel.1 (vxlan) is down on node n1: its pods and those of n2 and n3 can't reach each other");
    expect(fault.where).toEqual({ kind: 'link', name: 'flannel.1', node: 'n1' });
    expect(quoted(snapshot, fault)).toEqual([expect.stringMatching(/^\d+: flannel\.1: <BROADCAST,MULTICAST> mtu 1450 .*state DOWN/)]);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids).toContain('probe/pod/default/client/endpoint/10.244.2.10:8080');
    expect(ids).not.toContain('probe/pod/default/client/endpoint/10.244.1.13:8080');
    expect(ids.filter((id) => id.includes('/node/192.168.1.'))).toEqual([]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'tunnel-device-down' });
  });

  it('says that the device is gone where flannel should have one', () => {
    const gone = edited(snapshot, /^node\/n1\/ip-link$/, (text) => text.replace(/^\d+: flannel\.1:.*\n(?:\s.*\n)+/m, ''));
    const [fault] = faultsOf(tunnelDeviceDown, gone);
    expect(fault.title).toContain("node n1 has no VXLAN device, though flannel's backend there is vxlan");
    expect(quoted(gone, fault)).toContain('vxlan');
  });

  it('does not mind the state UNKNOWN of a device that is up', () => {
    expect(resultOf(tunnelDeviceDown, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where the devices of a node were not read', () => {
    expect(resultOf(tunnelDeviceDown, failing(snapshot, /^node\/n1\/ip-link$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
