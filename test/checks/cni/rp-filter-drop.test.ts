import { describe, expect, it } from 'vitest';
import { rpFilterDrop } from '../../../src/checks/cni/rp-filter-drop.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI012 rp-filter-drop', () => {
  const snapshot = readBundle('cni-rp-filter');
  const withSetting = (all: string, device: string) =>
    edited(snapshot, /^node\/n2\/sysctl$/, (text) =>
      text
        .replace(/conf\.all\.rp_filter = \d/, `conf.all.rp_filter = ${all}`)
        .replace(/conf\.flannel\/1\.rp_filter = \d/, `conf.flannel/1.rp_filter = ${device}`),
    );

  it("shows the setting, the route that contradicts it and the kernel's own count", () => {
    const [fault, ...more] = faultsOf(rpFilterDrop, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toContain('net.ipv4.conf.flannel/1.rp_filter is 1 (strict), and its route back leaves by eth0');
    expect(fault.where).toEqual({ kind: 'sysctl', name: 'net.ipv4.conf.flannel/1.rp_filter=1', node: 'n2' });
    expect(quoted(snapshot, fault)).toEqual([
      'net.ipv4.conf.flannel/1.rp_filter = 1',
      expect.stringContaining('10.244.1.0/24 via 192.168.1.11 dev eth0'),
      expect.stringMatching(/^TcpExtIPReversePathFilter\s+[1-9]/),
    ]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'rp-filter-drop' });
  });

  it('takes the higher of the two settings, as the kernel does', () => {
    expect(faultsOf(rpFilterDrop, withSetting('1', '0'))[0].where.name).toBe('net.ipv4.conf.all.rp_filter=1');
    expect(resultOf(rpFilterDrop, withSetting('0', '0'))).toMatchObject({ state: 'pass' });
    expect(resultOf(rpFilterDrop, withSetting('1', '2'))).toMatchObject({ state: 'pass' });
    expect(resultOf(rpFilterDrop, withSetting('2', '1'))).toMatchObject({ state: 'pass' });
  });

  it('minds no strict filter where the route back leaves by the same device', () => {
    const strict = edited(readBundle('cni-odd-forward-policy'), /^node\/n\d\/sysctl$/, (text) =>
      text.replace(/rp_filter = \d/g, 'rp_filter = 1'),
    );
    expect(resultOf(rpFilterDrop, strict)).toMatchObject({ state: 'pass' });
  });

  it('cannot tell without the settings', () => {
    expect(resultOf(rpFilterDrop, failing(snapshot, /^node\/n2\/sysctl$/, 'tool-missing'))).toMatchObject({
      state: 'unknown',
      reason: 'tool-missing',
    });
  });
});
