import { describe, expect, it } from 'vitest';
import { namespaceFacts } from '../../src/facts/node-facts.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import { lookupRoute, type RouteQuery } from '../../src/walk/route-lookup.ts';

/** Outputs of iproute2 6.1, each as the tool printed it for the namespace that the test describes. */
function netOf(
  routes: string,
  rules = '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n',
  rules6?: string,
) {
  const entry = (name: string, stdout: string): [string, Entry] => [
    `node/n1/${name}`,
    { key: `node/n1/${name}`, command: name, on: { kind: 'node', name: 'n1' }, exit: 0, stdout, stderr: '' },
  ];
  const read = [entry('ip-route', routes), entry('ip-rule', rules), ...(rules6 === undefined ? [] : [entry('ip-6-rule', rules6)])];
  return namespaceFacts(new Map(read), 'node/n1');
}

const main = `default via 192.168.1.1 dev eth0 
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink 
10.244.3.0/24 via 192.168.1.13 dev eth0 metric 20 
10.244.3.0/24 via 192.168.1.14 dev eth0 metric 10 
blackhole 10.244.9.0/24 
default via 10.9.0.1 dev wg0 table 100 
throw 10.244.2.0/24 table 100 
local 192.168.1.11 dev eth0 table local proto kernel scope host src 192.168.1.11 
default via fe80::1 dev eth0 metric 1024 pref medium
fd00:2::/64 via fd00:1::12 dev eth0 metric 1024 pref medium
`;
const withRule = (rule: string): string =>
  `0:\tfrom all lookup local\n${rule}\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n`;

function ask(query: RouteQuery, rules?: string, rules6?: string): string {
  const answer = lookupRoute(netOf(main, rules, rules6), query);
  if (answer.state !== 'seen') return answer.state;
  const { route, refusedBy, doubt } = answer.value;
  const words = refusedBy ? `refused by ${refusedBy.text.trim()}` : (route?.text.trim() ?? 'none');
  return `${words}${doubt ? ` unless ${doubt.priority}` : ''}${answer.complete ? '' : ' (not sure)'}`;
}

describe('lookupRoute', () => {
  it.each([
    ['the longest prefix', '10.244.2.7', '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink'],
    ['the lowest metric', '10.244.3.7', '10.244.3.0/24 via 192.168.1.14 dev eth0 metric 10'],
    ['the local table first', '192.168.1.11', 'local 192.168.1.11 dev eth0 table local proto kernel scope host src 192.168.1.11'],
    ['a route that refuses', '10.244.9.1', 'blackhole 10.244.9.0/24'],
    ['the default route', '1.1.1.1', 'default via 192.168.1.1 dev eth0'],
  ])('takes %s', (_, to, route) => {
    expect(ask({ to })).toBe(route);
  });

  it('takes IPv6 routes for IPv6, and says that no IPv6 rules were read', () => {
    expect(ask({ to: 'fd00:2::9' })).toBe('fd00:2::/64 via fd00:1::12 dev eth0 metric 1024 pref medium (not sure)');
  });

  it('follows the rules of IPv6 where they were read, and those of IPv4 for IPv4 only', () => {
    const rules6 = '0:\tfrom all lookup local\n100:\tfrom all to fd00:2::/64 prohibit\n32766:\tfrom all lookup main\n';
    expect(ask({ to: 'fd00:2::9' }, undefined, rules6)).toBe('refused by 100:\tfrom all to fd00:2::/64 prohibit');
    expect(ask({ to: '1.1.1.1' }, undefined, rules6)).toBe('default via 192.168.1.1 dev eth0');
  });

  it('follows rules on marks, devices, ports and protocols where they are known', () => {
    const mark = withRule('100:\tfrom all fwmark 0x100/0xf00 lookup 100');
    expect(ask({ to: '1.1.1.1', mark: 0x123 }, mark)).toBe('default via 10.9.0.1 dev wg0 table 100');
    expect(ask({ to: '1.1.1.1', mark: 0x23 }, mark)).toBe('default via 192.168.1.1 dev eth0');
    expect(ask({ to: '1.1.1.1' }, mark)).toBe('default via 192.168.1.1 dev eth0 unless 100 (not sure)');
    const port = withRule('100:\tfrom all ipproto tcp dport 8000-8080 lookup 100');
    expect(ask({ to: '1.1.1.1', protocol: 'tcp', destinationPort: 8080 }, port)).toBe('default via 10.9.0.1 dev wg0 table 100');
    expect(ask({ to: '1.1.1.1', protocol: 'udp', destinationPort: 8080 }, port)).toBe('default via 192.168.1.1 dev eth0');
    const device = withRule('100:\tfrom all iif cni0 lookup 100');
    expect(ask({ to: '1.1.1.1', iif: 'cni0' }, device)).toBe('default via 10.9.0.1 dev wg0 table 100');
    expect(ask({ to: '1.1.1.1' }, device)).toBe('default via 192.168.1.1 dev eth0');
  });

  it('goes on after throw and goto, and stops at a rule that refuses', () => {
    expect(ask({ to: '10.244.2.7' }, withRule('100:\tfrom all lookup 100'))).toBe('10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink');
    expect(ask({ to: '1.1.1.1' }, withRule('50:\tfrom all goto 32766\n100:\tfrom all lookup 100'))).toBe(
      'default via 192.168.1.1 dev eth0',
    );
    expect(ask({ to: '1.1.1.1' }, withRule('100:\tfrom all to 1.1.1.0/24 prohibit'))).toMatch(/^refused by 100:/);
  });

  it('is sure where a rule that can not be told makes no difference', () => {
    expect(ask({ to: '10.244.2.7' }, withRule('100:\tfrom all fwmark 0x1 lookup 100'))).toBe(
      '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
    );
  });
});
