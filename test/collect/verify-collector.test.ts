import { describe, expect, it } from 'vitest';
import { verifySnapshot } from '../../src/app/verify.ts';
import { ClusterError, UsageError } from '../../src/collect/errors.ts';
import type { ClusterReader, ReadResult } from '../../src/collect/reader.ts';
import { collectForVerify, type VerifyCollectOptions } from '../../src/collect/verify-collector.ts';
import { bundle } from '../intent/change.ts';

const recorded = bundle('svc-targetport');
const object = (key: string) => JSON.parse(recorded.entries.get(`api${key}`)?.stdout ?? 'null');
const service = object('/api/v1/namespaces/default/services/my-service');

/** An API server that answers with what was recorded; a second reading of a path may differ. */
function readerOf(second: Record<string, unknown> = {}): ClusterReader & { asked: string[] } {
  const asked: string[] = [];
  const bodies: Record<string, unknown> = {
    '/api/v1/namespaces/default/services': {
      items: [
        {
          ...service,
          metadata: { ...service.metadata, managedFields: [{ time: '2026-11-21T18:00:00Z' }, { time: '2026-11-21T17:00:00Z' }] },
        },
      ],
    },
  };
  return {
    name: 'client',
    asked,
    requests: () => asked.length,
    get: async (path): Promise<ReadResult> => {
      const again = asked.includes(path);
      asked.push(path);
      const body = (again ? second[path] : undefined) ?? bodies[path] ?? object(path);
      return body === null ? { ok: false, failure: { reason: 'not-found', detail: path } } : { ok: true, body };
    },
  };
}

const options: VerifyCollectOptions = {
  targets: [],
  allNamespaces: false,
  namespace: 'default',
  nodes: [],
  nodeAccess: 'none',
  image: 'image',
  nodePodNamespace: 'kube-system',
  limitMilliseconds: 10_000,
};

function collect(change: Partial<VerifyCollectOptions>, reader: ClusterReader = readerOf()) {
  const never = () => Promise.reject(new Error('nothing is started without node access'));
  return collectForVerify(
    { ...options, ...change },
    {
      kubectl: { run: never } as unknown as Parameters<typeof collectForVerify>[1]['kubectl'],
      reader,
      nodePods: { create: never } as unknown as Parameters<typeof collectForVerify>[1]['nodePods'],
      signal: new AbortController().signal,
      version: '0',
      progress: () => undefined,
    },
  );
}

describe('what verify collects', () => {
  it('reads the lists before and after the rules, and asks every node', async () => {
    const reader = readerOf();
    const snapshot = await collect({}, reader);
    const lists = ['/api/v1/namespaces/default/services', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'];
    for (const path of lists) {
      expect(reader.asked.filter((asked) => asked === path)).toHaveLength(2);
      expect(snapshot.entries.has(`after/api${path}`)).toBe(true);
    }
    for (const node of ['n1', 'n2', 'n3'])
      for (const name of [
        'iptables-save',
        'iptables-legacy-save',
        'nft',
        'ip-addr',
        'ip-route',
        'ip6tables-save',
        'ip6tables-legacy-save',
        'ipvs',
      ])
        expect(snapshot.entries.get(`node/${node}/${name}`)?.failure?.reason).toBe('not-collected');
    expect(snapshot.entries.has('node/n1/conntrack-stats')).toBe(false);
  });

  it('claims nothing of nodes that it could not look at', async () => {
    const { report } = verifySnapshot(await collect({}));
    expect(report.findings).toEqual([]);
    expect(report.verdict.status).toBe('unknown');
    expect(report.nodes.map(({ name, state }) => `${name} ${state}`)).toEqual(['n1 unknown', 'n2 unknown', 'n3 unknown']);
  });

  it('keeps when an object last changed, of which only its managed fields tell, and not the fields', async () => {
    const text = (await collect({})).entries.get('api/api/v1/namespaces/default/services')?.stdout ?? '';
    expect(JSON.parse(text).items[0].metadata).toMatchObject({ changedAt: '2026-11-21T18:00:00Z' });
    expect(text).not.toContain('managedFields');
  });

  it('refuses names that are not there, and says what is near', async () => {
    await expect(collect({ targets: [{ namespace: null, name: 'my-servic' }] })).rejects.toThrow(
      /no Service "my-servic" in namespace "default"; near names: my-service/,
    );
    await expect(collect({ targets: [{ namespace: null, name: 'my-servic' }] })).rejects.toBeInstanceOf(UsageError);
    await expect(collect({ nodes: ['n9'] })).rejects.toThrow(/there is no node "n9"; the nodes are n1, n2, n3/);
  });

  it('asks only the nodes that are named', async () => {
    const snapshot = await collect({ nodes: ['n2'] });
    expect([...snapshot.entries.keys()].filter((key) => key.startsWith('node/')).every((key) => key.startsWith('node/n2/'))).toBe(true);
  });

  it('ends where the Services could not be read', async () => {
    const shut: ClusterReader = {
      ...readerOf(),
      get: async () => ({ ok: false, failure: { reason: 'forbidden', detail: 'User "x" cannot list' } }),
    };
    await expect(collect({}, shut)).rejects.toBeInstanceOf(ClusterError);
  });
});
