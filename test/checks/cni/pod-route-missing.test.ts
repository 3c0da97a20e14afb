import { describe, expect, it } from 'vitest';
import { podRouteMissing } from '../../../src/checks/cni/pod-route-missing.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'pod-route-missing' };

describe('CNI002 pod-route-missing', () => {
  it("names the range that the client's node has no route to, and where its packets go instead", () => {
    const snapshot = readBundle('cni-route-missing');
    const [fault, ...more] = faultsOf(podRouteMissing, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe('node n1 has no route to 10.244.2.0/24, the pods of n2: they go to 192.168.1.1, its default route');
    expect(fault.where).toEqual({ kind: 'route', name: '10.244.2.0/24', node: 'n1' });
    expect(quoted(snapshot, fault)[0]).toContain('default via 192.168.1.1 dev eth0');
    expect(broken(createFacts(snapshot), fault).some((id) => id.includes('/endpoint/10.244.3.'))).toBe(false);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds the missing way back', () => {
    const snapshot = readBundle('cni-return-route-missing');
    const [fault] = faultsOf(podRouteMissing, snapshot);
    expect(fault.title).toMatch(/^node n2 has no route to 10\.244\.1\.0\/24, the pods of n1: .* so that their answers are lost$/);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('quotes a blackhole', () => {
    const snapshot = readBundle('cni-route-blackhole');
    const [fault] = faultsOf(podRouteMissing, snapshot);
    expect(fault.title).toBe('node n1 has a blackhole route to 10.244.2.0/24, the pods of n2');
    expect(quoted(snapshot, fault)[0]).toContain('blackhole 10.244.2.0/24');
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds a wrong gateway where nodes are gateways (host-gw), and nothing where it is right', () => {
    const snapshot = readBundle('cni-hostgw-route-wrong');
    const [fault, ...more] = faultsOf(podRouteMissing, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe('node n1 sends packets for 10.244.2.0/24, the pods of n2, to 192.168.1.13, which is node n3');
    expect(verdictOf(snapshot)).toEqual(verdict);
    expect(resultOf(podRouteMissing, readBundle('cni-hostgw-healthy'))).toMatchObject({ state: 'pass' });
    expect(verdictOf(readBundle('cni-hostgw-healthy'))).toMatchObject({ status: 'healthy' });
  });

  it('finds a route that leads to another node, or into the bridge of the own pods', () => {
    const change = (to: string) =>
      edited(readBundle('cni-route-missing'), /^node\/n1\/ip-route$/, (text) => `10.244.2.0/24 ${to}\n${text}`);
    expect(faultsOf(podRouteMissing, change('via 192.168.1.13 dev eth0'))[0].title).toContain('to 192.168.1.13, which is node n3');
    expect(faultsOf(podRouteMissing, change('dev cni0 scope link'))[0].title).toContain('to cni0, the bridge of its own pods');
    expect(resultOf(podRouteMissing, change('via 192.168.1.12 dev eth0'))).not.toMatchObject({ state: 'fail' });
  });

  it('finds that a node lost the route to its own pods', () => {
    const lost = edited(readBundle('cni-route-missing'), /^node\/n2\/ip-route$/, (text) =>
      text.replace(/^10\.244\.2\.0\/24 dev cni0 .*\n/m, ''),
    );
    expect(faultsOf(podRouteMissing, lost).map((fault) => fault.title)).toContainEqual(
      expect.stringMatching(/^node n2 has no route to its own pod default\/web-/),
    );
  });

  it('calls no default route wrong in a cloud that routes pods itself', () => {
    expect(resultOf(podRouteMissing, inCloud(readBundle('cni-route-missing')))).toMatchObject({ state: 'unknown', reason: 'unsupported' });
  });

  it('believes a route of another table when a rule leads there', () => {
    const aside = edited(
      edited(
        readBundle('cni-route-missing'),
        /^node\/n1\/ip-route$/,
        (text) => `${text}10.244.2.0/24 via 10.244.2.0 dev flannel.1 table 100 onlink\n`,
      ),
      /^node\/n1\/ip-rule$/,
      (text) => text.replace('32766:', '1000:\tfrom all to 10.244.0.0/16 lookup 100\n32766:'),
    );
    expect(resultOf(podRouteMissing, aside)).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster, and cannot tell without routes or with a rule on marks', () => {
    expect(resultOf(podRouteMissing, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    const snapshot = readBundle('cni-route-missing');
    expect(resultOf(podRouteMissing, failing(snapshot, /^node\/n1\/ip-route$/, 'truncated'))).toMatchObject({
      state: 'unknown',
      reason: 'truncated',
    });
    const marks = edited(snapshot, /^node\/n1\/ip-rule$/, (text) =>
      text.replace('32766:', '9:\tfrom all fwmark 0x200/0xf00 lookup 2004\n32766:'),
    );
    // A table that knows no way there changes nothing, whatever the mark is.
    expect(resultOf(podRouteMissing, marks)).toMatchObject({ state: 'fail' });
    const marked = edited(marks, /^node\/n1\/ip-route$/, (text) => `${text}10.244.0.0/16 via 192.168.1.12 dev eth0 table 2004\n`);
    expect(resultOf(podRouteMissing, marked)).toMatchObject({ state: 'unknown' });
  });
});

/** Without flannel, and with no route to pods of other nodes on any node. */
const inCloud = (snapshot: Snapshot): Snapshot =>
  edited(
    edited(snapshot, /^api\/api\/v1\/nodes$/, (text) => text.replaceAll('flannel.alpha.coreos.com/', 'example.com/')),
    /^node\/n\d\/ip-route$/,
    (text) => text.replace(/^10\.244\.\d\.0\/24 via .*\n/gm, ''),
  );
