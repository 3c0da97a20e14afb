import type { Case, Flow } from '../../scripts/differential/case.ts';

/** A case that the walk once had wrong, as small as it can be. `insufficient`: what the outputs don't show, so that nothing may be said. */
export interface Found {
  name: string;
  item: Case;
  expected?: 'insufficient';
}

const nothing: Case = {
  seed: 0,
  family: 'ip',
  order: ['legacy', 'nft', 'iptables'],
  iptables: [],
  legacy: [],
  nft: [],
  ipsets: [],
  routing: [],
  flows: [],
};

const flow = (change: Partial<Flow> = {}): Flow => ({
  id: 0x5000,
  source: '10.1.0.2',
  destination: '10.2.0.2',
  protocol: 'tcp',
  sourcePort: 20_000,
  destinationPort: 80,
  tcpFlags: ['SYN'],
  icmpType: 8,
  device: 'in0',
  mark: 0,
  ...change,
});

const { device: _, ...own } = flow({ source: '10.2.0.1' });

const flow6 = (change: Partial<Flow> = {}): Flow => flow({ source: 'fd00:10:1::2', destination: 'fd00:10:2::2', ...change });

/** One table of nft for each argument, in this order; `chain NAME { … }` of one rule a line. */
const tables = (...rulesOf: { base: string; rules: string[] }[]): Case['nft'] =>
  rulesOf.map(({ base, rules }, index) => ({ family: 'ip', name: `t${index}`, sets: [], chains: [{ name: 'c', base, rules }] }));

/** One table of nft's family ip6. */
const table6 = (...chains: Case['nft'][number]['chains']): Case['nft'] => [{ family: 'ip6', name: 't0', sets: [], chains }];

const filter = (hook: string, priority: string): string => `type filter hook ${hook} priority ${priority}; policy accept;`;

export const found: readonly Found[] = [
  {
    name: 'of chains of one priority the one that was made last is called first',
    item: {
      ...nothing,
      nft: tables(
        { base: filter('forward', '0'), rules: ['meta mark set 0x1'] },
        { base: filter('forward', '0'), rules: ['meta mark set 0x2'] },
        { base: filter('forward', '10'), rules: ['meta mark 0x2 drop'] },
      ),
      flows: [flow()],
    },
  },
  {
    name: 'between the legacy tables and those of nf_tables no output shows the order',
    expected: 'insufficient',
    item: {
      ...nothing,
      legacy: [{ name: 'filter', drops: ['FORWARD'], chains: [], rules: [] }],
      iptables: [{ name: 'filter', drops: [], chains: [], rules: ['-A FORWARD -p tcp -j REJECT --reject-with tcp-reset'] }],
      flows: [flow()],
    },
  },
  {
    name: '`ct state != new,untracked` is met by every state, `!= new` is not',
    item: {
      ...nothing,
      nft: tables({ base: filter('forward', '0'), rules: ['ct state != new drop', 'ct state != new,untracked udp dport 53 drop'] }),
      flows: [flow(), flow({ id: 0x6000, protocol: 'udp', sourcePort: 20_001, destinationPort: 53 })],
    },
  },
  {
    name: '`tcp flags != syn` is met by SYN and ACK',
    item: {
      ...nothing,
      nft: tables({ base: filter('forward', '0'), rules: ['tcp flags != syn reject'] }),
      flows: [flow()],
    },
  },
  {
    name: 'an ICMP error belongs to the connection of the packet that was refused',
    item: {
      ...nothing,
      nft: tables(
        { base: filter('input', '0'), rules: ['tcp dport 80 reject with icmp type host-prohibited'] },
        { base: filter('output', '0'), rules: ['ct state invalid drop', 'ct state related accept'] },
        { base: filter('postrouting', '0'), rules: ['ct state new drop'] },
      ),
      flows: [flow({ destination: '10.1.0.1' })],
    },
  },
  {
    name: 'before its connection is looked up a packet has the state invalid, and only there notrack does something',
    item: {
      ...nothing,
      nft: tables(
        { base: filter('prerouting', '-300'), rules: ['ct state new drop', 'ct state invalid udp dport 53 notrack'] },
        { base: filter('prerouting', '-150'), rules: ['tcp dport 80 notrack', 'ct state untracked udp dport != 53 drop'] },
        { base: filter('forward', '0'), rules: ['ct state untracked tcp dport 80 drop', 'ct state != untracked udp dport 53 drop'] },
      ),
      flows: [flow(), flow({ id: 0x6000, protocol: 'udp', sourcePort: 20_001, destinationPort: 53 })],
    },
  },
  {
    name: 'a mark that filter sets routes nothing again, one that mangle sets does',
    item: {
      ...nothing,
      iptables: [
        { name: 'mangle', drops: [], chains: [], rules: ['-A OUTPUT -p udp -j MARK --set-mark 0x1'] },
        { name: 'filter', drops: [], chains: [], rules: ['-A OUTPUT -p tcp -j MARK --set-mark 0x1'] },
      ],
      routing: ['ip route add default via 10.3.0.2 dev alt0 table 100', 'ip rule add priority 1000 fwmark 0x1 lookup 100'],
      flows: [own, { ...own, id: 0x6000, protocol: 'udp', sourcePort: 20_001 }],
    },
  },
  {
    name: 'rp_filter looks for the way back as if the answer came in by the device that the packet leaves by',
    item: {
      ...nothing,
      routing: ['ip rule add priority 1000 iif lo unreachable', 'echo 1 >/proc/sys/net/ipv4/conf/in0/rp_filter'],
      flows: [flow()],
    },
  },
  {
    name: 'on the loopback device a connection is confirmed already',
    item: {
      ...nothing,
      nft: tables({ base: filter('prerouting', 'raw'), rules: ['ct status confirmed udp dport 53 drop'] }),
      flows: [{ ...own, destination: '10.1.0.1', protocol: 'udp', destinationPort: 53 }],
    },
  },
  {
    name: '`ct status != dnat` compares bits, too, that nft has no names for',
    item: {
      ...nothing,
      nft: tables(
        { base: 'type nat hook prerouting priority -100; policy accept;', rules: ['tcp dport 80 dnat to 10.2.0.3'] },
        { base: filter('forward', '0'), rules: ['ct status != dnat reject'] },
      ),
      flows: [flow()],
    },
  },
  {
    name: 'a reset is for TCP only, though nft does not print that',
    item: {
      ...nothing,
      nft: tables({ base: filter('forward', '0'), rules: ['meta l4proto tcp reject with tcp reset'] }),
      flows: [flow(), flow({ id: 0x6000, protocol: 'udp', sourcePort: 20_001 })],
    },
  },
  {
    name: "rp_filter looks for the way back without the packet's mark, but with its protocol and ports",
    item: {
      ...nothing,
      routing: [
        'ip rule add priority 1000 iif out0 ipproto tcp sport 80 lookup main',
        'ip rule add priority 1001 iif out0 unreachable',
        'echo 1 >/proc/sys/net/ipv4/conf/in0/rp_filter',
      ],
      flows: [flow(), flow({ id: 0x6000, sourcePort: 20_001, destinationPort: 443 })],
    },
  },
  {
    name: 'a later packet of a masqueraded connection that would leave by another device is dropped',
    item: {
      ...nothing,
      iptables: [
        {
          name: 'nat',
          drops: [],
          chains: [],
          rules: ['-A PREROUTING -p udp -j MARK --set-mark 0x1', '-A POSTROUTING -p udp -j MASQUERADE'],
        },
      ],
      routing: ['ip route add default via 10.3.0.2 dev alt0 table 100', 'ip rule add priority 1000 fwmark 0x1 lookup 100'],
      flows: [flow({ protocol: 'udp' })],
    },
  },
  {
    name: 'where an answer was not tracked, the ACK after it is invalid and not translated',
    item: {
      ...nothing,
      iptables: [
        { name: 'nat', drops: [], chains: [], rules: ['-A PREROUTING -j DNAT --to-destination 10.2.0.4'] },
        { name: 'raw', drops: [], chains: [], rules: ['-A PREROUTING -i out0 -j CT --notrack'] },
      ],
      flows: [flow(), flow({ id: 0x6000, protocol: 'udp', sourcePort: 20_001 })],
    },
  },
  {
    name: 'an IPv6 masquerade towards an own address takes that address',
    item: {
      ...nothing,
      family: 'ip6',
      nft: table6({ name: 'c', base: 'type nat hook postrouting priority 100; policy accept;', rules: ['masquerade'] }),
      flows: [{ ...own, source: 'fd00:10:9::9:9', destination: 'fd00:10:1::1' }],
    },
  },
  {
    name: 'in IPv6 a local address is a unicast one, and of two forms both must hold',
    item: {
      ...nothing,
      family: 'ip6',
      iptables: [
        {
          name: 'mangle',
          drops: [],
          chains: [],
          rules: [
            '-A PREROUTING -p udp -m addrtype --dst-type UNICAST -j DROP',
            '-A PREROUTING -p tcp -m addrtype --dst-type LOCAL,UNICAST -j DROP',
          ],
        },
      ],
      flows: [
        flow6({ destination: 'fd00:10:1::1', protocol: 'udp' }),
        flow6({ id: 0x6000, sourcePort: 20_001, destination: 'fd00:10:2::2' }),
        flow6({ id: 0x7000, sourcePort: 20_002, destination: 'fd00:10:1::1' }),
      ],
    },
  },
  {
    name: 'an ICMPv6 error is routed with the address of the device that the refused packet came in by',
    item: {
      ...nothing,
      family: 'ip6',
      nft: [
        {
          family: 'inet',
          name: 't0',
          sets: [],
          chains: [
            {
              name: 'c',
              base: filter('prerouting', '0'),
              rules: ['udp dport 80 reject', 'tcp dport 80 reject with icmpv6 type addr-unreachable'],
            },
          ],
        },
      ],
      routing: ['ip -6 rule add priority 1001 from fd00:10:1::/112 blackhole'],
      flows: [flow6({ protocol: 'udp' }), flow6({ id: 0x6000, sourcePort: 20_001, destination: 'fd00:10:2::1' })],
    },
  },
  {
    name: 'each change of the mark is routed by: the first lookup without a way drops, of the others the last one counts',
    item: {
      ...nothing,
      iptables: [
        {
          name: 'mangle',
          drops: [],
          chains: [],
          rules: ['-A OUTPUT -p tcp -j MARK --set-mark 0x1', '-A OUTPUT -p udp -j MARK --set-mark 0x2'],
        },
      ],
      nft: tables({ base: 'type route hook output priority 0; policy accept;', rules: ['meta mark set 0x0'] }),
      routing: [
        'ip route add default via 10.3.0.2 dev alt0 table 100',
        'ip rule add priority 1000 fwmark 0x1 prohibit',
        'ip rule add priority 1001 fwmark 0x2 lookup 100',
      ],
      flows: [own, { ...own, id: 0x6000, protocol: 'udp', sourcePort: 20_001 }],
    },
  },
  {
    name: 'what mangle changed is routed with the destination that it had before NAT',
    item: {
      ...nothing,
      iptables: [
        { name: 'mangle', drops: [], chains: [], rules: ['-A OUTPUT -p tcp -j MARK --set-mark 0x1'] },
        { name: 'nat', drops: [], chains: [], rules: ['-A OUTPUT -j DNAT --to-destination 10.2.0.3'] },
      ],
      routing: ['ip rule add priority 1000 fwmark 0x1 to 10.2.0.2 blackhole'],
      flows: [
        own,
        { ...own, id: 0x6000, protocol: 'udp', sourcePort: 20_001 },
        { ...own, id: 0x7000, sourcePort: 20_002, destination: '10.2.0.4' },
      ],
    },
  },
  {
    name: 'in IPv6 a change of the hop limit, too, has the packet routed again, by the mark that an earlier chain set',
    item: {
      ...nothing,
      family: 'ip6',
      nft: table6(
        { name: 'marks', base: filter('output', '-200'), rules: ['meta mark set 0x1'] },
        { name: 'routes', base: 'type route hook output priority -150; policy accept;', rules: ['tcp dport 80 ip6 hoplimit set 9'] },
      ),
      routing: ['ip -6 rule add priority 1000 fwmark 0x1 prohibit'],
      flows: [
        { ...own, source: 'fd00:10:2::1', destination: 'fd00:10:2::2' },
        { ...own, id: 0x6000, sourcePort: 20_001, destinationPort: 443, source: 'fd00:10:2::1', destination: 'fd00:10:2::2' },
      ],
    },
  },
  {
    name: 'an ICMP error about an answer that is refused before its connection is looked up belongs to that connection when it leaves',
    item: {
      ...nothing,
      family: 'ip6',
      nft: table6(
        { name: 'early', base: filter('prerouting', '-300'), rules: ['udp sport 443 reject'] },
        {
          name: 'errors',
          base: 'type route hook output priority 0; policy accept;',
          rules: ['ip6 nexthdr ipv6-icmp ct mark 0 reject'],
        },
      ),
      flows: [
        flow6({ protocol: 'udp', destinationPort: 443 }),
        flow6({ id: 0x6000, protocol: 'udp', sourcePort: 20_001, destinationPort: 80 }),
      ],
    },
  },
];
