import { describe, expect, it } from 'vitest';
import { parseFping } from '../../src/parse/fping.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseFping', () => {
  holdsForAnyText(parseFping, samplesLike(/fping/));

  it('gives each target of -c its replies and its figures', () => {
    const { value, complete } = parseFping(sample('form-fping.txt'));
    expect(complete).toBe(true);
    expect(value.runs.map(({ target, replies, errors }) => [target, replies.map(({ timeMs }) => timeMs), errors.length])).toEqual([
      ['10.9.2.3', [0.049, 0.069], 0],
      ['10.9.1.77', [], 2],
    ]);
    expect(value.runs[0]).toMatchObject({ payloadBytes: 56, statistics: { line: 6, transmitted: 2, received: 2, rtt: { avg: 0.059 } } });
    expect(value.runs[1]).toMatchObject({ statistics: { line: 7, received: 0, lossPercent: 100, rtt: undefined } });
  });
  it('names who sent an ICMP error, and takes "is unreachable" for no more than the lack of an answer', () => {
    const { value, complete } = parseFping(sample('form-fping-verdicts.txt'));
    expect(complete).toBe(true);
    const [alive, silent] = value.runs;
    expect(alive).toMatchObject({ target: '10.9.2.3', replies: [{ line: 1 }], errors: [] });
    expect(silent?.errors.map(({ from, couldBe }) => [from, couldBe])).toEqual([
      ...Array.from({ length: 3 }, () => ['10.9.1.2', ['host-unreachable']]),
      [undefined, ['other']],
    ]);
  });
  it('is not complete without closing figures', () => {
    expect(parseFping(sample('form-fping.txt').split('\n').slice(0, 4).join('\n')).complete).toBe(false);
  });
});
