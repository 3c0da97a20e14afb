import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packetsLostOnNode } from '../../../src/checks/cni/packets-lost-on-node.ts';
import { tunnelTrafficLostBetweenNodes } from '../../../src/checks/cni/tunnel-traffic-lost.ts';
import { unpackSnapshot } from '../../../src/snapshot/archive.ts';
import type { Snapshot } from '../../../src/snapshot/snapshot.ts';
import { failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from '../dns/bundle.ts';

const recorded = (name: string): Snapshot =>
  unpackSnapshot(readFileSync(new URL(`../../../fixtures/captures/${name}.tgz`, import.meta.url)));
const dropped = recorded('cni-tc-drop-nftables');
const verdict = { status: 'fault', layer: 'cni' };

describe('CNI021 packets-lost-on-node', () => {
  it('names the node that packets come into and do not leave, the reason of its kernel and the counter that agrees', () => {
    const [fault, ...more] = faultsOf(packetsLostOnNode, dropped);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(/^packets are lost on node n2: .* last seen at node n2, in by flannel\.1, .* calls it TC_INGRESS /);
    expect(fault.where).toEqual({ kind: 'Node', name: 'n2', node: 'n2' });
    expect(quoted(dropped, fault)[1]).toContain('clsact');
    expect(verdictOf(dropped)).toEqual({ ...verdict, slug: 'packets-lost-on-node' });
  });

  it('outweighs what is left when the tables of both nodes are in order', () => {
    expect(resultOf(tunnelTrafficLostBetweenNodes, dropped).state).toBe('pass');
    const withoutCapture = without(dropped, /^capture\//);
    expect(resultOf(packetsLostOnNode, withoutCapture).state).toBe('skip');
    expect(verdictOf(withoutCapture)).toEqual({ ...verdict, slug: 'tunnel-traffic-lost-between-nodes' });
  });

  it('steps back behind the rule that a check of the tables names', () => {
    const snapshot = recorded('../captures-with-tables/rule-forward-reject-nftables');
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'service', slug: 'rule-before-kube-proxy' });
    const [fault] = faultsOf(packetsLostOnNode, snapshot);
    expect(fault.title).toMatch(/^packets are lost on node n1, by a rule: /);
    expect(fault.fix[0]).toMatch(/^take away, or correct, what counts them: filter FORWARD: .*--ctorigdst/);
    expect(fault.fix.join(' ')).not.toContain('no table shows');
  });

  it('of UDP claims nothing of the tables, which no probe was held against, and says how to do that', () => {
    const [fault] = faultsOf(packetsLostOnNode, recorded('../captures-udp/dropped-nftables'));
    expect(fault.title).toMatch(/^packets are lost on node n2, by a rule: the requests of 10 captured tries .* calls it NETFILTER_DROP /);
    expect(fault.next[0]).toBe('k8snet trace --udp -n default --from pod/default/client svc/udp-echo:7000');
  });

  it('can not tell where nothing was captured, and names nothing where the node was not captured on', () => {
    expect(resultOf(packetsLostOnNode, failing(dropped, /^capture\/plan$/, 'unsupported'))).toMatchObject({ state: 'unknown' });
    expect(resultOf(packetsLostOnNode, failing(dropped, /^capture\/.*\/pcap$/, 'unreachable')).state).toBe('pass');
  });

  it('says nothing of a healthy cluster, and nothing of what is lost between nodes', () => {
    expect(resultOf(packetsLostOnNode, readBundle('dns-healthy')).state).toBe('skip');
    expect(resultOf(packetsLostOnNode, recorded('cni-reply-asymmetric-nftables')).state).toBe('pass');
  });
});
