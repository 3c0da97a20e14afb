import { spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifySnapshot } from '../../src/app/verify.ts';
import type { Kubectl } from '../../src/collect/kubectl.ts';
import type { ReadResult } from '../../src/collect/reader.ts';
import { collectForVerify } from '../../src/collect/verify-collector.ts';
import type { VerifyReport } from '../../src/schema/verify.ts';
import { bundle } from '../intent/change.ts';
import { describeAsRoot } from './namespace.ts';

/**
 * The whole of a live verify but for the API server: the collector's script runs in a namespace that holds the rules which kube-proxy wrote
 * on a real node, and the API says what it said then.
 */
const recorded = bundle('svc-targetport');
const name = `k8snet-verify-${process.pid}`;
const outputOf = (key: string): string => recorded.entries.get(key)?.stdout ?? '';

function shell(script: string, input?: string): string {
  const result = spawnSync('nsenter', [`--net=/run/netns/${name}`, 'sh', '-ec', script], {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });
  if (result.status !== 0) throw new Error(`${script}: ${result.stderr}`);
  return result.stdout;
}

/** The node's devices and routes as its recording shows them, on bridges without ports. nfacct objects are the one thing that such a namespace may lack. */
const node = `
ip link set lo up
for device in eth0 cni0 flannel.1; do ip link add $device type bridge; ip link set $device up; done
ip addr add 192.168.1.11/24 dev eth0
ip addr add 10.244.1.1/24 dev cni0
ip addr add 10.244.1.0/32 dev flannel.1
ip route add default via 192.168.1.1
ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
ip route add 10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink`;

/** `kubectl exec POD -- sh` in the namespace. */
const kubectl: Kubectl = {
  binary: 'kubectl',
  flags: {},
  run: (args, { input = '' }) =>
    new Promise((resolve) => {
      const child = spawn('nsenter', [`--net=/run/netns/${name}`, ...args.slice(args.indexOf('--') + 1)]);
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.on('close', (exit) =>
        resolve({ args: [...args], exit, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString(), milliseconds: 0 }),
      );
      child.stdin.end(input);
    }),
};

async function verifyNow(): Promise<VerifyReport> {
  const list = { items: [JSON.parse(outputOf('api/api/v1/namespaces/default/services/my-service'))] };
  const get = async (path: string): Promise<ReadResult> => {
    const text = path.endsWith('/namespaces/default/services') ? JSON.stringify(list) : outputOf(`api${path}`);
    return text === '' ? { ok: false, failure: { reason: 'not-found', detail: path } } : { ok: true, body: JSON.parse(text) };
  };
  const snapshot = await collectForVerify(
    {
      targets: [],
      allNamespaces: false,
      namespace: 'default',
      nodes: ['n1'],
      nodeAccess: 'auto',
      image: 'image',
      nodePodNamespace: 'kube-system',
      limitMilliseconds: 30_000,
    },
    {
      kubectl,
      reader: { name: 'client', requests: () => 0, get },
      // No node pod may be made here: the script then goes into kube-proxy's own pod, which is hostNetwork.
      nodePods: { create: async () => ({ ok: false, failure: { reason: 'forbidden', detail: 'not allowed' } }) } as unknown as Parameters<
        typeof collectForVerify
      >[1]['nodePods'],
      signal: new AbortController().signal,
      version: '0',
      progress: () => undefined,
    },
  );
  return verifySnapshot(snapshot).report;
}

describeAsRoot('verify with the rules of a real node in a namespace', () => {
  const rules = outputOf('node/n1/iptables-save')
    .split('\n')
    .filter((line) => !line.includes('nfacct'))
    .join('\n');
  const told = async () =>
    (await verifyNow()).findings.map(({ severity, kind, from, why }) => `${severity} ${kind} ${from.join('+')}: ${why}`);

  beforeAll(() => {
    spawnSync('ip', ['netns', 'add', name]);
    shell(node);
  });
  afterAll(() => void spawnSync('ip', ['netns', 'delete', name]));

  it('finds nothing wrong as kube-proxy left it', async () => {
    shell('iptables-nft-restore', rules);
    const report = await verifyNow();
    expect(report.notChecked).toEqual([]);
    expect(report.findings).toEqual([]);
    expect(report.nodes).toMatchObject([{ name: 'n1', mode: 'iptables', state: 'as-intended', fronts: 1 }]);
    expect(report.verdict.status).toBe('healthy');
  });

  it('names what hands and tools break, by the line that is left of it', async () => {
    const service = JSON.parse(outputOf('api/api/v1/namespaces/default/services/my-service'));
    const vip: string = service.spec.clusterIP;
    const restored = (change: string) => shell(`iptables-nft-restore <&0; ${change}`, rules);

    restored('iptables-nft -t nat -F PREROUTING');
    expect(await told()).toEqual(['fault unhooked pod+endpoint: nat PREROUTING has no jump to KUBE-SERVICES, where its rule is']);

    restored(`iptables-nft -t nat -I PREROUTING -d ${vip} -p tcp -j REDIRECT --to-ports 9`);
    expect(await told()).toEqual([expect.stringMatching(/^fault shadowed pod\+endpoint: nat PREROUTING: .*-j REDIRECT --to-ports 9/)]);

    restored(
      `nft add table inet guard; nft 'add chain inet guard out { type filter hook output priority -200; }'; nft add rule inet guard out ip daddr ${vip} drop`,
    );
    expect(await told()).toEqual([expect.stringMatching(/^fault shadowed node: guard out: "ip daddr .* drop"/)]);
    shell('nft delete table inet guard');

    restored('iptables-nft -t nat -F KUBE-SERVICES');
    expect(await told()).toEqual([expect.stringMatching(/^fault missing .*chain KUBE-SERVICES has nothing for/)]);

    shell('iptables-nft -t nat -F; iptables-nft -t nat -X; iptables-nft -F; iptables-nft -X');
    expect(await told()).toEqual([expect.stringMatching(/^fault missing .*there is no rule of kube-proxy \(iptables mode\) on the node/)]);
  });
});
