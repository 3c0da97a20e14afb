import { describe, expect, it } from 'vitest';
import { dnsPolicyDefault } from '../../../src/checks/dns/dns-policy-default.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from './bundle.ts';

describe('DNS005 dns-policy-default', () => {
  it('quotes the policy and the nameserver that came of it', () => {
    const snapshot = readBundle('dns-policy-default');
    const [fault] = faultsOf(dnsPolicyDefault, snapshot);
    expect(fault.title).toContain(
      "pod default/client has dnsPolicy Default: it asks its node's resolver 192.168.1.1, which knows no Service, instead of the cluster DNS 10.96.0.10",
    );
    expect(fault.where).toEqual({ kind: 'Pod', namespace: 'default', name: 'client' });
    expect(quoted(snapshot, fault)).toEqual(expect.arrayContaining(['Default', 'nameserver 192.168.1.1']));
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'dns-policy-default' });
  });

  it('knows that ClusterFirst means Default in the host network', () => {
    const snapshot = edited(readBundle('dns-policy-default'), /namespaces\/default\/pods$/, (text) =>
      text.replace('"dnsPolicy":"Default"', '"dnsPolicy":"ClusterFirst","hostNetwork":true'),
    );
    const [fault] = faultsOf(dnsPolicyDefault, snapshot);
    expect(fault.title).toContain('is in the host network with dnsPolicy ClusterFirst');
    expect(fault.fix[0]).toContain('ClusterFirstWithHostNet');
  });

  it('passes for ClusterFirst, and where the name resolves all the same', () => {
    expect(resultOf(dnsPolicyDefault, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
    const resolving = edited(readBundle('dns-healthy'), /namespaces\/default\/pods$/, (text) =>
      text.replaceAll('"dnsPolicy":"ClusterFirst"', '"dnsPolicy":"Default"'),
    );
    expect(resultOf(dnsPolicyDefault, resolving)).toMatchObject({ state: 'pass' });
  });

  it('cannot tell without the pod, its resolv.conf or a lookup', () => {
    const snapshot = readBundle('dns-policy-default');
    expect(resultOf(dnsPolicyDefault, failing(snapshot, /namespaces\/default\/pods$/, 'forbidden'))).toMatchObject({ state: 'unknown' });
    expect(resultOf(dnsPolicyDefault, failing(snapshot, /client\/resolv\.conf$/, 'timeout'))).toMatchObject({
      state: 'unknown',
      reason: 'timeout',
    });
    expect(resultOf(dnsPolicyDefault, without(snapshot, /client\/name\//))).toMatchObject({ state: 'unknown' });
  });
});
