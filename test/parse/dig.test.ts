import { describe, expect, it } from 'vitest';
import { parseDig } from '../../src/parse/dig.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

const runsOf = (name: string) => parseDig(sample(name)).value.runs;

describe('parseDig', () => {
  holdsForAnyText(parseDig, samplesLike(/dig/));

  it('reads each status of a series with its own server and lines', () => {
    const runs = runsOf('138-dig-rcodes-series.txt');
    expect(runs.map((run) => run.header?.status)).toEqual(['NXDOMAIN', 'SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR']);
    expect(runs.map((run) => run.header?.line)).toEqual([6, 27, 46, 64, 82]);
    expect(runs[1]?.extendedErrors).toEqual([{ line: 32, code: 22, text: '(No Reachable Authority): (no peer reache)' }]);
    expect(runs[0]?.server).toMatchObject({ address: '10.100.0.53', port: 53, transport: 'UDP' });
  });
  it.each([
    ['139-dig-no-server-series-9.18.txt', ['refused', 'timeout', 'host-unreachable', 'timeout']],
    ['141-dig-no-server-series-9.20.txt', ['refused', 'timeout', 'host-unreachable', 'host-unreachable']],
    ['140-dig-no-server-series-9.16.txt', ['timeout', 'timeout', 'timeout', 'timeout']],
  ])('gives the error before a heading to the query of that heading: %s', (name, causes) => {
    const runs = runsOf(name);
    expect(runs.map((run) => run.failures[0]?.cause)).toEqual(causes);
    expect(runs.map((run) => /@(\S+)/.exec(run.command ?? '')?.[1])).toEqual(['10.100.0.54', '10.100.0.55', '10.100.0.56', '10.100.0.99']);
    expect(runs.every((run) => run.outcome === 'failed')).toBe(true);
  });
  it('does not take 9.16 at its word: "connection timed out" may be a refusal', () => {
    expect(runsOf('140-dig-no-server-series-9.16.txt')[0]?.failures[0]?.couldBe).toContain('refused');
  });
  it('tells a cut run, a tc flag, a reset and an end of file apart', () => {
    const { value, complete } = parseDig(sample('142-dig-truncated-tcp-reset-eof.txt'));
    expect(value.runs.map((run) => run.outcome)).toEqual(['unfinished', 'answered', 'failed', 'failed']);
    expect(value.runs[0]?.retriedOverTcp).toBe(true);
    expect(value.runs[1]?.flags?.flags).toContain('tc');
    expect(value.runs[2]?.failures[0]?.cause).toBe('reset');
    expect(value.runs[3]?.failures[0]?.text).toBe('end of file');
    expect(complete).toBe(false);
  });
  it('reads +short as data and never as complete', () => {
    const { value, complete } = parseDig(sample('144-dig-short-series.txt'));
    expect(value.runs.flatMap((run) => run.short).map(({ data }) => data)).toContain('0 100 80 web.shop.svc.cluster.local.');
    expect(complete).toBe(false);
    expect(parseDig('').complete).toBe(false);
  });
  it('does not take an error under +short for data', () => {
    const runs = runsOf('145-dig-short-timeout-looks-like-data.txt');
    expect(runs[0]).toMatchObject({
      short: [],
      outcome: 'failed',
      failures: [
        { line: 1, cause: 'timeout', address: '10.100.0.55', port: 53 },
        { line: 2, cause: 'timeout' },
      ],
    });
    expect(runs[1]?.failures[0]?.text).toBe('Invalid option: +nosuch');
  });
  it('reads the name found by the search list, and +yaml', () => {
    const runs = runsOf('146-dig-search-list-and-yaml.txt');
    expect(runs.map((run) => run.records.map(({ name, data }) => [name, data]))).toEqual([
      [['web.shop.svc.cluster.local.', '10.96.7.7']],
      [['web.example.com.', '192.0.2.80']],
    ]);
    expect(runs.map((run) => run.header?.status)).toEqual(['NOERROR', 'NOERROR']);
  });
  it('reads kdig, whose headings have semicolons', () => {
    const runs = runsOf('151-kdig-series.txt');
    expect(runs.map((run) => run.header?.status)).toEqual(['NOERROR', 'NXDOMAIN', 'SERVFAIL', undefined, undefined]);
    expect(runs[3]?.failures[0]).toMatchObject({ cause: 'timeout', address: '10.100.0.53' });
  });
  it('reads a pod without DNS servers behind the ClusterIP', () => {
    const [run] = runsOf('rec-dig-refused.txt');
    expect(run).toMatchObject({ outcome: 'failed' });
    expect(run?.failures.map(({ cause, line }) => [cause, line])).toEqual([
      ['refused', 1],
      ['refused', 2],
      ['refused', 3],
      ['refused', 4],
    ]);
  });
  it('reads an ID mismatch as an answer that did not fit', () => {
    const [run] = parseDig(
      ';; Warning: ID mismatch: expected ID 5101, got 9\n;; communications error to 10.0.0.1#53: timed out\n;; no servers could be reached\n',
    ).value.runs;
    expect([run?.idMismatch, run?.outcome]).toEqual([true, 'failed']);
  });
  it.each([
    ['form-drill-web.svc.test.txt', 'NOERROR', '10.9.2.3', ['10.9.2.3', '10.9.2.4']],
    ['form-drill-nx.test.txt', 'NXDOMAIN', '10.9.2.3', ['ns.test. hostmaster.test. 1 2 3 4 60']],
    ['form-dig-ttlunits.txt', 'NOERROR', '10.9.2.3', ['10.9.2.3', '10.9.2.4']],
    ['form-dig-qr.txt', 'NOERROR', '10.9.2.3', ['10.9.2.3', '10.9.2.4']],
    ['form-host-v-nx.test.txt', 'NXDOMAIN', '10.9.2.3', []],
  ])('reads the answer of %s: one run, nothing left, nothing of the query taken for an answer', (name, status, address, data) => {
    const { value, unparsed, complete } = parseDig(sample(name));
    expect([unparsed, complete]).toEqual([[], true]);
    expect(value.runs).toHaveLength(1);
    expect(value.runs[0]).toMatchObject({ header: { status }, server: { address, port: 53 }, outcome: 'answered' });
    expect(value.runs[0]?.records.map((record) => record.data)).toEqual(data);
  });
  it('reads a TTL in units as seconds', () => {
    expect(runsOf('form-dig-ttlunits.txt')[0]?.records.map(({ ttl }) => ttl)).toEqual([3600, 3600]);
    expect(parseDig('a.test.\t1w2d3h4m5s\tIN\tA\t10.0.0.1\n').value.runs[0]?.records[0]?.ttl).toBe(788_645);
  });
  it('reads each query of `host -v`, and each step of +trace', () => {
    const runs = runsOf('form-host-v-web.svc.test.txt');
    expect(runs.map(({ question, records }) => [question?.type, records.map(({ data }) => data)])).toEqual([
      ['A', ['10.9.2.3', '10.9.2.4']],
      ['AAAA', ['fd09:2::3']],
      ['MX', []],
    ]);
    expect(runs.every(({ outcome }) => outcome === 'answered')).toBe(true);
    expect(runsOf('form-dig-trace.txt')).toMatchObject([{ messageBytes: 28, queryTimeMs: 0, outcome: 'answered' }]);
  });
  it('reads why delv has no answer', () => {
    expect(runsOf('form-delv-refused.test.txt')).toMatchObject([
      { warnings: [{ line: 1 }], failures: [{ line: 2, text: 'failure' }], outcome: 'failed' },
    ]);
  });
});
