import { describe, expect, it } from 'vitest';
import { parseArping } from '../../src/parse/arping.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseArping', () => {
  holdsForAnyText(parseArping, samplesLike(/arping/));

  it.each([
    ['form-arping.txt', [0.539, 0.547], 2, 2],
    ['form-busybox-arping.txt', [0.014], 1, 1],
  ])('reads who answered with which MAC address: %s', (name, timesMs, sent, received) => {
    const { value, complete } = parseArping(sample(name));
    expect(complete).toBe(true);
    expect(value.runs).toMatchObject([{ target: '10.9.1.2', source: '10.9.1.1', device: 'eth0', errors: [], sent, received }]);
    expect(value.runs[0]?.replies).toEqual(
      timesMs.map((timeMs, index) => ({ line: index + 2, from: '10.9.1.2', mac: 'ea:28:4f:20:70:55', timeMs })),
    );
  });
  it('reads that nobody answered, which only the closing lines say', () => {
    const text = sample('form-arping-without-answer.txt');
    expect(parseArping(text)).toMatchObject({ value: { runs: [{ replies: [], sent: 2, received: 0 }] }, complete: true });
    expect(parseArping(text.split('\n').slice(0, 1).join('\n')).complete).toBe(false);
  });
});
