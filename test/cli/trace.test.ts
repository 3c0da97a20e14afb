import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { traceReportSchema } from '../../src/schema/trace.ts';
import { ensureBuilt, k8snet } from './built.ts';

const bundle = (name: string): string => join(import.meta.dirname, '../../fixtures/bundles', `${name}.tgz`);
const trace = (...words: string[]) => k8snet(['trace', ...words]);

beforeAll(ensureBuilt, 180_000);

describe('k8snet trace --bundle', () => {
  it('ends with 0 where the packet and its answer get through', async () => {
    const { exit, stdout } = await trace('--bundle', bundle('dns-healthy-nftables'));
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^DELIVERED: all 3 ways get there and back$/m);
  });

  it('ends with 1 where it ends before, and quotes the line', async () => {
    const { exit, stdout } = await trace('--bundle', bundle('cni-fw-vxlan'), '--from', 'pod/client', 'svc/my-service:80');
    expect(exit).toBe(1);
    expect(stdout).toMatch(/-A INPUT -p udp -m udp --dport 8472 -j DROP/);
  });

  it('follows the answer alone, full-size packets, pods, addresses, UDP and ICMP', async () => {
    const reply = await trace('--bundle', bundle('cni-return-route-missing'), '--reply', '-o', 'json');
    expect(reply.exit).toBe(1);
    const report = traceReportSchema.parse(JSON.parse(reply.stdout));
    expect(new Set(report.ways.flatMap(({ hops }) => hops.map(({ direction }) => direction)))).toEqual(new Set(['reply']));
    expect((await trace('--bundle', bundle('cni-mtu'), '--length', 'full')).exit).toBe(1);
    expect((await trace('--bundle', bundle('cni-mtu'))).exit).toBe(0);
    expect((await trace('--bundle', bundle('dns-healthy-nftables'), '--udp', 'svc/kube-dns.kube-system')).exit).toBe(0);
    const addresses = /"podIP":"([0-9.]+)"/.exec(await podsOf('dns-healthy-nftables'));
    expect((await trace('--bundle', bundle('dns-healthy-nftables'), '--icmp', '--to', addresses?.[1] ?? '')).exit).toBe(0);
  });

  it('ends with 3 where it can not be told, and says which reading is missing', async () => {
    const { exit, stdout } = await trace('--bundle', bundle('cni-node-cut'));
    expect(exit).toBe(3);
    expect(stdout).toContain('node n2, where it goes next, was not read');
  });

  it.each([
    [['--bundle', bundle('cni-mtu'), '--udp', '--icmp'], 'one protocol at a time'],
    [['--bundle', bundle('cni-mtu'), 'svc/a', '--to', 'svc/b'], 'two targets are given'],
    [['--bundle', bundle('cni-mtu'), 'deploy/x'], 'k8snet trace is for Services'],
    [['--bundle', bundle('cni-mtu'), 'svc/my-service:9999'], 'has no port "9999"; it has 80'],
    [['--bundle', bundle('cni-mtu'), 'svc/my-service:80', '--udp'], 'Service default/my-service has no UDP port "80"; it has 80/TCP'],
    [['--bundle', bundle('cni-mtu'), 'svc/my-service', '--sctp'], 'has no SCTP port; it has 80/TCP'],
    [['--bundle', bundle('cni-mtu'), '--from', 'pod/clent'], 'there is no pod "clent" in namespace "default"; near names: client'],
    [['--bundle', bundle('cni-mtu'), '--to', 'pod/nope:80'], 'there is no pod "nope"'],
    [['--bundle', bundle('cni-mtu'), 'pod/shop/client:80', '-n', 'default'], 'two namespaces are given'],
    [['--bundle', bundle('cni-mtu'), 'pod/../client:80'], 'write pod/NAME:PORT or pod/NAMESPACE/NAME:PORT'],
    [['--bundle', bundle('cni-mtu'), 'svc/kube-dn.kube-system'], 'near names: kube-dns'],
    [['--bundle', '/does/not/exist.tgz'], "can't be read"],
    [['--from', 'pod/client'], 'no target'],
    [['--bundle', bundle('cni-mtu'), '--from', 'svc/x'], '--from svc/x'],
    [['--bundle', bundle('cni-mtu'), '--length', '7'], 'bytes from 28'],
  ])('ends with 2 for %j', async (words, says) => {
    const { exit, stderr } = await trace(...words);
    expect(exit).toBe(2);
    expect(stderr).toContain(says);
  });
});

/** The API's list of pods, as the bundle holds it. */
async function podsOf(name: string): Promise<string> {
  const { unpackSnapshot } = await import('../../src/snapshot/archive.ts');
  return unpackSnapshot(readFileSync(bundle(name))).entries.get('api/api/v1/namespaces/default/pods')?.stdout ?? '';
}
