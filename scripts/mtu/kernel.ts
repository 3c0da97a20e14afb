import type { Cluster } from './cluster.ts';

/** What the kernel does with packets of every size from one pod to another and back, with "don't fragment"; lengths of layer 3 in bytes. */
export interface KernelTruth {
  /** The longest echo request that was answered. */
  answered: number;
  /** The longest that came to the other pod. */
  arrived: number;
  /** "Fragmentation needed" came to the sender, and the smallest MTU that it named. */
  told: number | null;
  /** MTU of the sender's interface, and of the receiver's. */
  own: number;
  far: number;
}

/** Sizes below are not tried one by one: no case is that narrow. */
const from = 1280;

/** Sends one ping of every size, past the kernel's own memory of the path (IP_PMTUDISC_PROBE), and listens at both ends. */
export async function askKernel(cluster: Cluster, sender: string, receiver: string): Promise<KernelTruth> {
  const [own, far] = await Promise.all([cluster.mtu(sender), cluster.mtu(receiver)]);
  const address = cluster.address(receiver);
  const listen = (pod: string, filter: string) =>
    cluster.inPod(pod, ['timeout', '--foreground', '60', 'tcpdump', '-n', '-l', '-v', '-i', 'eth0', '-c', '4000', filter]);
  const requests = listen(receiver, `icmp[icmptype]=icmp-echo and src ${cluster.address(sender)}`);
  const errors = listen(sender, 'icmp[icmptype]=icmp-unreach and icmp[icmpcode]=4');
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const sweep = `for s in $(seq ${from} ${own}); do { ping -n -c 1 -W 1 -M probe -s $((s-28)) ${address} >/dev/null 2>&1 && echo $s; } & [ $((s%32)) = 0 ] && wait; done; wait`;
  const answered = await cluster.inPod(sender, ['sh', '-c', sweep]).output;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await Promise.all([requests.stop(), errors.stop()]);
  const [seen, said] = await Promise.all([requests.output, errors.output]);
  const named = [...said.matchAll(/need to frag \(mtu (\d+)\)/g)].map(([, mtu]) => Number(mtu));
  return {
    answered: Math.max(0, ...answered.split('\n').map(Number)),
    arrived: Math.max(0, ...[...seen.matchAll(/ICMP echo request.*, length (\d+)/g)].map(([, length]) => Number(length) + ipHeader)),
    told: named.length > 0 ? Math.min(...named) : null,
    own,
    far,
  };
}

const ipHeader = 20;
