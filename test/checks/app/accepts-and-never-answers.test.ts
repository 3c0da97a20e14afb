import { describe, expect, it } from 'vitest';
import { acceptsAndNeverAnswers } from '../../../src/checks/app/accepts-and-never-answers.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('APP003 accepts-and-never-answers', () => {
  it('names what made the pods where all are silent', () => {
    const snapshot = readBundle('app-never-answers');
    const [fault] = faultsOf(acceptsAndNeverAnswers, snapshot);
    expect(fault.title).toMatch(/^all 3 backends, such as pod default\/web-\S+, accept connections on port 8080 and never answer/);
    expect(fault.where).toEqual({ kind: 'Deployment', namespace: 'default', name: 'web' });
    expect(quoted(snapshot, fault).every((line) => /timed out after \d+ milliseconds with 0 bytes received/.test(line))).toBe(true);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'app', slug: 'accepts-and-never-answers' });
  });

  it('names the one pod that is stopped, and the connections that wait for it', () => {
    const snapshot = readBundle('app-one-stopped');
    const [fault] = faultsOf(acceptsAndNeverAnswers, snapshot);
    expect(fault.title).toMatch(
      /^1 of 3 backends, pod default\/web-\S+ on n2, accepts connections on port 8080 and never answers; \d+ connections wait in its accept queue$/,
    );
    expect(fault.where).toMatchObject({ kind: 'Pod', namespace: 'default', node: 'n2' });
    expect(quoted(snapshot, fault).some((line) => /^tcp\s+LISTEN\s+[1-9]/.test(line))).toBe(true);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids.filter((id) => id.startsWith('probe/pod/default/client/endpoint/'))).toEqual([
      expect.stringMatching(/10\.244\.2\.\d+:8080$/),
    ]);
    expect(ids.some((id) => id.startsWith('probe/pod/default/client/service/'))).toBe(true);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'app', slug: 'accepts-and-never-answers' });
  });

  it('does not blame the application where its own node gets an answer', () => {
    const answering = edited(
      readBundle('app-one-stopped'),
      /^probe\/node\/n2\/endpoint\/10\.244\.2\./,
      () =>
        'k8snet-try 1 rc=0 cs=1\ntool=curl\n*   Trying 10.244.2.2:8080...\n* Connected to 10.244.2.2 (10.244.2.2) port 8080\n< HTTP/1.1 200 OK\n',
    );
    expect(resultOf(acceptsAndNeverAnswers, answering)).toMatchObject({ state: 'unknown' });
  });

  it('does not blame the application where full-size packets are lost', () => {
    const small = edited(
      readBundle('app-one-stopped'),
      /^probe\/pod\/default\/client\/payload\/10\.244\.2\./,
      () =>
        'k8snet-mtu dev=eth0 mtu=1450\nk8snet-ping size=small\nPING 10.244.2.2 (10.244.2.2) 56(84) bytes of data.\n64 bytes from 10.244.2.2: icmp_seq=1 ttl=62 time=0.1 ms\n\n--- 10.244.2.2 ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time 0ms\nk8snet-ping size=1450\nPING 10.244.2.2 (10.244.2.2) 1422(1450) bytes of data.\n\n--- 10.244.2.2 ping statistics ---\n2 packets transmitted, 0 received, 100% packet loss, time 200ms\n',
    );
    expect(resultOf(acceptsAndNeverAnswers, small)).toMatchObject({ state: 'unknown' });
  });

  it('passes where the backends answer', () => {
    expect(resultOf(acceptsAndNeverAnswers, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(acceptsAndNeverAnswers, readBundle('app-wrong-port'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where they were not asked', () => {
    expect(
      resultOf(
        acceptsAndNeverAnswers,
        failing(readBundle('app-never-answers'), /^probe\/pod\/default\/client\/endpoint\//, 'tool-missing'),
      ),
    ).toMatchObject({ state: 'unknown', reason: 'tool-missing' });
  });
});
