import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeSnapshot } from '../../src/app/diagnose.ts';
import { checks } from '../../src/checks/index.ts';
import { createFacts } from '../../src/facts/facts.ts';
import { reportSchema } from '../../src/schema/report.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';
import { judgeFacts } from '../../src/tree/judge.ts';
import { supported } from '../../src/tree/support.ts';
import { walkProbes } from '../../src/tree/tables.ts';
import { changed } from '../intent/change.ts';

const snapshotOf = (name: string) => unpackSnapshot(readFileSync(`fixtures/bundles/${name}.tgz`));

describe('a port number that two protocols have', () => {
  const both = changed(snapshotOf('dns-healthy'), {
    'api/api/v1/namespaces/default/services/my-service': (text) => {
      const service = JSON.parse(text) as { spec: { ports: { name?: string; protocol: string }[] } };
      const [port] = service.spec.ports;
      service.spec.ports = [
        { ...port, name: 'datagrams', protocol: 'UDP' },
        { ...port, protocol: 'TCP' },
      ].map((one) => ({ name: 'web', ...one }));
      return JSON.stringify(service);
    },
  });

  it('is probed as TCP, and the report says so', () => {
    const { report } = judgeSnapshot(both);
    expect(report.verdict.status).toBe('healthy');
    expect(report.notChecked).toContainEqual({
      what: 'port 80/UDP',
      why: 'port 80/TCP of the same number was probed; --port datagrams means the other',
    });
    expect(judgeSnapshot(snapshotOf('dns-healthy')).report.notChecked).toEqual([]);
  });
});

describe('what the tables add where captures name a place and no cause', () => {
  const judged = (file: string) => judgeSnapshot(unpackSnapshot(readFileSync(`fixtures/${file}.tgz`))).report;

  it('is where they end the packets, which may be another node: nothing of the place that captures name is blamed', () => {
    const { verdict, findings } = judged('captures-with-tables/snat-to-nobody-iptables');
    expect(findings[0]?.slug).toBe('packets-lost-on-node');
    expect(verdict).toMatchObject({ status: 'fault', layer: 'cni', confidence: 'medium' });
    expect(verdict.summary).toMatch(/FORWARD of node n3 drops it: .*ctstate INVALID/);
    expect(findings[0]?.where.node).toBe('n3');
    expect(findings[0]?.fix).toEqual([expect.stringContaining('what first changes or diverts the packets')]);
  });

  it('is said where they would let the packets pass', () => {
    const { verdict } = judged('captures/cni-tc-drop-nftables');
    expect(verdict.summary).toMatch(/^packets are lost on node n2: .*; the tables that were read let it pass$/);
  });
});

describe('what the tables add to a diagnosis of a recorded cluster', () => {
  it('confirms the finding that quotes the line where they end the packets', () => {
    const { report } = judgeSnapshot(snapshotOf('cni-fdb-wrong'));
    expect(reportSchema.parse(report).walk).toEqual(report.walk);
    const flows = report.walk?.flows ?? [];
    expect(flows.length).toBeGreaterThan(0);
    expect(new Set(flows.map(({ agreement }) => agreement))).toEqual(new Set(['same-line']));
    expect(report.walk?.says).toEqual([expect.stringContaining('no node has the address 192.168.1.99 that the tunnel sends to')]);
    expect(report.walk?.intent).toEqual([]);
  });

  it('gives a finding of the API the lines of the node that has no rules', () => {
    const { report } = judgeSnapshot(snapshotOf('proxy-dead-no-rules'));
    expect(report.findings[0]?.slug).toBe('kube-proxy-not-running');
    expect(report.findings[0]?.evidence.map(({ on }) => on)).toContain('node n1');
    expect(report.walk?.intent.map(({ node, kind }) => `${node} ${kind}`)).toEqual(['n1 missing']);
  });

  it('names the cause where no check has one, and rests it on failing probes', () => {
    const facts = createFacts(snapshotOf('cni-fdb-wrong'));
    const judged = judgeFacts(facts, checks);
    const residual = checks.find(({ meta }) => meta.slug === 'pod-traffic-lost-unexplained');
    const [root] = judged.findings;
    if (root === undefined || residual === undefined) throw new Error('the recording has a finding');
    const where = { kind: 'network', name: 'n1 <-> n2' };
    const nameless = { ...root, meta: residual.meta, fault: { ...root.fault, where, evidence: [], title: 'no reason was found' } };
    const before = { ...judged, findings: [nameless], summary: 'no reason was found', confidence: 'low' as const };
    const after = supported(facts, before, walkProbes(facts, before.symptoms, before.findings), []);
    expect(after.findings[0]?.fault.where).toMatchObject({ kind: 'fdb-entry', node: 'n1' });
    expect(after.summary).toMatch(/no node has the address 192\.168\.1\.99/);
    expect(after.confidence).toBe('medium');
    expect(supported(facts, before, [], [])).toMatchObject({ summary: 'no reason was found', confidence: 'low' });
  });

  it('is said where no check names anything at all', () => {
    const facts = createFacts(snapshotOf('cni-fdb-wrong'));
    const judged = judgeFacts(facts, []);
    expect(judged).toMatchObject({
      status: 'fault',
      findings: [],
      summary: expect.stringMatching(/ failed .*, and nothing that was read explains it$/),
    });
    const after = supported(facts, judged, walkProbes(facts, judged.symptoms, []), []);
    expect(after.summary).toMatch(/ failed .*, which no check explains; by the tables .*no node has the address 192\.168\.1\.99/);
    expect(after.confidence).toBe('low');
    expect(supported(facts, judged, [], []).summary).toBe(judged.summary);
  });
});
