import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFacts } from '../../src/facts/facts.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { quoteEvidence } from '../../src/tree/quote.ts';
import { traceFlow } from '../../src/walk/trace.ts';

const bundle = fileURLToPath(new URL('../../fixtures/bundles/dns-healthy.tgz', import.meta.url));

/** The healthy cluster, in which node n1 has these lines more. */
function clusterWith(more: Readonly<Record<string, string>>): Snapshot {
  const { manifest, entries } = unpackSnapshot(readFileSync(bundle));
  const changed = new Map(entries);
  for (const [name, text] of Object.entries(more)) {
    const entry = entries.get(`node/n1/${name}`);
    if (entry === undefined) throw new Error(`no output of ${name}`);
    changed.set(entry.key, { ...entry, stdout: `${entry.stdout}${text}` });
  }
  return { manifest, entries: changed };
}

/** How the ways of a packet of n1 to another node end, with the first line that the last step quotes. */
function endsOf(more: Readonly<Record<string, string>>): string[] {
  const facts = createFacts(clusterWith(more));
  const traces = traceFlow(facts, {
    from: { kind: 'node', name: 'n1' },
    to: { kind: 'address', address: '192.168.1.12', port: 10250 },
    protocol: 'tcp',
    packet: 'first',
  });
  return traces.map(({ disposition, hops }) => {
    const [reference] = hops.at(-1)?.steps.at(-1)?.evidence ?? [];
    const quote = reference && quoteEvidence(facts, reference);
    return `${disposition}: ${quote?.lines[0]?.text.trim()}`;
  });
}

const marks = '*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d 192.168.1.12/32 -p tcp -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n';
const rejects = '*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d 192.168.1.12/32 -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n';
const clears =
  'table ip clears {\n\tchain output {\n\t\ttype route hook output priority 10; policy accept;\n\t\tmeta mark set 0x0\n\t}\n}\n';
const prohibits = '100:\tfrom all fwmark 0x1 prohibit\n';
const refused = 'no-route: 100:\tfrom all fwmark 0x1 prohibit';

describe('a packet of the node itself that is routed again on its way', () => {
  it('is refused by the routing rule, even where a later chain clears the mark', () => {
    expect(endsOf({ 'iptables-save': marks, 'ip-rule': prohibits })).toEqual([refused]);
    expect(endsOf({ 'iptables-save': marks, 'ip-rule': prohibits, nft: clears })).toEqual([refused]);
    expect(endsOf({ 'iptables-save': marks, nft: clears })).toEqual(endsOf({}));
  });

  it('never meets the rule that would reject it later', () => {
    expect(endsOf({ 'iptables-save': rejects })).toEqual([expect.stringMatching(/^rejected: -A OUTPUT/)]);
    expect(endsOf({ 'iptables-save': marks + rejects })).toEqual([expect.stringMatching(/^rejected: -A OUTPUT/)]);
    expect(endsOf({ 'iptables-save': marks + rejects, 'ip-rule': prohibits })).toEqual([refused]);
  });
});
