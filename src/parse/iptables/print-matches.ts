import type { AddressMask, Match, ModuleOption, NumberRange, Statement } from '../../model/netfilter.ts';
import { addressText, prefixMask } from '../../model/netfilter-address.ts';
import { protocolNumber } from '../../model/netfilter-protocol.ts';
import { optionsText } from './options.ts';

/**
 * The words of one match as iptables-save writes them (save functions of libxtables' extensions, 1.8). `next` is the statement behind it: an option
 * that belongs to the whole `-m` is written with the last match under it.
 */
export function matchWords(match: Match, next?: Statement): string[] {
  switch (match.kind) {
    case 'address':
      return [...not(match), match.end === 'source' ? '-s' : '-d', match.addresses.map(addressWord).join(',')];
    case 'interface':
      return [...not(match), match.direction === 'in' ? '-i' : '-o', match.name];
    case 'protocol':
      return [...not(match), '-p', protocolWord(match.protocol)];
    case 'fragment':
      return [...not(match), '-f'];
    case 'opaque':
    case 'compare':
      return [match.text];
    default:
      return extensionWords(match, next);
  }
}

type ExtensionMatch = Exclude<Match, { kind: 'address' | 'interface' | 'protocol' | 'fragment' | 'opaque' | 'compare' }>;

function extensionWords(match: ExtensionMatch, next: Statement | undefined): string[] {
  const { module, options } = extensionOf(match, next);
  const words = options.length === 0 ? [] : [optionsText(options)];
  return match.joined ? words : ['-m', module, ...words];
}

interface Extension {
  module: string;
  options: ModuleOption[];
}

const not = ({ negated }: { negated: boolean }): string[] => (negated ? ['!'] : []);
const option = (name: string, negated: boolean, ...values: string[]): ModuleOption => ({ name, negated, values });
const extension = (module: string, ...options: ModuleOption[]): Extension => ({ module, options });

function extensionOf(match: ExtensionMatch, next: Statement | undefined): Extension {
  switch (match.kind) {
    case 'comment':
      return extension('comment', option('comment', false, match.text));
    case 'module':
      return { module: match.module, options: match.options };
    case 'physdev':
      return { module: 'physdev', options: match.options };
    case 'ipset':
      return extension('set', option('match-set', match.negated, match.set, match.directions.join(',')), ...match.options);
    case 'recent':
      return extension('recent', option(match.action, match.negated), ...match.options);
    case 'addressType':
      return addressType(match, next);
    case 'mark':
      return extension(match.of === 'packet' ? 'mark' : 'connmark', option('mark', match.negated, maskedWord(match)));
    case 'statistic':
      return statistic(match);
    case 'addressRange':
      return extension('iprange', option(match.end === 'source' ? 'src-range' : 'dst-range', match.negated, `${match.from}-${match.to}`));
    case 'ports':
      return ports(match);
    case 'tcpFlags':
      return extension('tcp', option('tcp-flags', match.negated, match.mask.join(',') || 'NONE', match.set.join(',') || 'NONE'));
    case 'icmpType':
      return icmpType(match);
    default:
      return conntrack(match);
  }
}

type Kind<Name extends Match['kind']> = Extract<Match, { kind: Name }>;

/** `--limit-iface-in` asks about both types that stand under one `-m`. */
function addressType({ end, negated, types, limitInterface }: Kind<'addressType'>, next: Statement | undefined): Extension {
  const isLast = !(next?.kind === 'addressType' && next.joined);
  const limit = limitInterface === undefined || !isLast ? [] : [option(`limit-iface-${limitInterface}`, false)];
  return extension('addrtype', option(end === 'source' ? 'src-type' : 'dst-type', negated, types.join(',')), ...limit);
}

/** The kernel keeps the probability in 31 bits; iptables-save prints eleven decimals. */
function statistic(match: Kind<'statistic'>): Extension {
  const mode = option('mode', false, match.mode);
  if (match.mode === 'random') {
    const probability = match.probability.toFixed(11).replace(/\.?0+$/, '');
    return extension('statistic', mode, option('probability', match.negated, probability));
  }
  return extension('statistic', mode, option('every', match.negated, `${match.every}`), option('packet', false, `${match.packet}`));
}

const multiportNames = { source: 'sports', destination: 'dports', either: 'ports' };

function ports({ module, end, negated, ranges }: Kind<'ports'>): Extension {
  const name = module === 'multiport' ? multiportNames[end] : end === 'source' ? 'sport' : 'dport';
  return extension(module, option(name, negated, ranges.map(rangeWord).join(',')));
}

function icmpType({ module, negated, icmpType: type, codes }: Kind<'icmpType'>): Extension {
  const code = codes === undefined ? '' : `/${codes.first}${codes.first === codes.last ? '' : `-${codes.last}`}`;
  const name = module === 'icmp6' ? 'icmpv6-type' : 'icmp-type';
  return extension(module, option(name, negated, type === undefined ? 'any' : `${type}${code}`));
}

type ConntrackMatch = Kind<
  'conntrackState' | 'conntrackStatus' | 'conntrackAddress' | 'conntrackPort' | 'conntrackProtocol' | 'conntrackDirection'
>;

function conntrack(match: ConntrackMatch): Extension {
  switch (match.kind) {
    case 'conntrackState':
      return extension(match.module, option(match.module === 'state' ? 'state' : 'ctstate', match.negated, match.states.join(',')));
    case 'conntrackStatus':
      return extension('conntrack', option('ctstatus', match.negated, match.statuses.join(',')));
    case 'conntrackAddress':
      return extension('conntrack', option(tupleOption(match), match.negated, match.addresses.map(addressWord).join(',')));
    case 'conntrackPort':
      return extension('conntrack', option(`${tupleOption(match)}port`, match.negated, rangeWord(match.ports)));
    case 'conntrackProtocol':
      return extension('conntrack', option('ctproto', match.negated, protocolWord(match.protocol)));
    case 'conntrackDirection':
      return extension('conntrack', option('ctdir', false, match.direction.toUpperCase()));
  }
}

const tupleOption = ({ tuple, end }: { tuple: 'original' | 'reply'; end: 'source' | 'destination' }): string =>
  `ct${tuple === 'original' ? 'orig' : 'repl'}${end === 'source' ? 'src' : 'dst'}`;

/** `10.0.0.0/8`, or `10.0.0.0/255.0.255.0` where the mask is no prefix. */
function addressWord({ family, value, mask }: AddressMask): string {
  const bits = family === 'ip' ? 32 : 128;
  const length = mask.toString(2).replace(/0+$/, '').length;
  const isPrefix = mask === 0n || (mask.toString(2).length === bits && mask === prefixMask(length, family));
  return `${addressText({ family, value })}/${isPrefix ? (mask === 0n ? 0 : length) : addressText({ family, value: mask })}`;
}

/** Protocols that libxtables knows by itself; all others by number, because a node may have no /etc/protocols. */
const ownNames = new Set(['tcp', 'udp', 'udplite', 'sctp', 'icmp', 'esp', 'ah', 'all']);

function protocolWord(protocol: string): string {
  if (protocol === 'icmpv6') return 'ipv6-icmp';
  return ownNames.has(protocol) ? protocol : protocolNumber(protocol);
}

const rangeWord = ({ first, last }: NumberRange): string => (first === last ? `${first}` : `${first}:${last}`);

/** `0x4000/0x4000`; a mask of all ones is left out, as iptables does. */
const maskedWord = ({ value, mask }: { value: number; mask: number }): string =>
  mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`;

export const hex = (value: number): string => `0x${value.toString(16)}`;
