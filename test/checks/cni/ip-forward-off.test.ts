import { describe, expect, it } from 'vitest';
import { ipForwardOff } from '../../../src/checks/cni/ip-forward-off.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'ip-forward-off' };

describe('CNI010 ip-forward-off', () => {
  it("finds it on the client's node, and leaves pods on one bridge out", () => {
    const snapshot = readBundle('cni-ip-forward-client');
    const [fault, ...more] = faultsOf(ipForwardOff, snapshot);
    expect(more).toEqual([]);
    expect(fault.where).toEqual({ kind: 'sysctl', name: 'net.ipv4.ip_forward=0', node: 'n1' });
    expect(quoted(snapshot, fault)).toEqual(['net.ipv4.ip_forward = 0']);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids.some((id) => /^probe\/pod\/default\/client\/endpoint\/10\.244\.2\./.test(id))).toBe(true);
    expect(ids.some((id) => /\/endpoint\/10\.244\.1\./.test(id))).toBe(false);
    // The node's own packets are not forwarded there.
    expect(ids.some((id) => /^probe\/node\/n1\/endpoint\//.test(id))).toBe(false);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it("finds it on a backend's node", () => {
    const snapshot = readBundle('cni-ip-forward-backend');
    expect(faultsOf(ipForwardOff, snapshot)[0].where).toEqual({ kind: 'sysctl', name: 'net.ipv4.ip_forward=0', node: 'n2' });
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds it for the device by which the packets come in, and for no other', () => {
    const device = (name: string) =>
      edited(readBundle('cni-ip-forward-backend'), /^node\/n2\/sysctl$/, (text) =>
        text
          .replace('net.ipv4.ip_forward = 0', 'net.ipv4.ip_forward = 1')
          .replace(/(conf\.\S+\.forwarding = )0/g, '$11')
          .replace(`conf.${name}.forwarding = 1`, `conf.${name}.forwarding = 0`),
      );
    expect(faultsOf(ipForwardOff, device('flannel/1'))[0].where.name).toBe('net.ipv4.conf.flannel/1.forwarding=0');
    expect(resultOf(ipForwardOff, device('eth0'))).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster, and cannot tell without the settings', () => {
    expect(resultOf(ipForwardOff, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    const snapshot = readBundle('cni-ip-forward-client');
    expect(resultOf(ipForwardOff, failing(snapshot, /^node\/n1\/sysctl$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
    expect(
      resultOf(
        ipForwardOff,
        edited(snapshot, /^node\/n1\/sysctl$/, (text) => text.replace(/^net\.ipv4\.ip_forward.*\n/m, '')),
      ),
    ).toMatchObject({ state: 'unknown' });
  });
});
