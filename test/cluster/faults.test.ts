import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { whyNoCluster } from './access.ts';
import { diagnose, nodePodsLeft } from './diagnose.ts';

const reason = whyNoCluster();
const cluster = (...args: string[]) => execa('test/cluster/cluster.sh', args, { reject: false, timeout: 230_000, all: true });

/** A dozen that cover every layer; `npm run accuracy` runs all. */
const dozen: [id: string, layer: string, slugs: string[]][] = [
  ['dns-coredns-zero', 'dns', ['no-ready-dns-pods']],
  ['dns-pod-nameserver', 'dns', ['pod-nameserver-not-cluster-dns']],
  ['svc-selector', 'service', ['selector-matches-no-pod']],
  ['svc-targetport', 'service', ['target-port-not-listening']],
  ['proxy-jump-flushed', 'service', ['service-rules-unhooked']],
  ['rule-raw-drop', 'service', ['rule-before-kube-proxy']],
  ['bridge-nf-off', 'service', ['bridge-nf-call-iptables-off']],
  ['cni-fdb-wrong', 'cni', ['fdb-entry-wrong']],
  ['cni-forward-drop', 'cni', ['forward-drop']],
  ['cni-mtu', 'cni', ['mtu-black-hole']],
  ['cni-fw-vxlan', 'cni', ['tunnel-port-filtered']],
  ['app-loopback', 'app', ['listening-on-loopback-only']],
];

describe.skipIf(reason !== undefined)(`faults of the real cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  afterAll(async () => {
    await cluster('heal');
  });

  it('finds nothing on the healthy cluster', async () => {
    const { exit, report } = await diagnose(['svc/my-service', '--from', 'pod/client']);
    expect(report?.findings).toEqual([]);
    expect(report?.verdict.status).toBe('healthy');
    expect(exit).toBe(0);
  });

  it.each(dozen)('%s: names the layer and the cause, and is healthy again when mended', async (id, layer, slugs) => {
    const broken = await cluster('break', id);
    if (broken.exitCode !== 0) await cluster('heal');
    expect(broken.exitCode, String(broken.all)).toBe(0);
    const { exit, report } = await diagnose(['svc/my-service', '--from', 'pod/client']);
    const mended = await cluster('mend', id);
    if (mended.exitCode !== 0) await cluster('heal');
    const named = (report?.findings ?? []).filter((finding) => finding.severity === 'fault');
    // One cause in several places (a tunnel MTU on every node) is several findings of one check.
    expect([...new Set(named.map((finding) => finding.slug))]).toEqual(slugs);
    expect(named[0]?.evidence.flatMap((item) => item.lines).length).toBeGreaterThan(0);
    expect(report?.verdict.layer).toBe(layer);
    expect(exit).toBe(1);
    expect(mended.exitCode, String(mended.all)).toBe(0);
    expect((await diagnose(['svc/my-service', '--from', 'pod/client'])).exit).toBe(0);
  });

  it('leaves no pod behind', async () => {
    expect(await nodePodsLeft()).toEqual([]);
  });
});
