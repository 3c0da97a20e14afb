import { hostsOf } from '../lab.ts';
import { clients, networks, servers } from '../pools.ts';
import type { Random } from '../random.ts';

/** Rules and routes beside those that every case has. */
export function randomRouting(random: Random): string[] {
  if (random.chance(0.4)) return [];
  const selectors = [
    'fwmark 0x1',
    'fwmark 0x2/0xff',
    'fwmark 0x4000/0x4000',
    `from ${random.pick(clients)}`,
    `to ${random.pick(servers)}`,
    'iif in0',
    'iif lo',
    // Raw sockets, by which the router's own packets are sent, count as a protocol of their own.
    'iif in0 ipproto udp',
    'iif in0 ipproto tcp dport 80',
    'not fwmark 0x1',
    `from ${random.pick(networks)}`,
  ];
  const actions = ['lookup 100', 'lookup 100', 'lookup 101', 'blackhole', 'prohibit', 'unreachable', 'goto 32766'];
  const rules = random.times(
    random.between(0, 3),
    (index) => `ip rule add priority ${1000 + index} ${random.pick(selectors)} ${random.pick(actions)}`,
  );
  const routes = [
    `ip route add default via ${hostsOf('alt0')[0]} dev alt0 table 100`,
    `ip route add ${random.pick(['10.2.0.0/24', '10.96.0.0/16', '10.2.0.3/32'])} via ${hostsOf('alt0')[1]} dev alt0 table 100`,
    `ip route add throw ${random.pick(['10.2.0.0/24', '10.96.0.0/16'])} table 101`,
    `ip route add ${random.pick(['blackhole', 'unreachable', 'prohibit'])} ${random.pick(['10.96.7.0/24', '10.3.0.3/32', '10.2.0.4/32'])} proto static`,
    `ip route add 10.96.0.0/24 via ${hostsOf('alt0')[0]} dev alt0 proto static`,
    `ip route add 10.2.0.3/32 via ${hostsOf('alt0')[0]} dev alt0 proto static metric 10`,
  ];
  const filters = [
    ...(random.chance(0.15) ? [`echo ${random.pick([1, 2])} >/proc/sys/net/ipv4/conf/in0/rp_filter`] : []),
    ...(random.chance(0.1) ? [`echo ${random.pick([1, 2])} >/proc/sys/net/ipv4/conf/all/rp_filter`] : []),
  ];
  // Routes first: the kernel looks for a route's gateway by the rules that are there.
  return [...random.some(routes, 0.4), ...rules, ...filters];
}
