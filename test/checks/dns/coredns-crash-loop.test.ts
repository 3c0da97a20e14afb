import { describe, expect, it } from 'vitest';
import { corednsCrashLoop } from '../../../src/checks/dns/coredns-crash-loop.ts';
import { failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from './bundle.ts';

describe('DNS003 coredns-crash-loop', () => {
  it('quotes the line of the Corefile that ends CoreDNS, and the log that names it', () => {
    const snapshot = readBundle('dns-corefile-bad');
    const [fault] = faultsOf(corednsCrashLoop, snapshot);
    expect(fault.title).toMatch(
      /^2 of 2 DNS pods \(kube-system\/coredns-\S+, …\) end right after the start \(exit code 1\): the Corefile is wrong: .*Unknown directive 'raedy'/,
    );
    expect(fault.where).toEqual({ kind: 'ConfigMap', namespace: 'kube-system', name: 'coredns' });
    expect(quoted(snapshot, fault)).toEqual(
      expect.arrayContaining([expect.stringContaining("Error during parsing: Unknown directive 'raedy'"), '    raedy']),
    );
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'coredns-crash-loop' });
  });

  it('names the resolv.conf behind a forwarding loop', () => {
    const snapshot = readBundle('dns-loop');
    const [fault] = faultsOf(corednsCrashLoop, snapshot);
    expect(fault.title).toContain('the resolver that it forwards to is itself');
    expect(fault.where).toMatchObject({ kind: 'resolv.conf', name: expect.stringMatching(/^kubelet resolvConf on n\d/) });
    const lines = quoted(snapshot, fault);
    expect(lines.some((line) => /plugin\/loop: Loop \(127\.0\.0\.1:\d+ -> :53\) detected for zone "\."/.test(line))).toBe(true);
    expect(lines.some((line) => /forward \. \/etc\/resolv\.conf/.test(line))).toBe(true);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'coredns-crash-loop' });
  });

  it('still says that they crash, and no reason, where no log could be read', () => {
    const [fault] = faultsOf(corednsCrashLoop, without(readBundle('dns-corefile-bad'), /\/log(-previous)?$/));
    expect(fault.title).toContain('no log that was read says why');
    expect(fault.where).toEqual({ kind: 'Deployment', namespace: 'kube-system', name: 'coredns' });
  });

  it('passes where CoreDNS runs', () => {
    expect(resultOf(corednsCrashLoop, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(corednsCrashLoop, readBundle('dns-coredns-zero'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell without the pods', () => {
    expect(resultOf(corednsCrashLoop, failing(readBundle('dns-corefile-bad'), /kube-system\/pods$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
