import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterPaths } from '../access.ts';
import { processesWhere } from '../leftovers.ts';
import { changesOf, clusterState, comeAndGo } from '../node-state.ts';
import { adminKubeconfig, closeAll, mustKubectl, nodePodsLeft, pause, reason, refusingService, skipped, start } from './run.ts';

const service = 'surroundings-read-only';
const directory = mkdtempSync(join(tmpdir(), 'k8snet-test-'));
const client = ['svc/my-service', '--from', 'pod/client'];

/**
 * Network namespaces of pods, by what is printed of them; the container's first process leads there. Others of the same cgroup may be
 * gone in a moment, or be zombies, which have no namespace; their ids can be the lower ones once the kernel's have wrapped around.
 */
async function podNamespaces(): Promise<Record<string, string>> {
  const columns = '{range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{"\\n"}{end}';
  // Those of the cluster itself: pods of other tests may be on their way out.
  const pods = await mustKubectl(['get', 'pods', '-n', 'default', '-l', 'app in (client, web)', '-o', `jsonpath=${columns}`]);
  const first = new Set(processesWhere('status', (text) => /^NSpid:.*\t1$/m.test(text)));
  return Object.fromEntries(
    pods.split('\n').flatMap((line) => {
      const [name = '', id = ''] = line.split(/ (?:containerd:\/\/)?/);
      const pid = id === '' ? undefined : processesWhere('cgroup', (text) => text.includes(id)).find((item) => first.has(item));
      return pid === undefined ? [] : [[`pod ${name}`, `/proc/${pid}/ns/net`]];
    }),
  );
}

/** What is changed at every look: others' captures on this machine leave theirs for seconds, and others again. */
async function lastingChanges(before: Record<string, string>, places: Record<string, string>): Promise<Record<string, string[]>> {
  let lasting: Record<string, string[]> | undefined;
  for (let round = 0; ; round += 1) {
    const now = changesOf(before, await clusterState(places));
    const stays = Object.entries(now).map(([name, lines]) => [
      name,
      comeAndGo.includes(name) && lasting ? lines.filter((line) => lasting?.[name]?.includes(line)) : lines,
    ]);
    lasting = Object.fromEntries(stays.filter(([, lines]) => lines?.length !== 0)) as Record<string, string[]>;
    if (round === 8 || Object.keys(lasting).length === 0) return lasting;
    await pause(3000);
  }
}

describe.skipIf(reason !== undefined)(`what every command leaves as it was${skipped}`, () => {
  beforeAll(async () => {
    await refusingService(service);
    // What kube-proxy writes for it.
    await pause(3000);
  });
  afterAll(async () => {
    await mustKubectl(['delete', 'service', service, '--ignore-not-found']);
    rmSync(directory, { recursive: true });
    await closeAll();
  });

  it.each([
    { words: ['diagnose', ...client], exit: 0 },
    // With a second round on every node.
    { words: ['diagnose', `svc/${service}`, '--from', 'pod/client'], exit: 1 },
    { words: ['diagnose', ...client, '--capture'], exit: 0 },
    { words: ['diagnose', ...client, '--node-access', 'none'], exit: 0 },
    { words: ['capture', ...client], exit: 0 },
    { words: ['capture', ...client, '--watch', '10'], exit: 0 },
    { words: ['capture', ...client, '--pcap', join(directory, 'pcap')], exit: 0 },
    { words: ['trace', ...client], exit: 0 },
    { words: ['verify', 'svc/my-service'], exit: 0 },
    { words: ['record', ...client, '-f', join(directory, 'record.tgz')], exit: 0 },
    { words: ['cleanup', '--older-than', '1h'], exit: 0 },
  ])('$words: sysctls, rules, routes, links, addresses, neighbours, queues, sets, tracing, files', async ({ words, exit }) => {
    const places = await podNamespaces();
    expect(Object.keys(places), Object.keys(places).join(' ')).toHaveLength(4);
    const before = await clusterState(places);
    const run = await start(words, { KUBECONFIG: await adminKubeconfig() }).ended;
    expect(run.exit, run.stderr + run.stdout).toBe(exit);
    await nodePodsLeft();
    expect(await lastingChanges(before, places)).toEqual({});
  });

  it('would see a change of each kind', async () => {
    const netns = clusterPaths().netns.replace(/-cp$/, '-n1');
    const on = (...words: string[]) => execa('nsenter', [`--net=${netns}`, ...words]);
    const before = await clusterState();
    await on('ip', 'link', 'add', 'k8snet-ro', 'type', 'bridge');
    try {
      await on('ip', 'address', 'add', '192.0.2.1/32', 'dev', 'k8snet-ro');
      await on('ip', 'link', 'set', 'k8snet-ro', 'up');
      await on('ip', 'route', 'add', '198.51.100.0/24', 'dev', 'k8snet-ro');
      await on('ip', 'rule', 'add', 'to', '198.51.100.1', 'lookup', 'main');
      await on('ip', 'neigh', 'add', '198.51.100.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'k8snet-ro');
      await on('bridge', 'fdb', 'add', '02:00:00:00:00:03', 'dev', 'k8snet-ro', 'self', 'permanent');
      await on('tc', 'qdisc', 'add', 'dev', 'k8snet-ro', 'clsact');
      await on('tc', 'filter', 'add', 'dev', 'k8snet-ro', 'ingress', 'bpf', 'bytecode', '1,6 0 0 4294967295,');
      await on('nft', 'add', 'table', 'ip', 'k8snet-ro');
      const names = Object.keys(changesOf(before, await clusterState()));
      for (const kind of [
        'sysctl',
        'nft ruleset',
        'ip link',
        'ip address',
        'ip rule',
        'ip route',
        'ip neigh (permanent)',
        'bridge fdb (permanent)',
      ])
        expect(names).toContain(`n1: ${kind}`);
      for (const kind of ['tc qdisc', 'tc filter']) expect(names).toContain(`n1: ${kind}`);
    } finally {
      await on('ip', 'link', 'del', 'k8snet-ro');
      await on('ip', 'rule', 'del', 'to', '198.51.100.1', 'lookup', 'main').catch(() => undefined);
      await on('nft', 'delete', 'table', 'ip', 'k8snet-ro').catch(() => undefined);
    }
    expect(await lastingChanges(before, {})).toEqual({});
  });
});
