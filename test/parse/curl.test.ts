import { describe, expect, it } from 'vitest';
import { parseCurl } from '../../src/parse/curl.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseCurl', () => {
  holdsForAnyText(parseCurl, samplesLike(/curl/));

  it('reads a whole exchange of -v', () => {
    const { value, complete, unparsed } = parseCurl(sample('rec-curl-healthy-v.txt'));
    expect(value.attempts).toMatchObject([{ line: 1, port: 80, result: 'connected' }]);
    expect(value.responses).toMatchObject([{ line: 8, status: 200, reason: 'OK' }]);
    expect([complete, unparsed]).toEqual([true, []]);
  });
  it('takes the hidden cause from the -v line before the error', () => {
    const { value } = parseCurl(sample('rec-curl-refused-v.txt'));
    expect(value.attempts).toMatchObject([{ address: '10.244.2.7', port: 8080, result: 'failed', failure: { line: 2, cause: 'refused' } }]);
    const causes = parseCurl(sample('165-curl-icmp-kinds-series-v.txt')).value.errors.map(({ cause }) => cause);
    expect(causes).toEqual(['refused', 'host-unreachable', 'net-unreachable', 'host-unreachable', 'other']);
  });
  it('does not guess the cause of "Couldn\'t connect to server" without -v', () => {
    const { value, unparsed } = parseCurl(sample('164-curl-icmp-kinds-series.txt'));
    expect(unparsed).toEqual([]);
    expect(value.errors.map(({ port, cause }) => [port, cause]).slice(4, 8)).toEqual([
      [9105, 'other'],
      [9106, 'timeout'],
      [9107, 'other'],
      [81, 'other'],
    ]);
    expect(value.errors[0]?.couldBe).toEqual(
      expect.arrayContaining(['refused', 'host-unreachable', 'net-unreachable', 'admin-prohibited']),
    );
  });
  it('reads what the progress meter is glued to (7.74)', () => {
    const { value, unparsed } = parseCurl(sample('161-curl-v-refused-rst-7.74.txt'));
    expect(unparsed).toEqual([]);
    expect(value.attempts).toMatchObject([{ result: 'failed', failure: { line: 4, cause: 'refused' } }]);
    expect(value.errors).toMatchObject([{ code: 7, cause: 'refused', line: 8 }]);
  });
  it('tells the failures after the connect apart, and keeps the body', () => {
    const { value } = parseCurl(sample('166-curl-after-connect-series.txt'));
    expect(value.errors.map(({ code, cause }) => [code, cause])).toEqual([
      [56, 'reset'],
      [52, 'empty-reply'],
      [28, 'timeout'],
      [18, 'other'],
      [1, 'other'],
    ]);
    expect(value.body.map(({ text }) => text)).toContain('no healthy upstream');
  });
  it('reads -w lines: no status is no answer', () => {
    const { value } = parseCurl(sample('167-curl-w-timing-series.txt'));
    expect(value.writeOuts.map(({ status, failure }) => failure?.cause ?? status)).toEqual([
      200,
      404,
      200,
      'other',
      'timeout',
      'name',
      'timeout',
    ]);
    expect(value.writeOuts[6]?.values).toMatchObject({ conn: '0.000330', exit: '28' });
  });
  it('reads twelve tries of which some timed out', () => {
    const { value, unparsed } = parseCurl(sample('rec-curl-x12-some-timeouts.txt'));
    expect(unparsed).toEqual([]);
    expect(value.writeOuts.filter(({ failure }) => failure?.cause === 'timeout').length).toBe(
      value.writeOuts.filter(({ status }) => status === 0).length,
    );
    expect(value.writeOuts).toHaveLength(12);
  });
  it('reads the wordings of CentOS 7 and of Telepresence', () => {
    expect(parseCurl('curl: (7) Failed connect to 10.0.0.1:80; Connection refused\n').value.errors).toMatchObject([
      { cause: 'refused', address: '10.0.0.1', port: 80 },
    ]);
    expect(parseCurl('== Info: connect to 10.0.0.1 port 80 failed: No route to host\n').value.attempts).toMatchObject([
      { failure: { cause: 'host-unreachable' } },
    ]);
  });
  it('does not take just any text for a body', () => expect(parseCurl('<html>\n').unparsed).toHaveLength(1));
});
