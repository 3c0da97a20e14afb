import { describe, expect, it } from 'vitest';
import { mtuBlackHole } from '../../../src/checks/cni/mtu-black-hole.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, faultsOf, quoted, readBundle, resultOf, verdictOf, without } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'mtu-black-hole' };

describe('CNI016 mtu-black-hole', () => {
  it('names the narrow tunnel once for all nodes that have it, and the rule that keeps the sender in the dark', () => {
    const snapshot = readBundle('cni-mtu');
    const faults = faultsOf(mtuBlackHole, snapshot);
    expect(faults.map((fault) => fault.where)).toEqual([{ kind: 'link', name: 'flannel.1 mtu 1400 (on n1, n2, n3)', node: 'n1' }]);
    expect(faults[0].title).toMatch(
      /^flannel\.1 on nodes n1, n2, n3 takes 1400 bytes and the pods send 1450; the sender is not told \(filter OUTPUT: "-A OUTPUT .*icmp.* -j DROP" would drop the ICMP\)/,
    );
    expect(quoted(snapshot, faults[0])[0]).toContain('100% packet loss');
    const ids = broken(createFacts(snapshot), faults[0]);
    expect(ids).toContain('probe/pod/default/client/payload/10.244.2.10');
    expect(ids.every((id) => id.includes('/payload/'))).toBe(true);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds a narrow way back by what the backend sends', () => {
    const snapshot = readBundle('cni-mtu-reply');
    const [fault, ...more] = faultsOf(mtuBlackHole, snapshot);
    expect(more).toEqual([]);
    expect(fault.where).toEqual({ kind: 'link', name: 'flannel.1 mtu 1400', node: 'n2' });
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('says nothing of sizes where packets of any size are lost now and then', () => {
    const snapshot = readBundle('cni-loss-between');
    expect(createFacts(snapshot).probes.find(({ id }) => id === 'probe/pod/default/client/payload/10.244.2.13')).toMatchObject({
      tries: [],
      unknown: { reason: 'unsupported', detail: expect.stringContaining('packets of any size are lost now and then') },
    });
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'tunnel-traffic-lost-between-nodes' });
  });

  it('looks between the nodes where no device of theirs is narrow', () => {
    const snapshot = readBundle('cni-mtu-underlay');
    const [fault] = faultsOf(mtuBlackHole, snapshot);
    expect(fault.where).toMatchObject({ kind: 'network', name: 'between nodes n1 and n2' });
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('names the direction that the far node saw, and the largest packet that was measured', () => {
    const snapshot = readBundle('mtu-one-way');
    const [fault, ...more] = faultsOf(mtuBlackHole, snapshot);
    expect(more).toEqual([]);
    expect(fault.where).toEqual({ kind: 'network', name: 'between nodes n1 and n2', node: 'n2' });
    expect(fault.title).toMatch(
      /^packets of 1450 bytes vanish between nodes n1 and n2, from n2 to n1 only,.*; the largest that passes is 1290 bytes$/,
    );
    expect(quoted(snapshot, fault).join('\n')).toMatch(
      /1262\(1290\) bytes[\s\S]*1263\(1291\) bytes[\s\S]*From 10\.244\.2\.0 icmp_seq=1 Time to live exceeded/,
    );
    expect(fault.fix[0]).toContain('at most 1290');
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it("names the far node's network card, though its own packets pass it in fragments", () => {
    const [fault, ...more] = faultsOf(mtuBlackHole, readBundle('mtu-far-card'));
    expect(more).toEqual([]);
    expect(fault.where).toEqual({ kind: 'link', name: 'eth0 mtu 1400', node: 'n2' });
    expect(fault.title).toContain('takes 1400 bytes and the pods send 1450, which are 1500 in the tunnel; the sender is not told');
    expect(fault.fix[0]).toBe(
      "make the MTU of the pods at most 1350 (the CNI's configuration, then new pods), or that of eth0 at least 1500",
    );
  });

  it('does not point at the network where the far node was not read', () => {
    const [fault] = faultsOf(mtuBlackHole, without(readBundle('mtu-far-card'), /^(node\/n2|pod\/default\/web|pod\/kube-system)\//));
    expect(fault.title).toMatch(/no device that was read is narrower, and not all were \(node n2.* was not read\)/);
  });

  it('is no matter of size where small packets are lost too', () => {
    expect(resultOf(mtuBlackHole, readBundle('cni-fw-between'))).not.toMatchObject({ state: 'fail' });
  });

  it('finds nothing where the sender is told', () => {
    const told = edited(readBundle('cni-mtu'), /^probe\/pod\/.*\/payload\//, (text) =>
      text.replace(
        /(PING \S+ \(\S+\) 1422\(1450\) bytes of data\.\n)/,
        '$1From 10.244.1.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n',
      ),
    );
    expect(resultOf(mtuBlackHole, told)).toMatchObject({ state: 'pass' });
  });

  it('passes on a healthy cluster, and cannot tell where fragments came back and the way back was not tried', () => {
    expect(resultOf(mtuBlackHole, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    expect(resultOf(mtuBlackHole, without(readBundle('cni-mtu-reply'), /^probe\/pod\/(default\/web|kube-system)/))).toMatchObject({
      state: 'unknown',
    });
  });
});
