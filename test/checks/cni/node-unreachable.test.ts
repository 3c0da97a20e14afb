import { describe, expect, it } from 'vitest';
import { nodeUnreachable } from '../../../src/checks/cni/node-unreachable.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'node-unreachable' };
const kubeletOpen = (text: string) =>
  text.replace(
    /k8snet-kubelet\n[\s\S]*/,
    'k8snet-kubelet\nk8snet-try 1 rc=0 cs=1\ntool=nc\nConnection to 192.168.1.12 10250 port [tcp/*] succeeded!\n',
  );

describe('CNI009 node-unreachable', () => {
  it('finds two nodes that do not reach each other, though both are Ready', () => {
    const snapshot = readBundle('cni-node-unreachable');
    const [fault, ...more] = faultsOf(nodeUnreachable, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe("node n2 (192.168.1.12) can't be reached from node n1: neither ping nor the kubelet's port answers");
    expect(quoted(snapshot, fault)).toEqual([
      expect.stringContaining('100% packet loss'),
      expect.stringContaining('port 10250 (tcp) timed out'),
    ]);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids.some((id) => id.includes('/endpoint/10.244.2.'))).toBe(true);
    expect(ids.some((id) => id.includes('/endpoint/10.244.3.') || id.includes('/endpoint/10.244.1.'))).toBe(false);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds a node that is cut off, and of which nothing could be read', () => {
    const snapshot = readBundle('cni-node-cut');
    expect(faultsOf(nodeUnreachable, snapshot)[0].where).toEqual({ kind: 'Node', name: 'n2', node: 'n2' });
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('counts a node as reachable where ICMP alone is filtered', () => {
    const filtered = edited(readBundle('cni-node-unreachable'), /^probe\/node\/n1\/node\/192\.168\.1\.12$/, kubeletOpen);
    expect(resultOf(nodeUnreachable, filtered)).toMatchObject({ state: 'pass' });
  });

  it('counts a node as reachable where its pods are', () => {
    const silent = readBundle('cni-node-unreachable').entries.get('probe/node/n1/node/192.168.1.12')?.stdout ?? '';
    const healthy = edited(readBundle('cni-odd-forward-policy'), /^probe\/node\/n1\/node\/192\.168\.1\.12$/, () => silent);
    expect(resultOf(nodeUnreachable, healthy)).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster, and cannot tell where no echo request could be sent', () => {
    expect(resultOf(nodeUnreachable, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(
      resultOf(nodeUnreachable, failing(readBundle('cni-node-unreachable'), /^probe\/node\/n1\/node\/192\.168\.1\.12$/, 'tool-missing')),
    ).toMatchObject({ state: 'unknown', reason: 'tool-missing' });
  });
});
