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

  it('looks between the nodes where no device of theirs is narrow', () => {
    const snapshot = readBundle('cni-mtu-underlay');
    const [fault] = faultsOf(mtuBlackHole, snapshot);
    expect(fault.where).toMatchObject({ kind: 'network', name: 'between nodes n1 and n2' });
    expect(verdictOf(snapshot)).toEqual(verdict);
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
