import { describe, expect, it } from 'vitest';
import { parseDevTcp } from '../../src/parse/dev-tcp.ts';
import { parseNc } from '../../src/parse/nc.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseNc', () => {
  holdsForAnyText(parseNc, samplesLike(/-nc/));

  it('reads OpenBSD netcat', () => {
    expect(parseNc(sample('rec-nc-open.txt')).value.attempts).toMatchObject([{ result: 'open', port: 8080, line: 1 }]);
    expect(parseNc(sample('rec-nc-refused.txt')).value.attempts).toMatchObject([
      { result: 'failed', address: '10.244.1.10', port: 8080, failure: { cause: 'refused', couldBe: ['refused'] } },
    ]);
    expect(parseNc(sample('rec-nc-timeout.txt')).value.attempts).toMatchObject([{ failure: { cause: 'timeout' } }]);
  });
  it('knows that netcat-traditional hides ICMP errors behind "timed out"', () => {
    const { value, unparsed } = parseNc(sample('174-nc-traditional-vz-series.txt'));
    expect(unparsed).toEqual([]);
    expect(value.attempts.map(({ port, result, failure }) => [port, failure?.cause ?? result])).toEqual([
      [80, 'open'],
      [81, 'refused'],
      [9102, 'timeout'],
      [9103, 'timeout'],
      [9104, 'timeout'],
      [9105, 'timeout'],
      [9106, 'timeout'],
      [9107, 'timeout'],
      [undefined, 'name'],
    ]);
    expect(value.attempts[2]?.failure?.couldBe).toContain('refused');
  });
  it('reads ncat: administratively prohibited reads like no route', () => {
    const { value } = parseNc(sample('175-ncat-vz-series.txt'));
    expect(value.attempts.map(({ result, failure }) => failure?.cause ?? result)).toEqual([
      'open',
      'refused',
      'refused',
      'host-unreachable',
      'net-unreachable',
      'host-unreachable',
      'timeout',
      'other',
      'name',
    ]);
    expect(value.attempts[5]?.failure?.couldBe).toEqual(['host-unreachable', 'admin-prohibited']);
  });
  it('reads BusyBox', () => {
    const text = "10.0.0.1 (10.0.0.1:80) open\nnc: 10.0.0.1 (10.0.0.1:81): Connection refused\nnc: timed out\nnc: bad address 'nope'\n";
    expect(parseNc(text).value.attempts.map(({ port, result, failure }) => [port, failure?.cause ?? result])).toEqual([
      [80, 'open'],
      [81, 'refused'],
      [undefined, 'timeout'],
      [undefined, 'name'],
    ]);
  });
  it('does not take silence for an answer', () => expect(parseNc('').complete).toBe(false));
});

describe('parseDevTcp', () => {
  holdsForAnyText(parseDevTcp, samplesLike(/dev-tcp/));

  it('joins the two lines of a failure and takes the first for the cause of a bad name', () => {
    const { value, unparsed } = parseDevTcp(sample('177-bash-dev-tcp-series.txt'));
    expect(unparsed).toEqual([]);
    expect(value.attempts.map(({ port, failure }) => [port, failure?.cause])).toEqual([
      [81, 'refused'],
      [9102, 'refused'],
      [9103, 'host-unreachable'],
      [9104, 'net-unreachable'],
      [9105, 'host-unreachable'],
      [9106, 'timeout'],
      [9107, 'other'],
      [80, 'name'],
      [80, 'net-unreachable'],
    ]);
  });
});
