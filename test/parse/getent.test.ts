import { describe, expect, it } from 'vitest';
import { parseGetent } from '../../src/parse/getent.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseGetent', () => {
  holdsForAnyText(parseGetent, samplesLike(/getent/));

  it('reads ahosts: the name stands behind the first socket type only', () => {
    const { value } = parseGetent(sample('rec-getent-found.txt'));
    expect(value.entries.map(({ socketType, names }) => [socketType, names])).toEqual([
      ['STREAM', ['my-service.default.svc.cluster.local']],
      ['DGRAM', []],
      ['RAW', []],
    ]);
  });
  it('reads a series with its exits', () => {
    const { value, unparsed } = parseGetent(sample('152-getent-hosts-ahosts-series.txt'));
    expect(unparsed).toEqual([]);
    expect(value.marks.filter(({ kind }) => kind === 'exit').map(({ code }) => code)).toEqual([0, 0, 2, 2, 2, 2, 0, 0, 0, 0, 2, 2]);
    expect(value.entries.filter(({ line }) => line > 19 && line < 30).map(({ address }) => address)).toContain('10.100.0.2');
  });
  it('never proves absence by silence', () => expect(parseGetent('').complete).toBe(false));
});
