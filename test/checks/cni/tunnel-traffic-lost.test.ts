import { describe, expect, it } from 'vitest';
import { tunnelTrafficLostBetweenNodes } from '../../../src/checks/cni/tunnel-traffic-lost.ts';
import { failing, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'tunnel-traffic-lost-between-nodes' };

describe('CNI008 tunnel-traffic-lost-between-nodes', () => {
  it('says that the requests do not arrive, by the connection that the far node does not know', () => {
    const snapshot = readBundle('cni-fw-between');
    const [fault, ...more] = faultsOf(tunnelTrafficLostBetweenNodes, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toBe(
      "tunnel packets (flannel.1, UDP 8472) are lost on the network from n1 to n2: both nodes' devices, routes and rules are in order, and the nodes reach each other",
    );
    expect(fault.where).toEqual({ kind: 'network', name: 'n1 -> n2 udp 8472' });
    expect(quoted(snapshot, fault).join('\n')).toMatch(/timed out[\s\S]*2 received, 0% packet loss[\s\S]*SYN_SENT src=10\.244\.1\./);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('says that the answers are lost, by the connection that the far node knows', () => {
    const snapshot = readBundle('cni-fw-between-back');
    const [fault] = faultsOf(tunnelTrafficLostBetweenNodes, snapshot);
    expect(fault.where).toEqual({ kind: 'network', name: 'n2 -> n1 udp 8472' });
    expect(quoted(snapshot, fault).join('\n')).toMatch(/SYN_RECV src=10\.244\.1\./);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('says it of pod addresses where there is no tunnel, though the nodes themselves reach the pods', () => {
    const snapshot = readBundle('cni-hostgw-antispoof');
    const [fault] = faultsOf(tunnelTrafficLostBetweenNodes, snapshot);
    expect(fault.title).toMatch(/^packets with pod addresses are lost on the network from n1 to n2: /);
    // n2 still knows an older connection with the same addresses, which says nothing.
    expect(snapshot.entries.get('node/n2/conntrack')?.stdout).toMatch(/TIME_WAIT src=10\.244\.1\.18 dst=10\.244\.2\.15/);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('names no direction without the connection tracking', () => {
    const [fault] = faultsOf(tunnelTrafficLostBetweenNodes, without(readBundle('cni-fw-between'), /\/conntrack$/));
    expect(fault.where).toEqual({ kind: 'network', name: 'n1 <-> n2 udp 8472' });
  });

  it('cannot tell where one table of either node was not seen, or no node was asked for', () => {
    const snapshot = readBundle('cni-fw-between');
    for (const unread of [/^node\/n2\/bridge-fdb$/, /^node\/n1\/nft$/, /^node\/n2\/sysctl$/, /^node\/n2\/ip-link$/])
      expect(resultOf(tunnelTrafficLostBetweenNodes, failing(snapshot, unread, 'forbidden'))).toMatchObject({ state: 'unknown' });
    expect(resultOf(tunnelTrafficLostBetweenNodes, without(snapshot, /^probe\/node\/n1\/node\//))).toMatchObject({ state: 'unknown' });
  });

  it('passes where something else explains the loss, and on a healthy cluster', () => {
    for (const name of ['cni-fw-vxlan', 'cni-vxlan-down', 'cni-node-unreachable', 'cni-odd-forward-policy'])
      expect(resultOf(tunnelTrafficLostBetweenNodes, readBundle(name)), name).toMatchObject({ state: 'pass' });
  });
});
