import { describe, expect, it } from 'vitest';
import { parseOpensslSClient } from '../../src/parse/openssl-s-client.ts';
import { parseTracepath } from '../../src/parse/tracepath.ts';
import { parseTraceroute } from '../../src/parse/traceroute.ts';
import { parseWget } from '../../src/parse/wget.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseTracepath', () => {
  holdsForAnyText(parseTracepath, samplesLike(/tracepath/));

  it('reads hops and the path MTU', () => {
    const { value, complete, unparsed } = parseTracepath(sample('rec-tracepath-reached.txt'));
    expect([unparsed, complete]).toEqual([[], true]);
    expect(value.runs).toMatchObject([{ reached: true, mtu: 1450, address: '10.244.2.2' }]);
    expect(value.runs[0]?.hops.map(({ hop }) => hop)).toEqual([1, 1, 1, 2, 3]);
  });
  it('reads a smaller MTU on the way and a silent end', () => {
    const text =
      ' 1?: [LOCALHOST]                      pmtu 1500\n 1:  192.0.2.1                                            0.5ms pmtu 1400\n 2:  192.0.2.9 (192.0.2.9)                               1.2ms asymm  3 \n 3:  no reply\n     Too many hops: pmtu 1400\n     Resume: pmtu 1400 \n';
    const [run] = parseTracepath(text).value.runs;
    expect(run?.hops.map(({ mtu, notes }) => [mtu, notes])).toEqual([
      [1500, ['[LOCALHOST]']],
      [1400, ['pmtu 1400']],
      [undefined, ['asymm  3']],
      [undefined, ['no reply']],
    ]);
    expect(run?.reached).toBe(false);
  });
  it('is not complete when killed', () =>
    expect(parseTracepath(sample('rec-tracepath-reached.txt').split('\n').slice(0, 2).join('\n')).complete).toBe(false));
});

describe('parseTraceroute', () => {
  const text =
    'traceroute to 10.244.1.1 (10.244.1.1), 30 hops max, 60 byte packets\n 1  * gw.example (192.0.2.1)  0.031 ms  0.010 ms\n 2  192.0.2.9  1.1 ms F=1450  1.2 ms !X 192.0.2.8  1.0 ms !H\n';
  holdsForAnyText(parseTraceroute, [text, sample('090-mtr-report-loss.txt'), ...samplesLike(/form-(?:mtr|inetutils)/)]);

  it('reads a hop that mixes a lost probe, a name and two addresses', () => {
    const [run] = parseTraceroute(text).value.runs;
    expect(run?.hops.map(({ hop, address, timesMs, failure, mtu }) => [hop, address, timesMs, failure?.cause, mtu])).toEqual([
      [1, undefined, [], undefined, undefined],
      [1, '192.0.2.1', [0.031, 0.01], undefined, undefined],
      [2, '192.0.2.9', [1.1, 1.2], 'admin-prohibited', 1450],
      [2, '192.0.2.8', [1], 'host-unreachable', undefined],
    ]);
  });
  it('reads the report of mtr', () =>
    expect(parseTraceroute(sample('090-mtr-report-loss.txt')).value.runs[0]?.hops).toMatchObject([
      { hop: 1, address: '10.90.0.2', notes: ['40.0% of 10 lost'] },
    ]));
  it.each([
    ['form-mtr-every-column.txt', [0.1, 0.1, 0.1, 0.1], '0.0% of 2 lost'],
    ['form-mtr-csv.txt', [0.09, 0.08, 0.08, 0.09], '0.00% of 2 lost'],
    ['form-mtr-json.txt', [0.08, 0.087, 0.08, 0.094], '0% of 2 lost'],
  ])('reads the same two hops from %s, whatever its columns', (name, timesMs, lost) => {
    const { value, unparsed } = parseTraceroute(sample(name));
    expect(unparsed).toEqual([]);
    expect(value.runs[0]?.hops.map(({ hop, address }) => [hop, address])).toEqual([
      [1, '10.9.1.2'],
      [2, '10.9.2.3'],
    ]);
    expect(value.runs[0]?.hops[0]).toMatchObject({ timesMs, notes: [lost] });
  });
  it('reads times that inetutils glues to their unit', () =>
    expect(parseTraceroute(sample('form-inetutils-traceroute.txt')).value.runs).toMatchObject([
      {
        reached: true,
        hops: [
          { hop: 1, address: undefined },
          { hop: 1, address: '10.9.1.2', timesMs: [0.004, 0.001] },
          { hop: 2, address: '10.9.2.3', timesMs: [0, 0, 0.001] },
        ],
      },
    ]));
});

describe('parseOpensslSClient', () => {
  holdsForAnyText(parseOpensslSClient, samplesLike(/openssl/));

  it('tells a bad certificate, plain HTTP, a refusal and a closed connection apart', () => {
    const { value, unparsed } = parseOpensslSClient(sample('185-openssl-s-client-series.txt'));
    expect(unparsed).toEqual([]);
    expect(
      value.runs.map((run) => [run.connected, run.verifyErrors.map(({ text }) => text), run.failures.map(({ cause }) => cause)]),
    ).toEqual([
      [true, ['self-signed certificate', 'hostname mismatch', 'hostname mismatch'], []],
      [true, ['self-signed certificate', 'certificate has expired', 'certificate has expired'], []],
      [false, [], ['tls']],
      [false, [], ['refused', 'other', 'refused']],
      [true, [], ['tls']],
    ]);
    expect(value.runs[4]).toMatchObject({ noPeerCertificate: true, verifyReturnCode: 0 });
  });
});

describe('parseWget', () => {
  const gnu =
    '--2026-06-01 00:00:00--  http://web.example.com/\nResolving web.example.com (web.example.com)... 192.0.2.80\nConnecting to web.example.com (web.example.com)|192.0.2.80|:80... connected.\nHTTP request sent, awaiting response... 503 Service Unavailable\n2026-06-01 00:00:00 ERROR 503: Service Unavailable.\n\n';
  const busybox = "Connecting to 10.0.0.1 (10.0.0.1:80)\nwget: can't connect to remote host (10.0.0.1): Connection refused\n";
  holdsForAnyText(parseWget, [gnu, busybox]);

  it('reads GNU wget', () => {
    const { value, unparsed } = parseWget(gnu);
    expect(unparsed).toEqual([]);
    expect(value.attempts).toMatchObject([{ name: 'web.example.com', address: '192.0.2.80', port: 80, result: 'open' }]);
    expect(value.responses.map(({ status }) => status)).toEqual([503, 503]);
  });
  it('reads BusyBox, also where kubectl wrote on the same line', () => {
    expect(parseWget(busybox).value.errors).toMatchObject([{ cause: 'refused', address: '10.0.0.1' }]);
    expect(parseWget('wget: download timed outpod "test" deleted\n').value.errors).toMatchObject([{ cause: 'timeout' }]);
    expect(parseWget("wget: bad address 'nope:80'\n").value.errors).toMatchObject([{ cause: 'name', name: 'nope' }]);
  });
});
