/** Numbers of /etc/protocols that iptables and nft print by number or by name, by name as this project writes it. */
const protocolNames = new Map<string, string>(
  Object.entries({
    '1': 'icmp',
    '2': 'igmp',
    '4': 'ipencap',
    '6': 'tcp',
    '17': 'udp',
    '33': 'dccp',
    '41': 'ipv6',
    '47': 'gre',
    '50': 'esp',
    '51': 'ah',
    '58': 'icmpv6',
    '88': 'eigrp',
    '89': 'ospf',
    '103': 'pim',
    '112': 'vrrp',
    '132': 'sctp',
    '136': 'udplite',
  }),
);
const protocolAliases = new Map<string, string>(
  Object.entries({ 'ipv6-icmp': 'icmpv6', ipip: 'ipencap', 'ipv6-crypt': 'esp', ospfigp: 'ospf' }),
);

/** The number of a protocol, for readers that may not know its name; a name that is not known stays. */
export function protocolNumber(name: string): string {
  for (const [number, known] of protocolNames) if (known === name) return number;
  return name;
}

/** One spelling for a protocol, whether it was printed by number, name or alias. */
export function protocolName(text: string): string {
  const lower = text.toLowerCase();
  return protocolNames.get(lower) ?? protocolAliases.get(lower) ?? lower;
}
