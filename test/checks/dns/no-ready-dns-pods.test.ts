import { describe, expect, it } from 'vitest';
import { noReadyDnsPods } from '../../../src/checks/dns/no-ready-dns-pods.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from './bundle.ts';

describe('DNS001 no-ready-dns-pods', () => {
  it('names the Deployment that was scaled to nothing', () => {
    const snapshot = readBundle('dns-coredns-zero');
    const [fault] = faultsOf(noReadyDnsPods, snapshot);
    expect(fault.title).toContain('Deployment kube-system/coredns has 0 replicas');
    expect(fault.where).toEqual({ kind: 'Deployment', namespace: 'kube-system', name: 'coredns' });
    expect(quoted(snapshot, fault)).toEqual(['0', '(no endpoint)']);
    expect(fault.fix.join(' ')).toContain('kubectl scale deployment/coredns -n kube-system --replicas=2');
    expect(broken(createFacts(snapshot), fault).sort()).toEqual([
      'probe/pod/default/client/dns-server/10.96.0.10',
      'probe/pod/default/client/name/my-service',
      'probe/pod/default/client/name/my-service.default.svc.cluster.local.',
    ]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'no-ready-dns-pods' });
  });

  it('says why the pods that run are not ready', () => {
    const snapshot = readBundle('dns-coredns-unready');
    const [fault] = faultsOf(noReadyDnsPods, snapshot);
    expect(fault.title).toMatch(
      /^0 of 2 DNS pods are ready \(coredns-\S+: the readiness probe of container coredns, http port 8182\/ready, does not succeed\)/,
    );
    expect(fault.where).toEqual({ kind: 'Deployment', namespace: 'kube-system', name: 'coredns' });
    const lines = quoted(snapshot, fault).join('\n');
    expect(lines).toContain('ready=false');
    expect(lines).toContain('"port":8182');
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'no-ready-dns-pods' });
  });

  it('passes where DNS pods are ready', () => {
    expect(resultOf(noReadyDnsPods, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
  });

  it('leaves pods that crash, and pods that the Service does not select, to the checks for those', () => {
    expect(resultOf(noReadyDnsPods, readBundle('dns-corefile-bad'))).toMatchObject({ state: 'skip' });
    expect(resultOf(noReadyDnsPods, readBundle('dns-service-selector'))).toMatchObject({ state: 'skip' });
  });

  it('cannot tell without the objects of kube-system', () => {
    const snapshot = readBundle('dns-coredns-zero');
    expect(resultOf(noReadyDnsPods, failing(snapshot, /kube-system\/endpointslices$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
    expect(resultOf(noReadyDnsPods, failing(snapshot, /kube-system\/pods$/, 'truncated'))).toMatchObject({
      state: 'unknown',
      reason: 'truncated',
    });
    expect(resultOf(noReadyDnsPods, without(snapshot, /kube-system\/services$/))).toMatchObject({
      state: 'unknown',
      reason: 'not-collected',
    });
  });
});
