import type { Case, Flow } from '../case.ts';

/** The IPv6 address that stands for an IPv4 one: `10.1.0.2` is `fd00:10:1::2`. */
export function ipv6Of(address: string): string {
  const [a, b, c, d] = address.split('.').map(Number);
  const host = c === 0 ? (d === 0 ? '' : String(d)) : `${c}:${d}`;
  return `fd00:${a}${b === 0 && host === '' ? '' : `:${b}`}::${host}`;
}

/** The length of a prefix: the first two bytes are a group of 16 bits each behind the first one, the last two stand at the end. */
const prefixOf = (length: number): number => (length <= 16 ? (length === 0 ? 0 : 16 + 2 * length) : length === 32 ? 128 : 96 + length);

const addresses = /\b(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:\/(\d{1,2})\b)?(:\d)?/g;

function addressesIn(text: string): string {
  return text.replace(addresses, (_, address: string, length?: string, port?: string) => {
    if (address.startsWith('127.')) return '::1/128';
    if (address === '255.255.255.255') return 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    if (address === '0.0.0.0') return '::/0';
    const mapped = `${ipv6Of(address)}${length === undefined ? '' : `/${address === '10.2.0.0' && length === '30' ? 126 : prefixOf(Number(length))}`}`;
    return port === undefined ? mapped : `[${mapped}]${port}`;
  });
}

/** In their order: what one line leaves is what the next one sees. */
const iptablesWords: readonly (readonly [RegExp, string])[] = [
  [/--to-destination :/g, '--to-destination [fd00:10:2::2]:'],
  [/--icmp-type 8\b/g, '--icmpv6-type 128'],
  [/--icmp-type 0\b/g, '--icmpv6-type 129'],
  [/--icmp-type any\b/g, '--icmpv6-type 128'],
  [/--icmp-type 3\/1/g, '--icmpv6-type 1/1'],
  [/-m icmp\b/g, '-m icmp6'],
  [/-p icmp\b/g, '-p ipv6-icmp'],
  [/-m ttl --ttl-/g, '-m hl --hl-'],
  [/-j TTL --ttl-/g, '-j HL --hl-'],
  [/icmp-port-unreachable/g, 'icmp6-port-unreachable'],
  [/icmp-(host|admin)-prohibited/g, 'icmp6-adm-prohibited'],
  // xt_addrtype refuses to look for broadcast addresses in IPv6.
  [/\bBROADCAST\b/g, 'MULTICAST'],
  [/--length 0:38/g, '--length 0:58'],
  [/--length 36/g, '--length 56'],
  [/--length 40:/g, '--length 60:'],
];

const nftWords: readonly (readonly [RegExp, string])[] = [
  [/\bmeta protocol ip\b/g, 'meta protocol ip6'],
  [/\bip protocol (!= )?icmp\b/g, 'ip6 nexthdr $1ipv6-icmp'],
  [/\bip protocol\b/g, 'ip6 nexthdr'],
  [/\bip ttl\b/g, 'ip6 hoplimit'],
  [/\bip version 4\b/g, 'ip6 version 6'],
  [/\bwith icmp type host-prohibited\b/g, 'with icmpv6 type addr-unreachable'],
  [/\bicmp type\b/g, 'icmpv6 type'],
  [/\b(l4proto|nexthdr) (!= )?icmp\b/g, '$1 $2ipv6-icmp'],
  [/\bipv4_addr\b/g, 'ipv6_addr'],
  [/\b([ds]nat) ip\b/g, '$1 ip6'],
  [/\bip (saddr|daddr|dscp)\b/g, 'ip6 $1'],
  [/\bmeta length (< )?36\b/g, 'meta length $156'],
  [/\bmeta length < 40\b/g, 'meta length < 60'],
  [/\bmeta length 40-/g, 'meta length 60-'],
];

const inWords = (words: readonly (readonly [RegExp, string])[], text: string): string =>
  addressesIn(words.reduce((known, [from, to]) => known.replace(from, to), text));

/** The same case in IPv6. The legacy backend's IPv6 tables are not collected, and rp_filter there is none. */
export function toIpv6(item: Case): Case {
  return {
    ...item,
    family: 'ip6',
    legacy: [],
    iptables: item.iptables.map((table) => ({ ...table, rules: table.rules.map((rule) => inWords(iptablesWords, rule)) })),
    nft: item.nft.map((table) => ({
      ...table,
      family: table.family === 'ip' ? 'ip6' : table.family,
      sets: table.sets.map((set) => inWords(nftWords, set)),
      chains: table.chains.map((chain) => ({ ...chain, rules: chain.rules.map((rule) => inWords(nftWords, rule)) })),
    })),
    ipsets: item.ipsets.map((line) => addressesIn(line.startsWith('create ') ? `${line} family inet6` : line)),
    routing: item.routing.filter((line) => line.startsWith('ip ')).map((line) => addressesIn(line).replace(/^ip /, 'ip -6 ')),
    flows: item.flows.map(flowToIpv6),
  };
}

const flowToIpv6 = (flow: Flow): Flow => ({ ...flow, source: ipv6Of(flow.source), destination: ipv6Of(flow.destination) });
