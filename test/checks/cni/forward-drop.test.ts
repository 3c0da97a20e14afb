import { describe, expect, it } from 'vitest';
import { forwardDrop } from '../../../src/checks/cni/forward-drop.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'forward-drop' };

describe('CNI011 forward-drop', () => {
  it('quotes the policy that nothing accepts before', () => {
    const snapshot = readBundle('cni-forward-drop');
    const [fault, ...more] = faultsOf(forwardDrop, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(/^node n1 drops what it forwards between pods .* in filter FORWARD: policy DROP$/);
    expect(fault.where).toEqual({ kind: 'rule', name: 'filter FORWARD: policy DROP', node: 'n1' });
    expect(quoted(snapshot, fault)).toEqual([expect.stringMatching(/^:FORWARD DROP \[/)]);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids.some((id) => id.startsWith('probe/pod/default/client/endpoint/10.244.2.'))).toBe(true);
    expect(ids.some((id) => id.startsWith('probe/node/n1/'))).toBe(false);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds the drop in the legacy backend, which iptables-save does not show', () => {
    const snapshot = readBundle('cni-forward-drop-legacy');
    const [fault] = faultsOf(forwardDrop, snapshot);
    expect(fault.title).toContain('filter FORWARD of iptables-legacy: "-A FORWARD -s 10.244.0.0/16 -j DROP"');
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds the policy of a native nftables chain', () => {
    const snapshot = readBundle('cni-forward-drop-nft');
    const [fault] = faultsOf(forwardDrop, snapshot);
    expect(fault.title).toContain('table inet hostfw chain forward: policy DROP');
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('names a rule that leaves it to chance, with its share', () => {
    const rule =
      '-A FORWARD -p tcp -m tcp --dport 8080 --tcp-flags FIN,SYN,RST,ACK SYN -m statistic --mode random --probability 0.5 -j DROP';
    const snapshot = edited(readBundle('cni-forward-drop'), /^node\/n1\/iptables-save$/, (text) =>
      text.replace(/^:FORWARD DROP/gm, ':FORWARD ACCEPT').replace(/^(?=\[\d+:\d+\] -A FORWARD)/m, `[17:1020] ${rule}\n`),
    );
    const [fault] = faultsOf(forwardDrop, snapshot);
    expect(fault.title).toMatch(/ about 50 % of .*--probability 0\.5/);
    expect(quoted(snapshot, fault)).toEqual([`[17:1020] ${rule}`]);
  });

  it('does not mind a policy that is never reached', () => {
    const snapshot = readBundle('cni-odd-forward-policy');
    expect(snapshot.entries.get('node/n1/iptables-save')?.stdout).toMatch(/^:FORWARD DROP/m);
    expect(resultOf(forwardDrop, snapshot)).toMatchObject({ state: 'pass' });
    expect(verdictOf(snapshot)).toMatchObject({ status: 'healthy' });
  });

  it('leaves rules on one pod to CNI017, and rules on port 53 to DNS007', () => {
    expect(resultOf(forwardDrop, readBundle('cni-backend-policy-drop'))).not.toMatchObject({ state: 'fail' });
    const dns = edited(readBundle('cni-odd-forward-policy'), /^node\/n1\/iptables-save$/, (text) =>
      text.replace(/^(\[.*\] -A FORWARD )/m, '[9:9] -A FORWARD -p udp -m udp --dport 53 -j DROP\n$1'),
    );
    expect(resultOf(forwardDrop, dns)).not.toMatchObject({ state: 'fail' });
  });

  it('says whose packets they are where a rule is about what the client sends', () => {
    const sender = edited(readBundle('cni-forward-drop'), /^node\/n1\/iptables-save$/, (text) =>
      text
        .replace(/^:FORWARD DROP/m, ':FORWARD ACCEPT')
        .replace(/^(\[.*\] -A FORWARD )/m, '[9:9] -A FORWARD -s 10.244.1.11/32 -o flannel.1 -p tcp -j DROP\n$1'),
    );
    expect(faultsOf(forwardDrop, sender)[0].title).toMatch(/^node n1 drops what pod default\/client sends to 10\.244\./);
  });

  it('cannot tell where a backend was not read, or not to its end', () => {
    const snapshot = readBundle('cni-fw-between');
    expect(resultOf(forwardDrop, snapshot)).toMatchObject({ state: 'pass' });
    expect(resultOf(forwardDrop, failing(snapshot, /^node\/n1\/iptables-legacy-save$/, 'tool-missing'))).toMatchObject({
      state: 'unknown',
    });
    const cut = edited(readBundle('cni-forward-drop'), /^node\/n1\/iptables-save$/, (text) => text.slice(0, text.lastIndexOf('COMMIT')));
    expect(resultOf(forwardDrop, cut)).toMatchObject({ state: 'unknown' });
  });
});
