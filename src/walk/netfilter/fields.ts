import { addressNumber } from './addresses.ts';
import { isTracked } from './conntrack.ts';
import { isUnknown, type State } from './types.ts';

/** The value of an nft expression for a packet. */
export type Datum =
  | { is: 'number'; value: bigint }
  | { is: 'address'; value: bigint; family: 'ip' | 'ip6'; text: string }
  | { is: 'text'; value: string }
  /** The packet has no such header: the kernel breaks off the rule (NFT_BREAK). */
  | { is: 'absent' }
  | { is: 'unknown'; why: string }
  /** Each of `modulus` numbers from `offset` is as likely: numgen, and hashes of fields, whose result can't be foreseen. */
  | { is: 'random'; modulus: number; offset: number };

/** How constants that are compared with a field are to be read. */
export type Domain =
  | 'address'
  | 'protocol'
  | 'port'
  | 'interface'
  | 'number'
  | 'conntrackState'
  | 'conntrackStatus'
  | 'addressType'
  | 'family'
  | 'etherType'
  | 'icmp'
  | 'icmpv6'
  | 'tcpFlags'
  | 'direction'
  | 'dscp'
  | 'text';

export interface Field {
  domain: Domain;
  read: (state: State) => Datum;
}

const absent: Datum = { is: 'absent' };
const unknown = (why: string): Datum => ({ is: 'unknown', why });
const numberOr = (value: number | undefined, what: string): Datum =>
  value === undefined ? unknown(`${what} is not known`) : { is: 'number', value: BigInt(value) };

const address =
  (family: 'ip' | 'ip6', end: 'source' | 'destination') =>
  (state: State): Datum => {
    if (state.packet.family !== family) return absent;
    if (isUnknown(state, end)) return unknown(`the ${end} address that NAT chose is not known`);
    return addressDatum(state.packet[end]);
  };

function addressDatum(text: string): Datum {
  const parsed = addressNumber(text);
  return parsed === undefined ? unknown(`${text} is not an address`) : { is: 'address', ...parsed, text };
}

const withPorts = new Set(['tcp', 'udp', 'sctp', 'dccp', 'udplite']);

const port =
  (protocol: string | undefined, end: 'source' | 'destination') =>
  ({ packet }: State): Datum => {
    if (protocol === undefined ? !withPorts.has(packet.protocol) : packet.protocol !== protocol) return absent;
    return numberOr(end === 'source' ? packet.sourcePort : packet.destinationPort, `the ${end} port`);
  };

const device =
  (which: 'inInterface' | 'outInterface') =>
  ({ packet }: State): Datum => {
    const name = packet[which];
    return name === undefined ? unknown('the interface is not known') : { is: 'text', value: name };
  };

const protocol = ({ packet }: State): Datum => ({ is: 'text', value: packet.protocol });
const familyProtocol =
  (family: 'ip' | 'ip6') =>
  (state: State): Datum =>
    state.packet.family === family ? protocol(state) : absent;

const stateBits: Record<string, bigint> = { invalid: 1n, established: 2n, related: 4n, new: 8n, untracked: 64n };
const statusBits: Record<string, bigint> = {
  expected: 1n,
  'seen-reply': 2n,
  assured: 4n,
  confirmed: 8n,
  snat: 16n,
  dnat: 32n,
  dying: 512n,
};
/** IPS_SRC_NAT_DONE and IPS_DST_NAT_DONE, which nft has no names for, but compares. */
const natDoneBits = { source: 128n, destination: 256n } as const;
const flagBits: Record<string, bigint> = { fin: 1n, syn: 2n, rst: 4n, psh: 8n, ack: 16n, urg: 32n, ecn: 64n, cwr: 128n };

/** Names of bits, for constants such as `established,related` or `fin | syn`. */
export const bitNames: Partial<Record<Domain, Record<string, bigint>>> = {
  conntrackState: stateBits,
  conntrackStatus: statusBits,
  tcpFlags: flagBits,
};

/** Of a packet without a connection nft knows the state only; every other key breaks the rule off (nft_ct_get_eval). */
const tracked =
  (read: (state: State) => Datum) =>
  (state: State): Datum =>
    isTracked(state.packet) ? read(state) : absent;

const conntrackStatus = ({ packet }: State): Datum => {
  const { status, natSettled } = packet.conntrack;
  const done = natSettled.reduce((bits, end) => bits | natDoneBits[end], 0n);
  return { is: 'number', value: status.reduce((bits, name) => bits | (statusBits[name] ?? 0n), done) };
};

const tcpFlags = ({ packet }: State): Datum => {
  if (packet.protocol !== 'tcp') return absent;
  if (packet.tcpFlags === undefined) return unknown('the TCP flags are not known');
  return { is: 'number', value: packet.tcpFlags.reduce((bits, name) => bits | (flagBits[name.toLowerCase()] ?? 0n), 0n) };
};

const mark =
  (field: 'mark' | 'connectionMark') =>
  (state: State): Datum =>
    isUnknown(state, field) ? unknown('the mark is not known') : numberOr(state.packet[field], 'the mark');

const icmp =
  (name: string, field: 'icmpType' | 'icmpCode') =>
  ({ packet }: State): Datum =>
    packet.protocol === name ? numberOr(packet[field], `the ICMP ${field === 'icmpType' ? 'type' : 'code'}`) : absent;

const tupleAddress = (which: 'original' | 'reply', end: 'source' | 'destination', family?: 'ip' | 'ip6') =>
  tracked(({ packet }) => {
    const tuple = packet.conntrack[which];
    if (tuple === undefined) return unknown('the conntrack tuple is not known');
    const datum = addressDatum(tuple[end]);
    return family !== undefined && datum.is === 'address' && datum.family !== family ? absent : datum;
  });

const tuplePort = (which: 'original' | 'reply', end: 'sourcePort' | 'destinationPort') =>
  tracked(({ packet }) => numberOr(packet.conntrack[which]?.[end], 'the conntrack tuple'));

const limited =
  (family: 'ip' | 'ip6', field: 'ttl' | 'dscp' | 'length') =>
  ({ packet }: State): Datum =>
    packet.family === family ? numberOr(packet[field], `the ${field}`) : absent;

const version =
  (family: 'ip' | 'ip6') =>
  ({ packet }: State): Datum =>
    packet.family === family ? { is: 'number', value: family === 'ip' ? 4n : 6n } : absent;

const socketOwner =
  (which: 'uid' | 'gid') =>
  ({ packet: { owner } }: State): Datum =>
    owner === null ? absent : numberOr(owner?.[which], 'the owner of the socket');

/** Fields of nft(8) that a packet walk can tell; all others are unknown. */
export const fields: Record<string, Field> = {
  'ip saddr': { domain: 'address', read: address('ip', 'source') },
  'ip daddr': { domain: 'address', read: address('ip', 'destination') },
  'ip6 saddr': { domain: 'address', read: address('ip6', 'source') },
  'ip6 daddr': { domain: 'address', read: address('ip6', 'destination') },
  'ip protocol': { domain: 'protocol', read: familyProtocol('ip') },
  'ip6 nexthdr': { domain: 'protocol', read: familyProtocol('ip6') },
  'meta l4proto': { domain: 'protocol', read: protocol },
  'meta nfproto': { domain: 'family', read: ({ packet }) => ({ is: 'text', value: packet.family === 'ip' ? 'ipv4' : 'ipv6' }) },
  'meta protocol': { domain: 'etherType', read: ({ packet }) => ({ is: 'text', value: packet.family }) },
  'meta iifname': { domain: 'interface', read: device('inInterface') },
  'meta oifname': { domain: 'interface', read: device('outInterface') },
  'meta iif': { domain: 'interface', read: device('inInterface') },
  'meta oif': { domain: 'interface', read: device('outInterface') },
  'meta mark': { domain: 'number', read: mark('mark') },
  'meta length': { domain: 'number', read: ({ packet }) => numberOr(packet.length, 'the length') },
  'ct mark': { domain: 'number', read: tracked(mark('connectionMark')) },
  'ct state': { domain: 'conntrackState', read: ({ packet }) => ({ is: 'number', value: stateBits[packet.conntrack.state] ?? 0n }) },
  'ct status': { domain: 'conntrackStatus', read: tracked(conntrackStatus) },
  'ct direction': { domain: 'direction', read: tracked(({ packet }) => ({ is: 'text', value: packet.conntrack.direction })) },
  'tcp flags': { domain: 'tcpFlags', read: tcpFlags },
  'icmp type': { domain: 'icmp', read: icmp('icmp', 'icmpType') },
  'icmp code': { domain: 'number', read: icmp('icmp', 'icmpCode') },
  'icmpv6 type': { domain: 'icmpv6', read: icmp('icmpv6', 'icmpType') },
  'icmpv6 code': { domain: 'number', read: icmp('icmpv6', 'icmpCode') },
  'ip version': { domain: 'number', read: version('ip') },
  'ip6 version': { domain: 'number', read: version('ip6') },
  'meta skuid': { domain: 'number', read: socketOwner('uid') },
  'meta skgid': { domain: 'number', read: socketOwner('gid') },
  'ip ttl': { domain: 'number', read: limited('ip', 'ttl') },
  'ip6 hoplimit': { domain: 'number', read: limited('ip6', 'ttl') },
  'ip dscp': { domain: 'dscp', read: limited('ip', 'dscp') },
  'ip6 dscp': { domain: 'dscp', read: limited('ip6', 'dscp') },
  'ip length': { domain: 'number', read: limited('ip', 'length') },
  ...portFields(),
  ...tupleFields(),
};

function portFields(): Record<string, Field> {
  const result: Record<string, Field> = {};
  for (const [name, layer] of [
    ['th', undefined],
    ['tcp', 'tcp'],
    ['udp', 'udp'],
    ['sctp', 'sctp'],
    ['dccp', 'dccp'],
    ['udplite', 'udplite'],
  ] as const) {
    result[`${name} sport`] = { domain: 'port', read: port(layer, 'source') };
    result[`${name} dport`] = { domain: 'port', read: port(layer, 'destination') };
  }
  return result;
}

function tupleFields(): Record<string, Field> {
  const result: Record<string, Field> = {};
  for (const which of ['original', 'reply'] as const) {
    for (const [word, end] of [
      ['saddr', 'source'],
      ['daddr', 'destination'],
    ] as const) {
      result[`ct ${which} ${word}`] = { domain: 'address', read: tupleAddress(which, end) };
      for (const family of ['ip', 'ip6'] as const)
        result[`ct ${which} ${family} ${word}`] = { domain: 'address', read: tupleAddress(which, end, family) };
    }
    result[`ct ${which} proto-src`] = { domain: 'port', read: tuplePort(which, 'sourcePort') };
    result[`ct ${which} proto-dst`] = { domain: 'port', read: tuplePort(which, 'destinationPort') };
  }
  return result;
}

/** `fib saddr type` and `fib daddr type`; handled apart because a type may be known only in part. */
export const fibEnd = (name: string): 'source' | 'destination' | undefined =>
  name === 'fib saddr type' ? 'source' : name === 'fib daddr type' ? 'destination' : undefined;
