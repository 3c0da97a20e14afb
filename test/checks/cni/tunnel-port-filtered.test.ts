import { describe, expect, it } from 'vitest';
import { tunnelPortFiltered } from '../../../src/checks/cni/tunnel-port-filtered.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

const verdict = { status: 'fault', layer: 'cni', slug: 'tunnel-port-filtered' };

describe('CNI007 tunnel-port-filtered', () => {
  it('quotes the rule of the receiving node', () => {
    const snapshot = readBundle('cni-fw-vxlan');
    const [fault, ...more] = faultsOf(tunnelPortFiltered, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(
      /^node n2 drops the tunnel packets \(UDP 8472\) that it gets from other nodes, in filter INPUT: "-A INPUT -p udp -m udp --dport 8472 -j DROP"/,
    );
    expect(fault.where).toMatchObject({ kind: 'rule', node: 'n2' });
    expect(quoted(snapshot, fault)).toEqual([expect.stringContaining('-A INPUT -p udp -m udp --dport 8472 -j DROP')]);
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('quotes the rule of the sending node', () => {
    const snapshot = readBundle('cni-fw-vxlan-out');
    const [fault] = faultsOf(tunnelPortFiltered, snapshot);
    expect(fault.title).toContain('that it sends to other nodes, in filter OUTPUT');
    expect(fault.where).toMatchObject({ node: 'n1' });
    expect(verdictOf(snapshot)).toEqual(verdict);
  });

  it('finds the same in a native nftables table', () => {
    const snapshot = edited(
      edited(readBundle('cni-fw-vxlan'), /^node\/n2\/iptables-save$/, (text) => text.replace(/^.*--dport 8472 -j DROP\n/m, '')),
      /^node\/n2\/nft$/,
      (text) =>
        `${text}table inet hostfw {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tct state established,related accept\n\t\ttcp dport 22 accept\n\t}\n}\n`,
    );
    const [fault] = faultsOf(tunnelPortFiltered, snapshot);
    expect(fault.title).toContain('table inet hostfw chain input: policy DROP');
  });

  it('minds no rule on another port, and none that comes after an accept', () => {
    const otherPort = edited(readBundle('cni-fw-vxlan'), /^node\/n2\/(iptables-save|nft)$/, (text) => text.replaceAll('8472', '4789'));
    expect(resultOf(tunnelPortFiltered, otherPort)).not.toMatchObject({ state: 'fail' });
    const accepted = edited(readBundle('cni-fw-vxlan'), /^node\/n2\/iptables-save$/, (text) =>
      text.replace(/^(\S+ )(-A INPUT -p udp -m udp --dport 8472 -j )DROP/m, '$1$2ACCEPT\n$1$2DROP'),
    );
    expect(resultOf(tunnelPortFiltered, accepted)).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster, and cannot tell where a backend of the firewall was not read', () => {
    expect(resultOf(tunnelPortFiltered, readBundle('cni-odd-forward-policy'))).toMatchObject({ state: 'pass' });
    const snapshot = readBundle('cni-fw-between');
    expect(resultOf(tunnelPortFiltered, snapshot)).toMatchObject({ state: 'pass' });
    expect(resultOf(tunnelPortFiltered, failing(snapshot, /^node\/n2\/nft$/, 'tool-missing'))).toMatchObject({ state: 'unknown' });
  });
});
