import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifySnapshot } from '../../src/app/verify.ts';
import { verifyReportSchema } from '../../src/schema/verify.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { toSnapshot } from '../recordings/adapter.ts';
import { readRecordings } from '../recordings/recording.ts';

const bundles = 'fixtures/bundles';
const recordings = '../shared/recordings';

/** What verify has to say: `node kind` of every fault. Everything that is not here has nothing wrong with its rules. */
const faults: Readonly<Record<string, readonly string[]>> = {
  'proxy-dead-no-rules': ['n1 missing'],
  'proxy-jump-flushed': ['n1 unhooked'],
  'proxy-rule-missing': ['n1 missing'],
  'proxy-stale': ['n1 stale-endpoint'],
  'rule-raw-drop': ['n1 shadowed'],
  'iptables-proxy-dead-no-rules': ['n1 missing'],
  'iptables-proxy-jump-flushed': ['n1 unhooked'],
  'iptables-proxy-stale': ['n1 stale-endpoint'],
  'nftables-proxy-stale': ['n1 stale-endpoint'],
};

/** Nodes of which a snapshot holds no rules. */
const unread: Readonly<Record<string, string>> = { 'cni-node-cut': 'n2' };

function check(name: string, snapshot: Snapshot): void {
  const { report } = verifySnapshot(snapshot);
  expect(verifyReportSchema.parse(report)).toBeDefined();
  const found = report.findings.filter(({ severity }) => severity === 'fault');
  expect(found.map(({ node, kind }) => `${node} ${kind}`)).toEqual(faults[name] ?? []);
  expect(report.findings.filter(({ severity }) => severity === 'settling')).toEqual([]);
  // What other rules do after the translation is no fault of it, and never more than a note.
  expect(report.findings.filter(({ severity, kind }) => severity === 'note' && kind !== 'stopped-after')).toEqual([]);
  for (const { evidence, peers, node } of found) {
    expect(evidence[0]?.on).toBe(`node ${node}`);
    expect(evidence[0]?.lines.length).toBeGreaterThan(0);
    expect(peers.right).toEqual(['n2', 'n3']);
  }
  expect(report.nodes.filter(({ state }) => state === 'unknown').map((node) => node.name)).toEqual(
    unread[name] === undefined ? [] : [unread[name]],
  );
  const status = found.length > 0 ? 'fault' : unread[name] === undefined ? 'healthy' : 'unknown';
  expect(report.verdict.status).toBe(status);
}

describe('recorded bundles', () => {
  it.each(
    readdirSync(bundles)
      .filter((file) => file.endsWith('.tgz'))
      .map((file) => basename(file, '.tgz')),
  )('%s', (name) => {
    check(name, unpackSnapshot(readFileSync(`${bundles}/${name}.tgz`)));
  });

  it('quotes the line of each kube-proxy fault', () => {
    const quoted = (name: string) => {
      const { report } = verifySnapshot(unpackSnapshot(readFileSync(`${bundles}/${name}.tgz`)));
      return report.findings[0]?.evidence[0]?.lines.map(({ text }) => text).join('\n');
    };
    expect(quoted('proxy-jump-flushed')).toMatch(/:PREROUTING ACCEPT[\s\S]*:OUTPUT ACCEPT[\s\S]*-A KUBE-SERVICES -d 10\.96\.75\.144\/32/);
    expect(quoted('proxy-rule-missing')).toMatch(/^:KUBE-SERVICES - /);
    expect(quoted('proxy-stale')).toMatch(/--to-destination 10\.244\.1\.27:8080/);
    expect(quoted('rule-raw-drop')).toMatch(/-A PREROUTING -d 10\.96\.72\.206\/32 .* -j DROP/);
  });
});

describe.skipIf(!existsSync(recordings))(`recordings (${recordings})`, () => {
  const all = existsSync(recordings) ? readRecordings(recordings) : [];
  it.each(all.map((recording) => [recording.name, recording] as const))('%s', (name, recording) => {
    check(name, toSnapshot(recording));
  });
});
