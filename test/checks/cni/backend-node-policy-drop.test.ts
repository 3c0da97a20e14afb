import { describe, expect, it } from 'vitest';
import { backendNodePolicyDrop } from '../../../src/checks/cni/backend-node-policy-drop.ts';
import { createFacts } from '../../../src/facts/facts.ts';
import { broken, edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

describe('CNI017 backend-node-policy-drop', () => {
  const snapshot = readBundle('cni-backend-policy-drop');

  it('quotes the rule, and breaks nothing but what it is about', () => {
    const [fault, ...more] = faultsOf(backendNodePolicyDrop, snapshot);
    expect(more).toEqual([]);
    expect(fault.title).toMatch(
      /^a rule on its node n2 drops what is sent to pod default\/web-\S+ \(10\.244\.2\.10, tcp 8080\): filter FORWARD: /,
    );
    expect(fault.where).toMatchObject({ kind: 'rule', node: 'n2' });
    expect(quoted(snapshot, fault)).toEqual([expect.stringContaining('-A FORWARD -d 10.244.2.10/32 -p tcp -m tcp --dport 8080 -j DROP')]);
    const ids = broken(createFacts(snapshot), fault);
    expect(ids).toContain('probe/pod/default/client/endpoint/10.244.2.10:8080');
    expect(ids.some((id) => id.includes('/payload/') || id.startsWith('probe/node/n2/'))).toBe(false);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'cni', slug: 'backend-node-policy-drop' });
  });

  it("finds a rule in the pod's own namespace", () => {
    const inside = edited(
      edited(snapshot, /^node\/n2\/iptables-save$/, (text) => text.replace(/^.*-A FORWARD -d 10\.244\.2\.10.*\n/m, '')),
      /^pod\/default\/web-[^/]*ght5f\/iptables-save$/,
      () =>
        '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[3:180] -A INPUT -s 10.244.1.0/24 -p tcp -m tcp --dport 8080 -j DROP\nCOMMIT\n',
    );
    expect(faultsOf(backendNodePolicyDrop, inside)[0].title).toContain(
      'a rule in its own network namespace drops what is sent to pod default/web-',
    );
  });

  it('leaves what hits every pod to CNI011', () => {
    expect(resultOf(backendNodePolicyDrop, readBundle('cni-forward-drop-nft'))).not.toMatchObject({ state: 'fail' });
  });

  it('passes where NetworkPolicies exist and nothing enforces them', () => {
    const policies = edited(readBundle('cni-odd-forward-policy'), /networkpolicies$/, () =>
      JSON.stringify({
        kind: 'NetworkPolicyList',
        items: [{ metadata: { name: 'deny-all', namespace: 'default' }, spec: { podSelector: {} } }],
      }),
    );
    expect(resultOf(backendNodePolicyDrop, policies)).toMatchObject({ state: 'pass' });
  });

  it("cannot tell without the rules of the backend's node", () => {
    expect(
      resultOf(backendNodePolicyDrop, failing(snapshot, /^node\/n2\/(iptables-save|nft|iptables-legacy-save)$/, 'forbidden')),
    ).toMatchObject({ state: 'unknown' });
  });
});
