import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { traceSnapshot } from '../../src/app/trace.ts';
import { renderTrace, type TraceFormat } from '../../src/report/trace.ts';
import { type TraceReport, traceReportSchema } from '../../src/schema/trace.ts';
import { unpackSnapshot } from '../../src/snapshot/archive.ts';

const bundles = join(import.meta.dirname, '../../fixtures/bundles');
const options = { color: false, width: 100, verbose: 0 };

function reportOf(name: string): TraceReport {
  const snapshot = unpackSnapshot(readFileSync(join(bundles, `${name}.tgz`)));
  const { target } = snapshot.manifest.request;
  const to = { kind: 'service' as const, namespace: target.namespace, name: target.name, port: undefined };
  return traceSnapshot(snapshot, { from: null, to, namespace: null }, { protocol: 'tcp', packet: 'first' });
}

describe('a trace put out', () => {
  it.each(['cni-fw-vxlan', 'dns-healthy-nftables', 'svc-externalname-ip'])('%s as text', async (name) => {
    await expect(await renderTrace(reportOf(name), 'text', options)).toMatchFileSnapshot(`golden/trace-${name}.txt`);
  });

  it('with -v quotes the lines of every step', async () => {
    const text = await renderTrace(reportOf('cni-fw-vxlan'), 'text', { ...options, verbose: 1 });
    expect(text).toContain('10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink');
    expect(text).toContain('4a:ef:08:38:2a:57 dev flannel.1 dst 192.168.1.12 self permanent');
  });

  it('as Mermaid draws what ways have in common once, and forks with their share', async () => {
    const text = await renderTrace(reportOf('cni-fw-vxlan'), 'mermaid', options);
    await expect(text).toMatchFileSnapshot('golden/trace-cni-fw-vxlan.mmd');
    expect(text.match(/\["pod default\/client/g)?.length).toBe(3);
    expect(text.match(/\|"33 % /g)?.length).toBe(3);
  });

  it('as JSON keeps to its schema', async () => {
    const parsed = traceReportSchema.parse(JSON.parse(await renderTrace(reportOf('cni-fw-vxlan'), 'json', options)));
    expect(parsed.verdict.status).toBe('lost');
    expect(parsed.ways.map(({ disposition }) => disposition).sort()).toEqual(['delivered', 'delivered', 'dropped']);
  });

  it.each<TraceFormat>(['text', 'json', 'mermaid'])('as %s holds nothing that tricks a terminal', async (format) => {
    const report = reportOf('cni-fw-vxlan');
    const hostile = 'a\u001B[31m\u202Eb"]; click h1 callback\u0007\nc';
    const [way] = report.ways;
    if (way?.hops[0]?.steps[0]) {
      way.why = hostile;
      way.hops[0].name = hostile;
      way.hops[0].steps[0].brief = hostile;
    }
    const text = await renderTrace(report, format, options);
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u202E]/u);
    if (format === 'mermaid') expect(text).not.toContain('"]; click');
  });
});
