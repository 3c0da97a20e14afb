import { describe, expect, it } from 'vitest';
import { podDefaultRouteMissing } from '../../../src/checks/cni/pod-default-route-missing.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'pod-default-route-missing' };

describe('CNI015 pod-default-route-missing', () => {
  it("finds a client that can't leave its subnet, for names and Services too", () => {
    const snapshot = readBundle('cni-client-no-route');
    const [fault, ...more] = faultsOf(podDefaultRouteMissing, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(/^pod default\/client has no route to .*: it can't leave its own subnet$/);
    expect(quoted(snapshot, fault)).toEqual([expect.stringMatching(/^10\.244\.1\.0\/24 dev eth0/)]);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids).toEqual(
      expect.arrayContaining(['probe/pod/default/client/name/my-service', 'probe/pod/default/client/dns-server/10.96.0.10']),
    );
    expect(ids.some((id) => id.startsWith('probe/node/'))).toBe(false);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it("finds a backend that can't answer other nodes", () => {
    const snapshot = readBundle('cni-pod-no-route');
    const [fault] = faultsOf(podDefaultRouteMissing, snapshot);
    expect(fault.title).toMatch(/^pod default\/web-\S+-6stzx has no route to .*: it can't answer pods of other nodes$/);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds a gateway that does not answer', () => {
    const snapshot = edited(readBundle('cni-vxlan-down'), /^pod\/default\/client\/ip-neigh$/, () => '10.244.1.1 dev eth0 FAILED \n');
    const [fault] = faultsOf(podDefaultRouteMissing, snapshot);
    expect(fault.title).toBe('pod default/client gets no answer from its gateway 10.244.1.1: nothing that it sends gets out of its subnet');
    expect(quoted(snapshot, fault)[0]).toContain('10.244.1.1 dev eth0 FAILED');
  });

  it('passes on a healthy cluster, and cannot tell without the routes of a pod', () => {
    expect(resultOf(podDefaultRouteMissing, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    const snapshot = readBundle('cni-client-no-route');
    expect(resultOf(podDefaultRouteMissing, failing(snapshot, /^pod\/default\/client\/ip-route$/, 'tool-missing'))).toMatchObject({
      state: 'unknown',
    });
    expect(
      resultOf(
        podDefaultRouteMissing,
        edited(snapshot, /^pod\/default\/client\/ip-route$/, (text) => `${text}what is this\n`),
      ),
    ).toMatchObject({ state: 'unknown' });
  });
});
