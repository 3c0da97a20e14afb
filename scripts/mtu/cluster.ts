import { execa } from 'execa';

/** The running cluster of test/cluster, with the pods of a diagnosis by short names: `client`, `n1` to `n3` (endpoints), `dns0`, `dns1`. */
export interface Cluster {
  address(pod: string): string;
  /** The pod's own name. */
  name(pod: string): string;
  /** The node that it runs on. */
  node(pod: string): string;
  mtu(pod: string): Promise<number>;
  /** Runs in the namespaces of a pod, with the programs of its image. */
  inPod(pod: string, argv: readonly string[]): Running;
  /** Runs test/cluster/cluster.sh; `pod:NAME` as the first argument means a pod's network, with the programs of its node. Throws where it fails. */
  run(argv: readonly string[]): Promise<string>;
}

export interface Running {
  output: Promise<string>;
  /** Ends it and all that it started. */
  stop(): Promise<void>;
}

interface PodPlace {
  name: string;
  node: string;
  address: string;
  pid: string;
}

const script = 'test/cluster/cluster.sh';

/** Looks the pods up once: their addresses and processes stay while nothing is made anew. */
export async function openCluster(): Promise<Cluster> {
  const places = await findPods();
  const place = (pod: string): PodPlace => {
    const found = places.get(pod);
    if (!found) throw new Error(`there is no pod ${pod}`);
    return found;
  };
  const enter = (pod: string, namespaces: readonly string[], argv: readonly string[]): string[] => {
    const { node, pid } = place(pod);
    return ['node', node, 'nsenter', '-t', pid, ...namespaces, '--', ...argv];
  };
  const inPod = (pod: string, argv: readonly string[]): Running => {
    const child = execa(script, enter(pod, ['-n', '-m'], argv), { reject: false, detached: true });
    return {
      output: child.then(({ stdout }) => String(stdout)),
      stop: async () => {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
        await child;
      },
    };
  };
  return {
    address: (pod) => place(pod).address,
    name: (pod) => place(pod).name,
    node: (pod) => place(pod).node,
    mtu: async (pod) => Number(/ mtu (\d+)/.exec(await inPod(pod, ['ip', '-o', 'link', 'show', 'eth0']).output)?.[1]),
    inPod,
    run: async ([first = '', ...rest]) => {
      const argv = first.startsWith('pod:') ? enter(first.slice(4), ['-n'], rest) : [first, ...rest];
      return (await execa(script, argv)).stdout;
    },
  };
}

interface PodObject {
  metadata: { name: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName: string };
  status: { podIP: string; containerStatuses: { containerID: string }[] };
}

async function findPods(): Promise<Map<string, PodPlace>> {
  const { stdout } = await execa(script, ['kubectl', 'get', 'pods', '-A', '-o', 'json']);
  const pods = (JSON.parse(stdout) as { items: PodObject[] }).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const named = pods.flatMap((pod): [string, PodObject][] => {
    const { labels = {}, name } = pod.metadata;
    if (name === 'client') return [['client', pod]];
    if (labels.app === 'web') return [[pod.spec.nodeName, pod]];
    return [];
  });
  const dns = pods
    .filter(({ metadata }) => metadata.labels?.['k8s-app'] === 'kube-dns')
    .map((pod, index): [string, PodObject] => [`dns${index}`, pod]);
  const entries = [...named, ...dns].map(async ([key, pod]): Promise<[string, PodPlace]> => {
    const { nodeName: node } = pod.spec;
    const id = pod.status.containerStatuses[0]?.containerID.replace('containerd://', '') ?? '';
    const found = await execa(script, ['node', node, 'sh', '-c', 'grep -ls "$1" /proc/[0-9]*/cgroup | head -1', 'sh', id], {
      reject: false,
    });
    return [key, { name: pod.metadata.name, node, address: pod.status.podIP, pid: found.stdout.split('/')[2] ?? '' }];
  });
  return new Map(await Promise.all(entries));
}
