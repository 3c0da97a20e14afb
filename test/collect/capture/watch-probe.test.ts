import { describe, expect, it } from 'vitest';
import { probeLoop, readLoop } from '../../../src/collect/capture/watch-probe.ts';

const nonce = '0123456789abcdef';
const line = (words: string, number = 0): string => `@@k8snet:${nonce}:try:${number}:61000:0:12:${words}\n`;
const http = 'Connection to 10.96.0.1 80 port [tcp/*] succeeded!';

describe('readLoop', () => {
  it.each([
    { words: `${http} HTTP/1.0 200 OK`, kind: 'http', result: 'answered' },
    // The connection stands and nothing comes: an application that is stuck.
    { words: http, kind: 'http', result: 'failed' },
    { words: http, kind: 'connect', result: 'answered' },
    { words: 'nc: connect to 10.96.0.1 port 80 (tcp) timed out: Operation now in progress', kind: 'connect', result: 'failed' },
    { words: 'nc: connect to 10.96.0.1 port 80 (tcp) failed: Connection refused', kind: 'http', result: 'failed' },
    { words: 'nc: connect to 10.96.0.1 port 80 (tcp) failed: No route to host', kind: 'http', result: 'failed' },
    { words: 'nc: bind: Address already in use', kind: 'http', result: 'not-made' },
    { words: 'k8snet: no tool that can connect from a given port (nc of OpenBSD, curl)', kind: 'connect', result: 'not-made' },
    { words: '', kind: 'http', result: 'not-made' },
  ] as const)('$kind: "$words" is $result', ({ words, kind, result }) => {
    expect(readLoop(line(words), nonce, kind).tries).toEqual([{ number: 1, sourcePort: 61_000, seconds: 0.12, said: words, result }]);
  });

  it('takes no line for its own that does not have its nonce', () => {
    expect(readLoop('@@k8snet:ffffffffffffffff:try:0:61000:0:1:HTTP/1.0\nHTTP/1.0\n', nonce, 'http')).toEqual({
      tries: [],
      isOver: false,
      unreached: undefined,
    });
  });

  it('knows the end, and why nothing could be begun', () => {
    expect(readLoop(`@@k8snet:${nonce}:over\n`, nonce, 'http').isOver).toBe(true);
    expect(readLoop(`@@k8snet:${nonce}:unreached:k8snet: no process of this pod\n`, nonce, 'http').unreached).toBe(
      'k8snet: no process of this pod',
    );
  });
});

describe('probeLoop', () => {
  it('lets no address into the script that is not quoted', () => {
    const targets = [{ address: "$(id)'x", port: 80 }];
    const request = { tries: 1, seconds: 1, perSecond: 5 };
    const script = probeLoop({
      nonce,
      ns: 'host',
      kind: 'http',
      domain: 'cluster.local',
      targets,
      ports: { first: 61_000, last: 61_000 },
      request,
    });
    expect(script).toContain(`marked_http '$(id)'\\''x' 80`);
  });
});
