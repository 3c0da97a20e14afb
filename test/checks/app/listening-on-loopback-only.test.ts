import { describe, expect, it } from 'vitest';
import { listeningOnLoopbackOnly } from '../../../src/checks/app/listening-on-loopback-only.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const snapshot = readBundle('app-loopback');

describe('APP001 listening-on-loopback-only', () => {
  it('quotes the listeners, and names what made the pods', () => {
    const [fault] = faultsOf(listeningOnLoopbackOnly, snapshot);
    expect(fault.title).toMatch(
      /^all 3 backends, such as pod default\/web-\S+, listen on 127\.0\.0\.1:8080 only: connections to 10\.244\.1\.10:8080 are refused$/,
    );
    expect(fault.where).toEqual({ kind: 'Deployment', namespace: 'default', name: 'web' });
    expect(quoted(snapshot, fault).filter((line) => /^tcp\s+LISTEN .*127\.0\.0\.1:8080/.test(line))).toHaveLength(3);
    expect(broken(createFacts(snapshot), fault).sort()).toEqual([
      'probe/pod/default/client/endpoint/10.244.1.10:8080',
      'probe/pod/default/client/endpoint/10.244.2.7:8080',
      'probe/pod/default/client/endpoint/10.244.3.8:8080',
      expect.stringMatching(/^probe\/pod\/default\/client\/service\//),
    ]);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'app', slug: 'listening-on-loopback-only' });
  });

  it('names the pod where it is one of several', () => {
    const one = edited(snapshot, /^pod\/default\/web-[^/]+-(2fmlr|xm5n6)\/ss$/, (text) =>
      text.replaceAll('127.0.0.1:8080', '  0.0.0.0:8080'),
    );
    const [fault] = faultsOf(listeningOnLoopbackOnly, one);
    expect(fault.title).toMatch(/^1 of 3 backends, pod default\/web-\S+-q2bvc on n1, listens/);
    expect(fault.where).toEqual({ kind: 'Pod', namespace: 'default', name: 'web-84ccd6448b-q2bvc', node: 'n1' });
  });

  it('does not explain a connection that timed out: that one never reached the pod', () => {
    const silent = edited(snapshot, /\/endpoint\/10\.244\.2\.7:8080$/, (text) =>
      text.replace(
        /^(k8snet-try 1 rc=)7.*\n(tool=curl\n\* {3}Trying.*\n)[\s\S]*/,
        '$128 cs=400\n$2* Connection timed out after 4001 milliseconds\n',
      ),
    );
    expect(broken(createFacts(silent), faultsOf(listeningOnLoopbackOnly, silent)[0])).not.toContain(
      'probe/pod/default/client/endpoint/10.244.2.7:8080',
    );
  });

  it('takes a wildcard listener beside the loopback one for enough', () => {
    const both = edited(
      snapshot,
      /^pod\/default\/web-[^/]+\/ss$/,
      (text) => `${text}tcp   LISTEN 0      9                  *:8080            *:*          \n`,
    );
    expect(resultOf(listeningOnLoopbackOnly, both)).toMatchObject({ state: 'pass' });
  });

  it('passes where the backends listen on every address', () => {
    expect(resultOf(listeningOnLoopbackOnly, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where the listeners were not read, or not to their end', () => {
    expect(resultOf(listeningOnLoopbackOnly, failing(snapshot, /^pod\/default\/web-[^/]+\/ss$/, 'truncated'))).toMatchObject({
      state: 'unknown',
      reason: 'truncated',
    });
    expect(resultOf(listeningOnLoopbackOnly, failing(snapshot, /namespaces\/default\/endpointslices$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
