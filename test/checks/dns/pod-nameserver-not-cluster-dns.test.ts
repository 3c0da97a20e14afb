import { describe, expect, it } from 'vitest';
import { podNameserverNotClusterDns } from '../../../src/checks/dns/pod-nameserver-not-cluster-dns.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from './bundle.ts';

describe('DNS004 pod-nameserver-not-cluster-dns', () => {
  it('quotes the nameserver line of the client', () => {
    const snapshot = readBundle('dns-pod-nameserver');
    const [fault] = faultsOf(podNameserverNotClusterDns, snapshot);
    expect(fault.title).toBe(
      'pod default/client asks the name server 10.96.0.99, which is not the cluster DNS (10.96.0.10): its dnsPolicy is None',
    );
    expect(fault.where).toEqual({ kind: 'Pod', namespace: 'default', name: 'client' });
    expect(quoted(snapshot, fault)).toEqual(expect.arrayContaining(['nameserver 10.96.0.99', '10.96.0.10']));
    expect(broken(createFacts(snapshot), fault)).toEqual([
      'probe/pod/default/client/name/my-service',
      'probe/pod/default/client/name/my-service.default.svc.cluster.local.',
    ]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'pod-nameserver-not-cluster-dns' });
  });

  it('blames kubelet where the pod left the choice to it', () => {
    const snapshot = edited(readBundle('dns-pod-nameserver'), /namespaces\/default\/pods$/, (text) =>
      text.replaceAll('"dnsPolicy":"None"', '"dnsPolicy":"ClusterFirst"'),
    );
    expect(faultsOf(podNameserverNotClusterDns, snapshot)[0].where).toEqual({ kind: 'kubelet', name: 'clusterDNS', node: 'n1' });
  });

  it('takes a node-local cache for the cluster DNS', () => {
    const snapshot = edited(readBundle('dns-pod-nameserver'), /client\/resolv\.conf$/, (text) =>
      text.replace('10.96.0.99', '169.254.20.10'),
    );
    expect(resultOf(podNameserverNotClusterDns, snapshot)).toMatchObject({ state: 'pass' });
  });

  it('says nothing of another resolver by which names resolve', () => {
    const snapshot = edited(readBundle('dns-healthy'), /client\/resolv\.conf$/, (text) => text.replace('10.96.0.10', '192.0.2.53'));
    expect(resultOf(podNameserverNotClusterDns, snapshot)).toMatchObject({ state: 'pass' });
  });

  it('passes where the client asks the cluster DNS', () => {
    expect(resultOf(podNameserverNotClusterDns, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell without the resolv.conf, the DNS Service or a lookup', () => {
    const snapshot = readBundle('dns-pod-nameserver');
    expect(resultOf(podNameserverNotClusterDns, failing(snapshot, /client\/resolv\.conf$/, 'timeout'))).toMatchObject({
      state: 'unknown',
      reason: 'timeout',
    });
    expect(resultOf(podNameserverNotClusterDns, failing(snapshot, /kube-system\/services$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
    expect(resultOf(podNameserverNotClusterDns, without(snapshot, /client\/name\//))).toMatchObject({ state: 'unknown' });
  });
});
