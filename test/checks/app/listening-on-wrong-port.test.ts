import { describe, expect, it } from 'vitest';
import { listeningOnWrongPort } from '../../../src/checks/app/listening-on-wrong-port.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const snapshot = readBundle('app-wrong-port');

describe('APP002 listening-on-wrong-port', () => {
  it('quotes where the pods listen and what they declare', () => {
    const [fault] = faultsOf(listeningOnWrongPort, snapshot);
    expect(fault.title).toMatch(
      /^all 3 backends, such as pod default\/web-\S+, listen on 9090 and not on 8080, which the container declares and the Service sends to/,
    );
    expect(fault.where).toEqual({ kind: 'Deployment', namespace: 'default', name: 'web' });
    const lines = quoted(snapshot, fault);
    expect(lines.filter((line) => /^tcp\s+LISTEN .*:9090/.test(line))).toHaveLength(3);
    expect(lines.some((line) => line.includes('"containerPort":8080'))).toBe(true);
    expect(broken(createFacts(snapshot), fault)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/client\/service\//),
        expect.stringMatching(/client\/endpoint\/10\.244\.2\.\d+:8080$/),
      ]),
    );
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'app', slug: 'listening-on-wrong-port' });
  });

  it('says so where nothing listens at all', () => {
    const mute = edited(snapshot, /^pod\/default\/web-[^/]+\/ss$/, (text) => `${text.split('\n')[0]}\n`);
    expect(faultsOf(listeningOnWrongPort, mute)[0].title).toContain('do not listen on 8080');
  });

  it("leaves a targetPort that no container declares to the Service's check", () => {
    const undeclared = edited(snapshot, /namespaces\/default\/pods$/, (text) =>
      text.replaceAll('"containerPort":8080', '"containerPort":9090'),
    );
    expect(resultOf(listeningOnWrongPort, undeclared)).toMatchObject({ state: 'skip' });
  });

  it('does not claim that nothing listens from a list with lines that it did not understand', () => {
    const odd = edited(snapshot, /^pod\/default\/web-[^/]+\/ss$/, (text) => `${text}tcp   LISTEN something else\n`);
    expect(resultOf(listeningOnWrongPort, odd)).toMatchObject({ state: 'unknown' });
  });

  it('does not judge by listeners where rules in the pods redirect the port', () => {
    const meshed = edited(
      snapshot,
      /^pod\/default\/web-[^/]+\/iptables-save$/,
      () =>
        '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n[0:0] -A PREROUTING -p tcp -j REDIRECT --to-ports 15006\nCOMMIT\n',
    );
    expect(resultOf(listeningOnWrongPort, meshed)).toMatchObject({ state: 'unknown', reason: 'unsupported' });
  });

  it('passes where the backends listen on their port', () => {
    expect(resultOf(listeningOnWrongPort, readBundle('dns-healthy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(listeningOnWrongPort, readBundle('app-loopback'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where the listeners were not read', () => {
    expect(resultOf(listeningOnWrongPort, failing(snapshot, /^pod\/default\/web-[^/]+\/ss$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });
});
