import { describe, expect, it } from 'vitest';
import { parseNslookup } from '../../src/parse/nslookup.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

describe('parseNslookup', () => {
  holdsForAnyText(parseNslookup, samplesLike(/nslookup/));

  it('reads BIND 9', () => {
    const { value, unparsed, complete } = parseNslookup(sample('rec-nslookup-found.txt'));
    expect(value.runs).toEqual([
      {
        line: 2,
        server: '10.96.0.10',
        serverAddress: '10.96.0.10',
        serverPort: 53,
        answers: [{ line: 6, name: 'my-service.default.svc.cluster.local', type: 'A', data: expect.stringMatching(/^10\.96\./) }],
      },
    ]);
    expect([unparsed, complete, value.failures]).toEqual([[], true, []]);
  });
  it('keeps the failure of the first try beside the answer of the second', () => {
    const { value } = parseNslookup(sample('rec-nslookup-second-try.txt'));
    expect(value.failures).toMatchObject([{ cause: 'timeout', address: '10.96.0.10', port: 53, line: 1 }]);
    expect(value.runs[0]?.answers).toHaveLength(1);
  });
  it('takes the cause of "no servers" from the last communications error', () => {
    const { value } = parseNslookup(sample('rec-nslookup-refused.txt'));
    expect(value.failures.map(({ cause }) => cause)).toEqual(['refused', 'refused', 'timeout', 'timeout']);
    expect(value.runs).toEqual([]);
  });
  it('reads BusyBox 1.3x: port behind a colon, answers and errors', () => {
    expect(parseNslookup(sample('rec-nslookup-busybox-found.txt')).value.runs[0]).toMatchObject({
      serverAddress: '10.96.0.10',
      serverPort: 53,
      answers: [{ type: 'A' }],
    });
    expect(parseNslookup(sample('rec-nslookup-busybox-refused.txt')).value.failures).toMatchObject([
      { cause: 'refused', address: '10.96.0.10' },
    ]);
    expect(parseNslookup(sample('rec-nslookup-busybox-timeout.txt')).value.failures[0]?.couldBe).toContain('refused');
  });
  it('reads BusyBox 1.28: numbered addresses with reverse names, a harmless (null)', () => {
    const text = [
      "nslookup: can't resolve '(null)': Name does not resolve",
      '',
      'Name:      kubernetes.default',
      'Address 1: 10.96.0.1 kubernetes.default.svc.cluster.local',
      'Address 2: fd00::1',
      '',
    ].join('\n');
    const { value, unparsed } = parseNslookup(text);
    expect(unparsed).toEqual([]);
    expect(value.failures).toEqual([]);
    expect(value.runs[0]?.answers.map(({ type, data }) => [type, data])).toEqual([
      ['A', '10.96.0.1'],
      ['AAAA', 'fd00::1'],
    ]);
  });
  it('keeps the status of a name that is not found', () => {
    const { value } = parseNslookup(
      "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n** server can't find nope.default.svc.cluster.local: NXDOMAIN\n\n",
    );
    expect(value.failures).toMatchObject([{ cause: 'name', status: 'NXDOMAIN', asked: 'nope.default.svc.cluster.local', line: 4 }]);
  });
  it('reads host', () => {
    const { value } = parseNslookup('web.example.com has address 192.0.2.80\nHost nope.example.com not found: 3(NXDOMAIN)\n');
    expect(value.runs[0]?.answers[0]).toMatchObject({ name: 'web.example.com', data: '192.0.2.80' });
    expect(value.failures[0]).toMatchObject({ status: 'NXDOMAIN' });
  });
  it('does not take the server that `host` was told to ask for an answer', () => {
    const { value, unparsed, complete } = parseNslookup(sample('form-host-web.svc.test.txt'));
    expect([unparsed, complete]).toEqual([[], true]);
    expect(value.runs).toMatchObject([{ server: '10.9.2.3', serverAddress: '10.9.2.3', serverPort: 53 }]);
    expect(value.runs[0]?.answers.map(({ type, data }) => [type, data])).toEqual([
      ['A', '10.9.2.3'],
      ['A', '10.9.2.4'],
      ['AAAA', 'fd09:2::3'],
    ]);
    expect(parseNslookup(sample('form-host-nx.test.txt')).value).toMatchObject({
      runs: [{ server: '10.9.2.3', answers: [] }],
      failures: [{ status: 'NXDOMAIN', asked: 'nx.test' }],
    });
  });
});
