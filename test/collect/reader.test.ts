import { describe, expect, it } from 'vitest';
import { lostOfApi, pathsFor, readObjects } from '../../src/collect/api-round.ts';
import { isListPath, parseBody } from '../../src/collect/kubectl-reader.ts';
import { type ClusterReader, type ReadResult, readAllPages } from '../../src/collect/reader.ts';
import type { Entry } from '../../src/snapshot/entry.ts';

const page = (items: readonly number[], next?: string): ReadResult => ({
  ok: true,
  body: { kind: 'PodList', metadata: { continue: next }, items },
});

describe('readAllPages', () => {
  it('follows continue tokens to the end, and escapes them', async () => {
    const asked: string[] = [];
    const pages: Record<string, ReadResult> = {
      '/api/v1/pods?limit=500': page([1, 2], 'a/b=='),
      '/api/v1/pods?limit=500&continue=a%2Fb%3D%3D': page([3], 'c'),
      '/api/v1/pods?limit=500&continue=c': page([4]),
    };
    const result = await readAllPages((path) => {
      asked.push(path);
      return Promise.resolve(pages[path] ?? { ok: false, failure: { reason: 'not-found', detail: path } });
    }, '/api/v1/pods');
    expect(result).toMatchObject({ ok: true, body: { kind: 'PodList', items: [1, 2, 3, 4] } });
    expect(asked).toEqual(Object.keys(pages));
  });

  it('keeps a query that the path already has', async () => {
    const asked: string[] = [];
    await readAllPages((path) => {
      asked.push(path);
      return Promise.resolve(page([]));
    }, '/api/v1/events?fieldSelector=type%3DWarning');
    expect(asked).toEqual(['/api/v1/events?fieldSelector=type%3DWarning&limit=500']);
  });

  it('is a failure when a later page is: half a list would say that the rest is not there', async () => {
    // 410 Gone: the continue token has expired (Kubernetes API concepts).
    const gone: ReadResult = { ok: false, failure: { reason: 'tool-failed', detail: 'The provided continue parameter is too old' } };
    const answers = [page([1], 'x'), gone];
    expect(await readAllPages(() => Promise.resolve(answers.shift() ?? gone), '/api/v1/pods')).toBe(gone);
  });

  it.each([[{}], [null], [[]], ['text'], [{ items: null }], [{ items: {} }]])(
    'is a failure when the answer is no list: %j',
    async (body) => {
      expect(await readAllPages(() => Promise.resolve({ ok: true, body }), '/api/v1/pods')).toMatchObject({
        ok: false,
        failure: { reason: 'truncated' },
      });
    },
  );
});

describe('paths', () => {
  it('are told apart: lists are paged, objects are not', () => {
    for (const path of pathsFor('default', 'my-service'))
      expect(isListPath(path), path).toBe(!/\/(services|configmaps)\/[^/]+$/.test(path));
    expect(isListPath('/api/v1/namespaces')).toBe(true);
    expect(isListPath('/api/v1/namespaces/default')).toBe(false);
    expect(isListPath('/api/v1/pods?labelSelector=a')).toBe(true);
    expect(isListPath('/api/v1/nodes/n1')).toBe(false);
  });

  it('are asked for once each, also when the Service is one of kube-system', () => {
    for (const namespace of ['default', 'kube-system']) {
      const paths = pathsFor(namespace, 'kube-dns');
      expect(new Set(paths).size).toBe(paths.length);
    }
    expect(pathsFor('default', 'x').filter((path) => path.includes('secrets'))).toEqual([]);
  });
});

describe('parseBody', () => {
  it.each(['', '{', '{"items": [', '\u0000', 'Error from server'])('%j is truncated, never empty', (text) => {
    expect(parseBody(text, '/x')).toMatchObject({ ok: false, failure: { reason: 'truncated' } });
  });
});

/** A reader that gives the answers in turn, the last one for ever. */
function readerOf(...answers: ReadResult[]): ClusterReader & { asked: number } {
  const reader = {
    name: 'client' as const,
    asked: 0,
    requests: () => reader.asked,
    get: () => {
      reader.asked += 1;
      return Promise.resolve(answers[Math.min(reader.asked, answers.length) - 1] as ReadResult);
    },
  };
  return reader;
}

const failure = (reason: 'forbidden' | 'tool-failed' | 'truncated' | 'not-found' | 'unauthorized', detail = 'words'): ReadResult => ({
  ok: false,
  failure: { reason, detail },
});

describe('readObjects', () => {
  it.each([
    ['tool-failed', 2],
    ['truncated', 2],
    ['forbidden', 1],
    ['unauthorized', 1],
  ] as const)('%s: asked %i times', async (reason, times) => {
    const reader = readerOf(failure(reason));
    const [entry] = await readObjects(reader, ['/api/v1/nodes']);
    expect(reader.asked).toBe(times);
    expect(entry).toMatchObject({ key: 'api/api/v1/nodes', exit: null, stdout: '', failure: { detail: 'words' } });
  });

  it('keeps "is not there" apart from "could not look"', async () => {
    const [entry] = await readObjects(readerOf(failure('not-found')), ['/api/v1/namespaces/default/services/x']);
    expect(entry).toMatchObject({ exit: 404 });
    expect(entry?.failure).toBeUndefined();
  });
});

describe('lostOfApi', () => {
  const entry = (key: string, reason?: 'forbidden' | 'truncated', detail = ''): Entry => ({
    key,
    command: '',
    on: { kind: 'api', name: 'API server' },
    exit: reason ? null : 0,
    stdout: '',
    stderr: '',
    ...(reason ? { failure: { reason, detail } } : {}),
  });

  it('puts what one role lacks into one sentence', () => {
    const forbidden = (kind: string) =>
      `${kind} is forbidden: User "a@example.com" cannot list resource "${kind}" in API group "" at the cluster scope (HTTP 403 for /x)`;
    expect(
      lostOfApi([
        entry('api/api/v1/nodes', 'forbidden', forbidden('nodes')),
        entry('api/api/v1/namespaces/kube-system/configmaps/coredns', 'forbidden', forbidden('configmaps')),
        entry('api/apis/apps/v1/namespaces/kube-system/daemonsets'),
        entry(
          'api/api/v1/namespaces/shop/events?fieldSelector=type%3DWarning',
          'truncated',
          'the answer to /x is not whole JSON (9 bytes)',
        ),
      ]),
    ).toEqual([
      'nodes, configmap kube-system/coredns: not read (forbidden to User "a@example.com")',
      'events of shop: not read (the answer is not whole JSON (9 bytes))',
    ]);
  });

  it('is empty where all was read, and leaves what is not of the API to others', () => {
    expect(lostOfApi([entry('api/api/v1/nodes'), { ...entry('node/n1/nft', 'truncated'), on: { kind: 'node', name: 'n1' } }])).toEqual([]);
  });
});
