import { describe, expect, it } from 'vitest';
import { dnsUpstreamFailing } from '../../../src/checks/dns/dns-upstream-failing.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from './bundle.ts';

const snapshot = readBundle('dns-upstream-wrong');

describe('DNS009 dns-upstream-failing', () => {
  it('names the upstream that the log of CoreDNS complains of', () => {
    const [fault] = faultsOf(dnsUpstreamFailing, snapshot);
    expect(fault.title).toMatch(/^CoreDNS gets no answer for www\.example\.com from its upstream 192\.168\.1\.53:53 \(.*no route to host/);
    expect(fault.where).toEqual({ kind: 'resolver', name: '192.168.1.53:53' });
    const lines = quoted(snapshot, fault);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/plugin\/errors: 2 www\.example\.com\. A: /),
        expect.stringContaining('forward . /etc/resolv.conf'),
        'nameserver 192.168.1.53',
      ]),
    );
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'dns-upstream-failing' });
  });

  it('rests on the SERVFAIL where no log was read, and does not name an upstream that it did not see', () => {
    const [fault] = faultsOf(dnsUpstreamFailing, without(snapshot, /\/log$/));
    expect(fault.title).toContain('from its upstream (forward . /etc/resolv.conf)');
    expect(fault.where).toEqual({ kind: 'resolver', name: '/etc/resolv.conf' });
  });

  it('does not blame the upstream for silence that may be of the way to CoreDNS', () => {
    const silent = edited(
      without(snapshot, /\/log$/),
      /name\/www\.example\.com\.$/,
      () =>
        'k8snet-query name=www.example.com. server=10.96.0.10\ntool=dig\n;; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached\nk8snet-answer rc=9 cs=200\n',
    );
    expect(resultOf(dnsUpstreamFailing, silent)).toMatchObject({ state: 'unknown' });
  });

  it('passes where the external name resolves, and is not asked for other Services', () => {
    const resolving = edited(snapshot, /name\/www\.example\.com\.$/, (text) =>
      text
        .replace(/status: SERVFAIL/, 'status: NOERROR')
        .replace(/(QUERY: 1, ANSWER:) 0/, '$1 1')
        .replace(';; Query time', ';; ANSWER SECTION:\nwww.example.com.\t30\tIN\tA\t192.0.2.80\n\n;; Query time'),
    );
    expect(resultOf(dnsUpstreamFailing, resolving)).toMatchObject({ state: 'pass' });
    expect(resultOf(dnsUpstreamFailing, readBundle('dns-healthy'))).toMatchObject({ state: 'skip' });
  });

  it('cannot tell without the Service or the lookup', () => {
    expect(resultOf(dnsUpstreamFailing, failing(snapshot, /services\/my-external$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
    expect(resultOf(dnsUpstreamFailing, failing(snapshot, /name\/www\.example\.com\.$/, 'timeout'))).toMatchObject({
      state: 'unknown',
      reason: 'timeout',
    });
  });
});
