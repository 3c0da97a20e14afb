import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type IntentCase, planOf, readCaseFiles, runIntent } from '../../scripts/corpus/intent.ts';
import { runIpvs } from '../../scripts/corpus/ipvs.ts';
import type { CorpusResult } from '../../scripts/corpus/run.ts';
import { runTopology } from '../../scripts/corpus/topology.ts';
import type { NodePlan } from '../../src/intent/node-plan.ts';
import type { NodeTables } from '../../src/intent/node-tables.ts';
import { verifyNode } from '../../src/intent/verify-node.ts';
import { absent, seen } from '../../src/model/observed.ts';
import { parseIpset } from '../../src/parse/ipset.ts';
import { parseIptablesSave } from '../../src/parse/iptables-save.ts';
import { parseIpvsadm } from '../../src/parse/ipvsadm.ts';
import { parseNftText } from '../../src/parse/nft-text.ts';

const corpora = '../shared/corpora';

const faults = (results: readonly CorpusResult[]): string[] =>
  results.filter(({ is }) => is !== 'agree').map(({ id, form, flow, detail }) => `${id} [${form}] ${flow}: ${detail}`);

interface SavedCase extends IntentCase {
  saved: Record<string, string>;
  rendered?: Record<string, string>;
  expect?: { kubeIpvs0Addresses: string[] };
}

/** The lab's node (README of the corpora, "Kernel lab"): eth0 with the node's addresses, pod0 with the pods'. */
function tablesOf(item: SavedCase, plan: NodePlan, rulesets: NodeTables['rulesets'], more: Partial<NodeTables> = {}): NodeTables {
  return {
    node: item.nodeName,
    family: plan.family,
    rulesets,
    unread: [],
    addresses: item.nodeIPs,
    context: {
      localAddresses: [...item.nodeIPs, '10.255.255.254', 'fd00:10::ffff:fffe'],
      addressType: () => 'UNICAST',
      recentListsEmpty: true,
    },
    route: (address) =>
      plan.isLocal(address) ? { to: 'local' } : { to: 'device', outInterface: /^(10\.|fd00:10:)/.test(address) ? 'pod0' : 'eth0' },
    routesSure: true,
    entryOf: (source) => `node/${item.nodeName}/${source}`,
    ipvs: () => absent('ipvs'),
    ipsets: () => absent('ipset'),
    bound: [],
    ...more,
  };
}

const verified = (item: SavedCase, plan: NodePlan, tables: NodeTables) => {
  const own = item.nodeIPs.find((address) => address.includes(':') === (plan.family === 'ip6'));
  const placed = { ...plan, node: { ...plan.node, primary: own === undefined ? {} : { [plan.family]: own } } };
  return verifyNode(placed, tables, { pods: plan.family === 'ip' ? ['10.0.0.2', '10.0.0.3'] : ['fd00:10::2', 'fd00:10::3'] }, true);
};

describe.skipIf(!existsSync(corpora))(`what the API means, held against kube-proxy and kernels (${corpora})`, () => {
  it.each(['iptables', 'nftables'] as const)(
    '%s: every flow ends where the kernel took it, from the same endpoints, masqueraded alike',
    (task) => {
      const results = runIntent(corpora, task);
      expect(results.length).toBeGreaterThan(400);
      expect(faults(results)).toEqual([]);
    },
  );

  it.each(['iptables', 'nftables'] as const)(
    "%s: verify finds nothing wrong with kube-proxy's own rules, as each tool prints them",
    (task) => {
      let flows = 0;
      for (const item of readCaseFiles<SavedCase>(corpora, task)) {
        const plan = planOf(item, task);
        for (const [form, text] of Object.entries(item.saved)) {
          // nft prints the rules of iptables with losses.
          if (form.startsWith('nft') !== (task === 'nftables')) continue;
          const parsed =
            task === 'nftables' ? parseNftText(text) : parseIptablesSave(text, { family: plan.family, source: 'iptables-nft' });
          const result = verified(item, plan, tablesOf(item, plan, [parsed.value]));
          const found = result.differences.map(({ front, difference }) => `${item.id} [${form}] ${front.kind}: ${difference.is}`);
          expect([...found, ...result.unknown.keys(), ...result.stale.map((stale) => stale.text)]).toEqual([]);
          flows += result.flows;
        }
      }
      expect(flows).toBeGreaterThan(700);
    },
  );

  it("ipvs: verify finds nothing wrong with kube-proxy's own virtual servers, and each real server or set entry that is taken away", () => {
    let taken = 0;
    for (const item of readCaseFiles<SavedCase>(corpora, 'ipvs')) {
      const plan = planOf(item, 'ipvs');
      const bound = item.expect?.kubeIpvs0Addresses ?? [];
      const node = (ipvsadm: string, ipset: string) =>
        tablesOf(item, plan, [], {
          addresses: [...item.nodeIPs, ...bound],
          bound,
          ipvs: () => seen(parseIpvsadm(ipvsadm).value, 'node/x/ipvs'),
          ipsets: () => seen(parseIpset(ipset).value, 'node/x/ipset'),
        });
      const [listing = '', sets = ''] = [item.rendered?.['ipvsadm -Ln'], item.saved['ipset save']];
      const kinds = (tables: NodeTables) => verifyNode(plan, tables, { pods: [] }, true).differences.map(({ explained }) => explained.kind);
      expect(kinds(node(listing, sets))).toEqual([]);
      const lines = listing.split('\n');
      lines.forEach((line, index) => {
        if (!/^ {2}-> .*Masq/.test(line)) return;
        expect(kinds(node(lines.filter((_, at) => at !== index).join('\n'), sets))).toContain('missing-endpoint');
        expect(kinds(node(lines.map((other, at) => (at === index ? other.replace(/:\d+ /, ':9 ') : other)).join('\n'), sets))).toContain(
          'stale-endpoint',
        );
        taken += 1;
      });
      const entries = sets.split('\n');
      entries.forEach((line, index) => {
        if (!/^add KUBE-(6-)?CLUSTER-IP /.test(line)) return;
        expect(kinds(node(listing, entries.filter((_, at) => at !== index).join('\n')))).toContain('wrong-masquerade');
        taken += 1;
      });
    }
    expect(taken).toBeGreaterThan(100);
  });

  it('ipvs: virtual servers, ipsets and bound addresses are those that kube-proxy made', () => {
    const results = runIpvs(corpora);
    expect(results.length).toBeGreaterThan(200);
    expect(faults(results)).toEqual([]);
  });

  it('topology: mode, lists of endpoints, and whether there is any', () => {
    const results = runTopology(corpora);
    expect(results.length).toBeGreaterThan(150);
    expect(faults(results)).toEqual([]);
  });
});
