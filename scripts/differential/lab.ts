import { execFileSync } from 'node:child_process';
import { Agent } from './agent.ts';
import type { Used } from './case.ts';
import type { Outputs } from './dump.ts';
import { ipv6Of } from './generate/ipv6.ts';

/** Devices of the router, each with its other end in the world (`w-in`, …) and its networks. */
export const devices = {
  in0: { address: '10.1.0.1', peer: 'w-in0' },
  out0: { address: '10.2.0.1', peer: 'w-out0' },
  alt0: { address: '10.3.0.1', peer: 'w-alt0' },
} as const;
export type DeviceName = keyof typeof devices;
export const deviceNames = Object.keys(devices) as DeviceName[];

/** Hosts .2 to .12 of each network have a neighbour entry that stays. */
const hosts = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
export const hostsOf = (device: DeviceName): string[] => hosts.map((host) => devices[device].address.replace(/\d+$/, String(host)));

/** Further addresses of the router itself. */
export const extraAddresses = { in0: '10.1.0.100', lo: '10.9.9.9' };
export const routerAddresses = [...deviceNames.map((name) => devices[name].address), ...Object.values(extraAddresses)];

/** Clients behind another router on in0. */
export const outside = '172.30.0.0/16';
export const outsideHosts = ['172.30.1.1', '172.30.1.2'];

/** MAC addresses of the router's ends and of the world's. */
export const routerMac = (device: DeviceName): string => `02000000010${deviceNames.indexOf(device)}`;
export const worldMac = (device: DeviceName): string => `02000000020${deviceNames.indexOf(device)}`;

export interface Lab {
  agent: Agent;
  /** What the next case has to put back, and what no case changes. */
  memory: { used: Used; legacyTables: boolean; base?: Outputs };
  remove(): void;
}

/**
 * A router with three networks, in namespaces of its own, and a world around it that is nothing but the other ends of its wires: no addresses, no
 * stack that would answer. Needs root. `remove` takes everything away again.
 */
export async function makeLab(): Promise<Lab> {
  const [router, world] = [`k8snet-diff${process.pid}-r`, `k8snet-diff${process.pid}-w`];
  const remove = (): void => {
    for (const name of [router, world]) run('ip', 'netns', 'del', name);
  };
  try {
    for (const name of [router, world]) run('ip', 'netns', 'add', name);
    run('ip', 'netns', 'exec', router, 'sh', '-ec', setUp(world));
    for (const name of deviceNames)
      run(
        'ip',
        'netns',
        'exec',
        world,
        'sh',
        '-ec',
        `sysctl -qw net.ipv6.conf.${devices[name].peer}.disable_ipv6=1; ip link set ${devices[name].peer} up`,
      );
    const agent = new Agent(
      router,
      world,
      deviceNames.map((name) => devices[name].peer),
    );
    await agent.ready();
    return {
      agent,
      memory: { used: { legacy: false, ipsets: false, routing: false }, legacyTables: false },
      remove: () => {
        agent.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
};

const mac = (text: string): string => text.replace(/(..)(?!$)/g, '$1:');

function setUp(world: string): string {
  return [
    'sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.icmp.ratelimit=0',
    'sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=1000000',
    'ip link set lo up',
    `ip addr add ${extraAddresses.lo}/32 dev lo`,
    `ip addr add ${ipv6Of(extraAddresses.lo)}/128 dev lo`,
    ...deviceNames.flatMap((name) => [
      `ip link add ${name} address ${mac(routerMac(name))} type veth peer name ${devices[name].peer} address ${mac(worldMac(name))} netns ${world}`,
      `ip addr add ${devices[name].address}/24 dev ${name}`,
      `ip addr add ${ipv6Of(devices[name].address)}/112 dev ${name} nodad`,
      `ip link set ${name} up`,
    ]),
    `ip addr add ${extraAddresses.in0}/24 dev in0`,
    `ip addr add ${ipv6Of(extraAddresses.in0)}/112 dev in0 nodad`,
    'sysctl -qw net.ipv6.conf.all.forwarding=1',
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0',
    ...deviceNames.flatMap((name) => [
      `sysctl -qw net.ipv4.conf.${name}.rp_filter=0 net.ipv4.conf.${name}.send_redirects=0`,
      ...hostsOf(name)
        .flatMap((host) => [host, ipv6Of(host)])
        .map((host) => `ip neigh add ${host} lladdr ${mac(worldMac(name))} dev ${name} nud permanent`),
    ]),
    'sysctl -qw net.ipv4.conf.all.send_redirects=0',
    baseRoutes,
    baseRoutes6,
  ].join('\n');
}

/** Routes that every case starts from. */
export const baseRoutes = `ip route replace default via ${hostsOf('out0')[0]} dev out0; ip route replace ${outside} via ${hostsOf('in0')[1]} dev in0`;
export const baseRoutes6 = `ip -6 route replace default via ${ipv6Of(hostsOf('out0')[0] ?? '')} dev out0; ip -6 route replace fd00:172:30::/48 via ${ipv6Of(hostsOf('in0')[1] ?? '')} dev in0`;
