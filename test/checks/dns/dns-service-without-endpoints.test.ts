import { describe, expect, it } from 'vitest';
import { dnsServiceWithoutEndpoints } from '../../../src/checks/dns/dns-service-without-endpoints.ts';
import { failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from './bundle.ts';

describe('DNS002 dns-service-without-endpoints', () => {
  it('quotes the selector and the labels that differ from it', () => {
    const snapshot = readBundle('dns-service-selector');
    const [fault] = faultsOf(dnsServiceWithoutEndpoints, snapshot);
    expect(fault.title).toMatch(
      /^Service kube-system\/kube-dns selects k8s-app=coredns, and no DNS pod has these labels \(kube-system\/coredns-\S+ has k8s-app=kube-dns\): 2 DNS pods are ready/,
    );
    expect(fault.where).toEqual({ kind: 'Service', namespace: 'kube-system', name: 'kube-dns' });
    expect(quoted(snapshot, fault)[0]).toBe('{"k8s-app":"coredns"}');
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'dns-service-without-endpoints' });
  });

  it('passes with endpoints, and leaves a cluster without ready pods to DNS001', () => {
    expect(resultOf(dnsServiceWithoutEndpoints, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(dnsServiceWithoutEndpoints, readBundle('dns-coredns-zero'))).toMatchObject({ state: 'skip' });
  });

  it('cannot tell without the pods', () => {
    expect(
      resultOf(dnsServiceWithoutEndpoints, failing(readBundle('dns-service-selector'), /kube-system\/pods$/, 'forbidden')),
    ).toMatchObject({ state: 'unknown', reason: 'forbidden' });
  });
});
