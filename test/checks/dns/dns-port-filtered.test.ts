import { describe, expect, it } from 'vitest';
import { dnsPortFiltered } from '../../../src/checks/dns/dns-port-filtered.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from './bundle.ts';

describe('DNS007 dns-port-filtered', () => {
  it('quotes the rules of the node that drop port 53', () => {
    const snapshot = readBundle('dns-port-filtered');
    const [fault, ...more] = faultsOf(dnsPortFiltered, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(
      /^node n1 drops DNS \(UDP and TCP port 53\) by "-A FORWARD -p udp -m udp --dport 53 -j DROP" in filter FORWARD/,
    );
    expect(fault.where).toEqual({ kind: 'iptables rule', name: 'filter FORWARD', node: 'n1' });
    expect(quoted(snapshot, fault).sort()).toEqual([
      expect.stringContaining('-A FORWARD -p tcp -m tcp --dport 53 -j DROP'),
      expect.stringContaining('-A FORWARD -p udp -m udp --dport 53 -j DROP'),
    ]);
    const facts = createFacts(snapshot);
    expect(broken(facts, fault).every((id) => id.startsWith('probe/pod/default/client/'))).toBe(true);
    expect(broken(facts, fault)).toContain('probe/pod/default/client/dns-server/10.96.0.10');
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'dns-port-filtered' });
  });

  it("finds a rule in the client pod's own namespace", () => {
    const snapshot = readBundle('dns-port-rejected-in-pod');
    const [fault] = faultsOf(dnsPortFiltered, snapshot);
    expect(fault.title).toMatch(/^pod default\/client rejects DNS \(UDP port 53\) by "-A OUTPUT -p udp -m udp --dport 53 -j REJECT/);
    expect(fault.where).toEqual({ kind: 'iptables rule', name: 'filter OUTPUT in pod default/client', node: 'n1' });
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'dns', slug: 'dns-port-filtered' });
  });

  it('says that only long answers are lost where only TCP is stopped', () => {
    const snapshot = edited(readBundle('dns-port-filtered'), /node\/n1\/iptables-save$/, (text) =>
      text.replace(/^.*-A FORWARD -p udp -m udp --dport 53 -j DROP\n/m, ''),
    );
    const [fault] = faultsOf(dnsPortFiltered, snapshot);
    expect(fault.title).toContain('(TCP port 53)');
    expect(broken(createFacts(snapshot), fault)).toEqual([]);
  });

  it('leaves a rule that drops every port to the layer below', () => {
    const snapshot = edited(readBundle('dns-port-filtered'), /node\/n1\/iptables-save$/, (text) =>
      text.replaceAll(/-A FORWARD -p (udp|tcp) -m \1 --dport 53 -j DROP/g, '-A FORWARD -p $1 -j DROP'),
    );
    expect(resultOf(dnsPortFiltered, snapshot)).not.toMatchObject({ state: 'fail' });
  });

  it('leaves one bad pod of several to DNS008', () => {
    expect(resultOf(dnsPortFiltered, readBundle('dns-pod-bad'))).not.toMatchObject({ state: 'fail' });
  });

  it('passes on a healthy cluster', () => {
    expect(resultOf(dnsPortFiltered, readBundle('dns-healthy-nftables'))).toMatchObject({ state: 'pass' });
  });

  it('cannot tell where a namespace on the way was not read', () => {
    const snapshot = readBundle('dns-port-filtered');
    expect(
      resultOf(dnsPortFiltered, failing(snapshot, /^node\/n1\/(iptables-save|iptables-legacy-save|nft)$/, 'tool-missing')),
    ).toMatchObject({ state: 'unknown', reason: 'tool-missing' });
    expect(resultOf(dnsPortFiltered, failing(snapshot, /kube-system\/endpointslices$/, 'forbidden'))).toMatchObject({
      state: 'unknown',
      reason: 'forbidden',
    });
  });

  it('does not call the way open when lookups fail and not every kind of rules was read', () => {
    const snapshot = edited(readBundle('dns-port-filtered'), /node\/n1\/iptables-save$/, (text) =>
      text.replaceAll(/^.*-A FORWARD -p (udp|tcp) -m \1 --dport 53 -j DROP\n/gm, ''),
    );
    expect(resultOf(dnsPortFiltered, snapshot)).toMatchObject({ state: 'unknown', reason: 'not-collected' });
  });
});
