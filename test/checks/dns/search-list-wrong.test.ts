import { describe, expect, it } from 'vitest';
import { searchListWrong } from '../../../src/checks/dns/search-list-wrong.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from './bundle.ts';

describe('DNS006 search-list-wrong', () => {
  it('names the domain that the search list lacks', () => {
    const snapshot = readBundle('dns-search-list');
    const [fault] = faultsOf(searchListWrong, snapshot);
    expect(fault.title).toBe(
      'the search list of pod default/client lacks default.svc.cluster.local ("search prod.svc.cluster.local svc.cluster.local cluster.local"): my-service does not resolve, my-service.default.svc.cluster.local does',
    );
    expect(fault.where).toEqual({ kind: 'Pod', namespace: 'default', name: 'client' });
    expect(quoted(snapshot, fault)).toContain('search prod.svc.cluster.local svc.cluster.local cluster.local');
    expect(broken(createFacts(snapshot), fault)).toEqual(['probe/pod/default/client/name/my-service']);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'search-list-wrong' });
  });

  it("names kubelet's cluster domain where it is not the zone that CoreDNS serves", () => {
    const snapshot = readBundle('dns-cluster-domain');
    const [fault] = faultsOf(searchListWrong, snapshot);
    expect(fault.title).toContain('the search list of pod default/client ends in cluster.internal, and CoreDNS serves cluster.local');
    expect(fault.where).toEqual({ kind: 'kubelet', name: 'clusterDomain', node: 'n1' });
    const lines = quoted(snapshot, fault);
    expect(lines.some((line) => /^search default\.svc\.cluster\.internal /.test(line))).toBe(true);
    expect(lines.some((line) => /kubernetes cluster\.local/.test(line))).toBe(true);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'search-list-wrong' });
  });

  it('passes where the short name resolves, and is not asked where the absolute one fails too', () => {
    expect(resultOf(searchListWrong, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(searchListWrong, readBundle('dns-coredns-zero'))).toMatchObject({ state: 'skip' });
  });

  it('does not take an NXDOMAIN that a dead DNS pod caused for a wrong list', () => {
    expect(resultOf(searchListWrong, readBundle('dns-pod-bad'))).not.toMatchObject({ state: 'fail' });
  });

  it('cannot tell without both lookups or the resolv.conf', () => {
    const snapshot = readBundle('dns-search-list');
    expect(resultOf(searchListWrong, failing(snapshot, /name\/my-service\.default.*\.$/, 'timeout'))).toMatchObject({ state: 'unknown' });
    expect(resultOf(searchListWrong, failing(snapshot, /client\/resolv\.conf$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
