import { join } from 'node:path';
import { execa } from 'execa';
import { clusterPaths } from './access.ts';
import { scriptFiles, traceInstances } from './leftovers.ts';

/**
 * What moves by itself, and is no part of a node's state:
 * - counters and gauges of the whole kernel: open files, cached names, processes, connections that are tracked, a random number that is another at each reading;
 * - what the kernel tunes by itself: the rate of perf samples;
 * - timers of a bridge, and the ages of what it learnt;
 * - neighbours and FDB entries that the kernel learns from packets and forgets again, and so the connections that it tracks, whoever sends them:
 *   only permanent ones are somebody's setting;
 * - counters of packets, which count every packet.
 */
const movingSysctls =
  /^(fs\.(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota\..*)|kernel\.(ns_last_pid|pty\.nr|random\.(uuid|entropy_avail)|perf_event_max_sample_rate|perf_cpu_time_max_percent|tainted)|net\.netfilter\.nf_conntrack_count) =/;
const bridgeTimers = / (hello_timer|tcn_timer|topology_change_timer|gc_timer) +[\d.]+/g;

const readings: Record<string, string> = {
  sysctl: 'sysctl -a 2>/dev/null',
  'nft ruleset': 'chroot "$ROOTFS" nft -s list ruleset',
  // Only tables that are there: reading makes the others.
  'iptables-legacy': 'for t in $(cat /proc/net/ip_tables_names); do iptables-legacy -t "$t" -S; done',
  'ip link': 'ip -d link',
  'ip address': 'ip -d address',
  'ip rule': 'ip rule; ip -6 rule',
  'ip route': 'ip -d route show table all; ip -6 -d route show table all',
  'ip neigh (permanent)': 'ip neigh show nud permanent; ip -6 neigh show nud permanent',
  'bridge fdb (permanent)': 'bridge fdb show | grep -w permanent',
  'bridge vlan': 'bridge vlan show',
  'tc qdisc': 'tc qdisc show',
  'tc filter':
    'for d in $(ip -o link | cut -d: -f2 | cut -d@ -f1); do tc filter show dev "$d"; tc filter show dev "$d" ingress; tc filter show dev "$d" egress; done 2>/dev/null',
  ipset: 'ipset save 2>/dev/null',
  'listening sockets': "ss -Hltnu | awk '{print $1, $5}' | sort -u",
};

/** Where the state is read: a network namespace, by its file. */
async function stateOf(netns: string): Promise<Record<string, string>> {
  const script = Object.values(readings)
    .map((shell) => `( ${shell} ) 2>&1; echo ${separator}`)
    .join('\n');
  const { stdout } = await execa('nsenter', [`--net=${netns}`, 'sh', '-c', script], {
    env: { ROOTFS: join(clusterPaths().bin, '../rootfs'), LC_ALL: 'C' },
  });
  const parts = stdout.split(`${separator}\n`);
  return Object.fromEntries(Object.keys(readings).map((name, index) => [name, steady(parts[index] ?? '')]));
}

const separator = '=====next=====';

const steady = (text: string): string =>
  text
    .replaceAll(bridgeTimers, '')
    .split('\n')
    .filter((line) => !movingSysctls.test(line))
    .join('\n');

const traceSettings = [
  ...['current_tracer', 'tracing_on', 'trace_clock', 'buffer_size_kb', 'tracing_cpumask', 'trace_options', 'set_event', 'set_event_pid'],
  ...[
    'events/enable',
    'events/skb/enable',
    'events/skb/kfree_skb/enable',
    'events/skb/kfree_skb/filter',
    'dynamic_events',
    'uprobe_events',
  ],
];

/** The kernel's global tracing, which all nodes share. */
async function traceState(): Promise<string> {
  const list = `mount -t tracefs k8snet-test /mnt && cd /mnt && grep -H '' ${traceSettings.join(' ')}; true`;
  return (await execa('unshare', ['-m', 'sh', '-c', list])).stdout;
}

/** Everything on the nodes (and in further network namespaces) that a setting could have changed, as text by place and kind. */
export async function clusterState(others: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const { netns } = clusterPaths();
  const nodes = ['n1', 'n2', 'n3'].map((name) => [name, netns.replace(/-cp$/, `-${name}`)] as const);
  const states = await Promise.all(
    [...nodes, ...Object.entries(others)].map(async ([place, file]) =>
      Object.entries(await stateOf(file)).map(([name, text]) => [`${place}: ${name}`, text] as const),
    ),
  );
  const files = ['/tmp', '/var/tmp', '/dev/shm', '/run'].flatMap((directory) =>
    scriptFiles(directory).map((name) => `${directory}/${name}`),
  );
  return {
    ...Object.fromEntries(states.flat()),
    'trace settings': await traceState(),
    'trace instances': (await traceInstances()).join('\n'),
    files: files.join('\n'),
  };
}

/** What others on this machine make and take away while a command runs: only what came counts, and only what stays. */
export const comeAndGo = ['trace instances', 'files'];

/** Lines that came (+) and went (-), by place and kind; empty when nothing changed. */
export function changesOf(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Record<string, string[]> {
  const changes = Object.keys(before).map((name) => {
    const [old, now] = [before[name] ?? '', after[name] ?? ''].map((text) => text.split('\n').filter((line) => line !== ''));
    const came = (now ?? []).filter((line) => !old?.includes(line)).map((line) => `+ ${line}`);
    const went = (old ?? []).filter((line) => !now?.includes(line)).map((line) => `- ${line}`);
    return [name, comeAndGo.includes(name) ? came : [...came, ...went]] as const;
  });
  return Object.fromEntries(changes.filter(([, lines]) => lines.length > 0));
}
