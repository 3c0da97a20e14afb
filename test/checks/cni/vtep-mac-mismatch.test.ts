import { describe, expect, it } from 'vitest';
import { vtepMacMismatch } from '../../../src/checks/cni/vtep-mac-mismatch.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI005 vtep-mac-mismatch', () => {
  const snapshot = readBundle('cni-vtep-mac-changed');

  it("shows the device's MAC beside what the peers and the annotation say", () => {
    const [fault, ...more] = faultsOf(vtepMacMismatch, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(
      /^flannel\.1 of node n2 has the MAC 02:00:00:00:00:77, and the other nodes were told \S+: the node drops what they send to its pods$/,
    );
    expect(fault.where).toEqual({ kind: 'link', name: 'flannel.1', node: 'n2' });
    const lines = quoted(snapshot, fault);
    expect(lines[0]).toContain('link/ether 02:00:00:00:00:77');
    expect(lines.filter((line) => /10\.244\.2\.0 dev flannel\.1 lladdr \S+ PERMANENT/.test(line))).toHaveLength(2);
    expect(lines.at(-1)).toContain('VtepMAC');
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'vtep-mac-mismatch' });
  });

  it('needs no annotation where two peers agree', () => {
    const calico = edited(snapshot, /^api\/api\/v1\/nodes$/, (text) => text.replaceAll('flannel.alpha.coreos.com/', 'example.com/'));
    expect(faultsOf(vtepMacMismatch, calico)[0].where).toEqual({ kind: 'link', name: 'flannel.1', node: 'n2' });
  });

  it('leaves one wrong peer to CNI004', () => {
    expect(resultOf(vtepMacMismatch, readBundle('cni-neighbour-wrong'))).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster, and cannot tell without the device', () => {
    expect(resultOf(vtepMacMismatch, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(vtepMacMismatch, failing(snapshot, /^node\/n2\/ip-link$/, 'unreachable'))).toMatchObject({ state: 'unknown' });
  });
});
