import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectPath, type PathOptions } from '../../src/collect/path-collector.ts';
import type { ClusterReader } from '../../src/collect/reader.ts';
import { createFacts } from '../../src/facts/facts.ts';
import { apiKey } from '../../src/model/object-paths.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import { traceFlow } from '../../src/walk/trace.ts';

const recorded = unpackSnapshot(readFileSync(join(import.meta.dirname, '../../fixtures/bundles/dns-healthy-nftables.tgz'))).entries;

/** The API as a real cluster answered it, path by path; what was not recorded is not there. */
function readerOf(asked: string[]): ClusterReader {
  return {
    name: 'client',
    requests: () => asked.length,
    get: (path) => {
      asked.push(path);
      const entry = recorded.get(apiKey(path));
      if (entry?.exit === 0) return Promise.resolve({ ok: true, body: JSON.parse(entry.stdout) });
      return Promise.resolve({ ok: false, failure: { reason: 'not-found', detail: path } });
    },
  };
}

const never = (): never => {
  throw new Error('without access to nodes nothing is run on them');
};

function collect(
  wanted: Pick<PathOptions, 'from' | 'to'> & Partial<Pick<PathOptions, 'protocol'>>,
  asked: string[] = [],
  reader = readerOf(asked),
) {
  const options: PathOptions = {
    protocol: 'tcp',
    ...wanted,
    namespace: 'default',
    nodeAccess: 'none',
    image: '',
    nodePodNamespace: 'kube-system',
  };
  const kubectl = { binary: 'kubectl', flags: {}, run: never };
  const nodePods = { create: never, removeAll: never, lastWords: never };
  return collectPath(options, { kubectl, reader, nodePods: nodePods as never, version: '0', progress: () => {} });
}

const service = { kind: 'service', namespace: null, name: 'my-service', port: undefined } as const;
const namesOf = (key: string) => ({ namespace: key.split('/')[0], name: key.split('/')[1] });
const nodesIn = (keys: Iterable<string>): string[] =>
  [...new Set([...keys].flatMap((key) => /^node\/([^/]+)/.exec(key)?.[1] ?? []))].sort();

describe('collectPath', () => {
  it('reads the nodes and pods of a Service and of its client, and says of each reading why it is missing', async () => {
    const { entries, manifest } = await collect({ from: { kind: 'pod', namespace: null, name: 'client' }, to: service });
    expect(nodesIn(entries.keys())).toEqual(['n1', 'n2', 'n3']);
    expect(entries.get('node/n2/ip-route')?.failure?.detail).toContain('--node-access none');
    expect([...entries.keys()].filter((key) => /^pod\/default\/(client|web-[^/]+)\/ip-addr$/.test(key))).toHaveLength(4);
    expect(manifest.request.from).toMatchObject({ kind: 'Pod', name: 'client', node: 'n1' });
  });

  it('looks only at the node of a pod that is asked by address, in the namespace that the API names for it', async () => {
    const pods = JSON.parse(recorded.get('api/api/v1/namespaces/default/pods')?.stdout ?? '{}') as {
      items: { spec: { nodeName: string }; status: { podIP: string }; metadata: { name: string } }[];
    };
    const web = pods.items.find(({ metadata, spec }) => metadata.name.startsWith('web-') && spec.nodeName !== 'n1');
    const asked: string[] = [];
    const to = { kind: 'address', address: web?.status.podIP ?? '', port: 8080 } as const;
    const { entries } = await collect({ from: { kind: 'pod', namespace: null, name: 'client' }, to }, asked);
    expect(asked).toContain(`/api/v1/pods?fieldSelector=status.podIP%3D${web?.status.podIP}`);
    expect(nodesIn(entries.keys())).toEqual(['n1', web?.spec.nodeName]);
  });

  it('finds the Service that an address belongs to, in whatever namespace it is', async () => {
    const listed = JSON.parse(recorded.get('api/api/v1/namespaces/kube-system/services')?.stdout ?? '{}') as object;
    const asked: string[] = [];
    const reader = readerOf(asked);
    const all = {
      ...reader,
      get: (path: string) => (path === '/api/v1/services' ? Promise.resolve({ ok: true as const, body: listed }) : reader.get(path)),
    };
    const to = { kind: 'address', address: '10.96.0.10', port: 53 } as const;
    const { entries } = await collect({ from: { kind: 'pod', namespace: null, name: 'client' }, to }, asked, all);
    const dnsPods = [...entries.keys()].filter((key) => /^pod\/kube-system\/coredns-[^/]+\/ip-addr$/.test(key));
    expect(dnsPods).toHaveLength(2);
  });

  it('chooses a client where none is named, and refuses what is not there', async () => {
    const { manifest } = await collect({ from: null, to: service });
    expect(manifest.request.from).toMatchObject({ kind: 'Pod', namespace: 'default', name: 'client' });
    await expect(collect({ from: null, to: { ...service, name: 'other' } })).rejects.toThrow('there is no Service "other"');
    await expect(collect({ from: null, to: { ...service, port: '9999' } })).rejects.toThrow('has no port "9999"; it has 80');
    await expect(collect({ from: null, to: { ...service, port: '80' }, protocol: 'udp' })).rejects.toThrow(
      'Service default/my-service has no UDP port "80"; it has 80/TCP',
    );
    await expect(collect({ from: null, to: service, protocol: 'sctp' })).rejects.toThrow('has no SCTP port; it has 80/TCP');
    await expect(collect({ from: { kind: 'pod', namespace: null, name: 'nobody' }, to: service })).rejects.toThrow(
      'there is no pod "nobody"',
    );
    await expect(collect({ from: null, to: { kind: 'pod', namespace: null, name: 'nobody', port: 1 } })).rejects.toThrow(
      'there is no pod "nobody"',
    );
  });

  it('names what is near to a name that is not there, and which namespace has it, as a diagnosis does', async () => {
    const listed = { items: ['default/my-service', 'shop/my-servce', 'default/kubernetes'].map((key) => ({ metadata: namesOf(key) })) };
    const asked: string[] = [];
    const reader = readerOf(asked);
    const get = (path: string) => (path === '/api/v1/services' ? Promise.resolve({ ok: true as const, body: listed }) : reader.get(path));
    await expect(collect({ from: null, to: { ...service, name: 'my-servce' } }, asked, { ...reader, get })).rejects.toThrow(
      /\(SVC001\); namespace shop has it \(-n shop\); near names here: my-service$/,
    );
    await expect(collect({ from: null, to: { kind: 'pod', namespace: null, name: 'clint', port: 1 } })).rejects.toThrow(
      'there is no pod "clint" in namespace "default"; near names: client',
    );
  });

  it('never takes a list of pods that it may not read for one without the pod', async () => {
    const to = { kind: 'pod', namespace: null, name: 'client', port: undefined } as const;
    const own = JSON.parse(recorded.get('api/api/v1/namespaces/default/pods')?.stdout ?? '{}') as {
      items: { metadata: { name: string } }[];
    };
    const asked: string[] = [];
    const reader = readerOf(asked);
    const forbidden = { ok: false as const, failure: { reason: 'forbidden' as const, detail: 'pods is forbidden' } };
    const withPod = (pod: unknown) => ({
      ...reader,
      get: (path: string) => {
        if (path === '/api/v1/namespaces/default/pods') return Promise.resolve(forbidden);
        if (path === '/api/v1/namespaces/default/pods/client') return Promise.resolve(pod ? { ok: true as const, body: pod } : forbidden);
        return reader.get(path);
      },
    });
    const node = { kind: 'node', namespace: null, name: 'n2' } as const;
    await expect(collect({ from: node, to }, asked, withPod(undefined))).rejects.toThrow(
      'whether there is a pod default/client could not be read',
    );
    const pod = own.items.find(({ metadata }) => metadata.name === 'client');
    const { entries } = await collect({ from: node, to }, asked, withPod(pod));
    expect(nodesIn(entries.keys())).toEqual(['n1', 'n2']);
  });

  it('gives a trace that says which reading it lacks, and nothing else', async () => {
    const facts = createFacts(await collect({ from: { kind: 'pod', namespace: null, name: 'client' }, to: service }));
    const traces = traceFlow(facts, {
      from: { kind: 'pod', namespace: 'default', name: 'client' },
      to: { ...service, namespace: 'default' },
      protocol: 'tcp',
      packet: 'first',
    });
    expect(traces.map(({ disposition }) => disposition)).toEqual(['insufficient-info']);
    expect(traces[0]?.why).toContain('--node-access none');
  });
});
