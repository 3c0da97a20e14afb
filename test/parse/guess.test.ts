import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guessKind } from '../../src/parse/guess.ts';
import { kindNames, parseAs } from '../../src/parse/kinds.ts';
import { parseMixed } from '../../src/parse/mixed.ts';
import { linesLost } from './line-account.ts';
import { sample } from './samples.ts';

describe('guessKind', () => {
  it.each([
    ['099-tcpdump-dns-search-list.txt', 'tcpdump'],
    ['138-dig-rcodes-series.txt', 'dig'],
    ['144-dig-short-series.txt', 'dig'],
    ['145-dig-short-timeout-looks-like-data.txt', 'dig'],
    ['151-kdig-series.txt', 'dig'],
    ['152-getent-hosts-ahosts-series.txt', 'getent'],
    ['154-resolvconf-empty-and-absent.txt', 'resolv-conf'],
    ['166-curl-after-connect-series.txt', 'curl'],
    ['167-curl-w-timing-series.txt', 'curl'],
    ['175-ncat-vz-series.txt', 'nc'],
    ['177-bash-dev-tcp-series.txt', 'dev-tcp'],
    ['090-mtr-report-loss.txt', 'traceroute'],
    ['form-arping.txt', 'arping'],
    ['form-fping.txt', 'fping'],
    ['form-fping-verdicts.txt', 'fping'],
    ['form-host-v-web.svc.test.txt', 'dig'],
    ['form-host-v-nx.test.txt', 'nslookup'],
    ['form-host-web.svc.test.txt', 'nslookup'],
    ['form-nslookup-reverse.txt', 'nslookup'],
    ['form-dig-short-web.svc.test.txt', 'dig'],
    ['form-drill-nx.test.txt', 'dig'],
    ['form-delv-refused.test.txt', 'dig'],
    ['form-mtr-csv.txt', 'traceroute'],
    ['form-mtr-json.txt', 'traceroute'],
    ['form-mtr-every-column.txt', 'traceroute'],
    ['form-inetutils-traceroute.txt', 'traceroute'],
    ['form-curl-with-meter.txt', 'curl'],
    ['form-busybox-telnet.txt', 'nc'],
    ['185-openssl-s-client-series.txt', 'openssl'],
    ['rec-nslookup-busybox-refused.txt', 'nslookup'],
    ['rec-tracepath-reached.txt', 'tracepath'],
    ['rec-corefile.txt', 'corefile'],
    ['rec-coredns-log.txt', 'coredns-log'],
    ['rec-kube-proxy-log.txt', 'kube-proxy-log'],
    ['rec-kube-proxy-config.yaml', 'kube-proxy-config'],
    ['rec-cni-conf.txt', 'cni-config'],
    ['216-tcpdump-cut-in-the-middle.txt', 'tcpdump'],
    ['218-wget-german-and-bash.txt', 'mixed'],
  ])('%s is %s', (name, kind) => expect(guessKind(sample(name))?.kind).toBe(kind));

  it('knows nothing of a foreign text, and never takes an empty one for an empty table', () => {
    expect(guessKind('')?.kind).toBe('empty');
    expect(parseAs('empty', '\n')).toMatchObject({ value: { empty: true }, complete: false });
    expect(guessKind('Lorem ipsum dolor sit amet\n')).toBeUndefined();
  });
  it('does not throw on any text, and parseAs takes every kind that is guessed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const guess = guessKind(text);
        return guess === undefined || parseAs(guess.kind, text) !== undefined;
      }),
      { numRuns: 60 },
    );
    expect(parseAs('no-such-kind', 'x')).toBeUndefined();
    expect(new Set(kindNames.map(({ kind }) => kind)).size).toBe(kindNames.length);
  });
});

describe('parseMixed', () => {
  it('keeps the line numbers of the whole text, and names what fits nothing', () => {
    const text = sample('218-wget-german-and-bash.txt');
    const parsed = parseMixed(text);
    expect(parsed.value.map(({ kind, line }) => [kind, line])).toEqual([
      ['wget', 1],
      ['dev-tcp', 3],
      ['curl', 5],
      ['ping', 6],
    ]);
    expect(parsed.unparsed.map(({ line }) => line)).toEqual([11]);
    expect(parsed.complete).toBe(false);
    expect(linesLost(text, parsed)).toEqual([]);
  });
  it('finds the cause in another language', () => {
    const [wget, bash] = parseMixed(sample('218-wget-german-and-bash.txt')).value;
    expect(wget?.value).toMatchObject({ attempts: [{ address: '10.60.0.2', port: 81, result: 'failed', failure: { cause: 'refused' } }] });
    expect(bash?.value).toMatchObject({ attempts: [{ failure: { cause: 'refused' } }] });
  });
});
