import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseClient, isNodeReady, silentNodes } from '../../src/collect/client.ts';
import { type Node, nodeSchema, type Pod, podSchema } from '../../src/schema/kubernetes.ts';

const pod = (
  name: string,
  { ip = '10.0.0.9', node = 'n1', ready = true, phase = 'Running', hostNetwork = false, deleted = false } = {},
): Pod =>
  podSchema.parse({
    metadata: { name, namespace: 'shop', ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: node, hostNetwork, containers: [{ name: 'c' }] },
    status: { phase, podIP: ip, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  });

const node = (name: string, ready: 'True' | 'False' | 'Unknown' = 'True'): Node =>
  nodeSchema.parse({ metadata: { name }, status: { conditions: [{ type: 'Ready', status: ready, message: `${name} says` }] } });

const none = new Set<string>();

describe('chooseClient', () => {
  it('takes a ready pod before one that is not, then by name, whatever the order of the list', () => {
    const pods = [pod('d', { ready: false }), pod('c'), pod('b'), pod('a', { ready: false })];
    fc.assert(
      fc.property(fc.shuffledSubarray(pods, { minLength: 4 }), (shuffled) => {
        expect(chooseClient(shuffled, none, [node('n1')])).toMatchObject({ kind: 'Pod', namespace: 'shop', name: 'b', node: 'n1' });
      }),
    );
  });

  it.each([
    ['is an endpoint', pod('x', { ip: '10.0.0.1' })],
    ['is on the host network', pod('x', { hostNetwork: true })],
    ['has ended', pod('x', { phase: 'Succeeded' })],
    ['is pending', pod('x', { phase: 'Pending' })],
    ['is being deleted', pod('x', { deleted: true })],
    ['is on a node that no longer reports', pod('x', { node: 'n2' })],
  ])('does not take a pod that %s', (_, candidate) => {
    const from = chooseClient([candidate], new Set(['10.0.0.1']), [node('n2', 'Unknown'), node('n3'), node('n1')]);
    expect(from).toEqual({
      kind: 'Node',
      name: 'n1',
      node: 'n1',
      why: 'no running pod of the namespace could be the client, so the first ready node is',
    });
  });

  it('says that pods or nodes could not be read, and never that there are none', () => {
    expect(chooseClient(null, none, [node('n1')]).why).toBe('the pods of the namespace could not be read, so the first ready node is');
    expect(chooseClient(null, none, null)).toMatchObject({
      kind: 'none',
      why: 'the pods of the namespace could not be read, and neither could the nodes be read: name a client with --from',
    });
    expect(chooseClient([], none, []).why).toBe(
      'no running pod of the namespace could be the client, and there is no ready node: name a client with --from',
    );
    expect(chooseClient([], none, [node('n1', 'False')])).toMatchObject({ kind: 'none' });
  });
});

describe('nodes', () => {
  it('are silent when Ready is Unknown, and only then', () => {
    expect([...silentNodes([node('a'), node('b', 'False'), node('c', 'Unknown'), nodeSchema.parse({ metadata: { name: 'd' } })])]).toEqual([
      ['c', 'c says'],
    ]);
    expect([node('a'), node('b', 'False'), node('c', 'Unknown')].map(isNodeReady)).toEqual([true, false, false]);
  });
});
